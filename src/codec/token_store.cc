#include "codec/token_store.h"

#include <type_traits>
#include <utility>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr const char* kPrefix = "tokens";
constexpr std::size_t kTrainRows = 50000;  // that a codec's mean is taken of

template <class C>
constexpr bool kIsResidual = std::is_same_v<C, Residual>;

template <class C>
void encode_all(C& codec, const AnyMatrixView& rows, const TokenStoreOptions& options) {
  const std::vector<std::uint32_t> chosen = random_sample(rows.rows(), kTrainRows, options.seed);
  codec.train(copy_rows(rows, chosen));
  codec.resize(rows.rows());
  Progress progress(options.control, "tokens", rows.rows());
  parallel_for(without_progress(options.control), rows.rows(), 256,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 std::vector<float> x(rows.dim());
                 for (std::size_t i = begin; i < end; ++i) {
                   rows.copy_row(i, x.data());
                   codec.encode(static_cast<Id>(i), x.data());
                 }
                 progress.add(end - begin);
               });
}

}  // namespace

std::string token_codec_names() { return "f32, f16, lvq8, lvq4, residual4, residual2"; }

TokenStore::Any TokenStore::make(const std::string& name, std::size_t dim) {
  if (name == "f32") return Plain<float>(dim, Metric::ip);
  if (name == "f16") return Plain<Half>(dim, Metric::ip);
  if (name == "lvq8") return Lvq<8>(dim, Metric::ip);
  if (name == "lvq4") return Lvq<4>(dim, Metric::ip);
  if (name == "residual4") return Residual(dim, 4);
  if (name == "residual2") return Residual(dim, 2);
  throw Error(ErrorCode::invalid_argument,
              "codec '" + name + "' for tokens, expected one of " + token_codec_names());
}

std::unique_ptr<TokenStore> TokenStore::build(const AnyMatrixView& rows,
                                              const TokenStoreOptions& options) {
  std::unique_ptr<TokenStore> store(
      new TokenStore(options.codec, make(options.codec, rows.dim()), rows.dim()));
  std::visit(
      [&]<class C>(C& codec) {
        if constexpr (kIsResidual<C>) {
          codec.build(rows, {options.centroids, options.seed, options.control});
        } else {
          encode_all(codec, rows, options);
        }
      },
      store->codec_);
  return store;
}

void TokenStore::save(KithFileWriter& writer, Meta& meta) const {
  meta.set("tokens.codec", codec_name_);
  std::visit([&](const auto& codec) { codec.save(writer, meta, kPrefix); }, codec_);
}

std::unique_ptr<TokenStore> TokenStore::load(const KithFileReader& reader, const Meta& meta,
                                             std::size_t rows, std::size_t dim) {
  const std::string& name = meta.string("tokens.codec");
  std::unique_ptr<TokenStore> store;
  try {
    store.reset(new TokenStore(name, make(name, dim), dim));
  } catch (const Error& error) {
    throw Error(ErrorCode::unsupported, reader.name() + ": " + error.what());
  }
  std::visit([&](auto& codec) { codec.load(reader, meta, kPrefix, rows); }, store->codec_);
  return store;
}

void TokenStore::load(std::size_t first, std::size_t count, float* out, std::size_t stride) const {
  std::visit(
      [&](const auto& codec) {
        for (std::size_t i = 0; i < count; ++i) {
          codec.decode(static_cast<Id>(first + i), out + i * stride);
        }
      },
      codec_);
}

ByteCounts TokenStore::bytes() const {
  ByteCounts counts = std::visit([](const auto& codec) { return codec.bytes(); }, codec_);
  for (auto& [part, size] : counts) part.insert(0, ".").insert(0, kPrefix);
  return counts;
}

}  // namespace kith

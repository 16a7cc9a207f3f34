#include "codec/stage.h"

#include <cmath>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr std::size_t kRowsAPiece = 256;

}  // namespace

float normalise(float* x, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) sum += static_cast<double>(x[j]) * x[j];
  const double norm = std::sqrt(sum);
  if (norm > 0) {
    const float inverse = static_cast<float>(1 / norm);
    for (std::size_t j = 0; j < dim; ++j) x[j] *= inverse;
  }
  return static_cast<float>(norm);
}

Stage::Stage(const std::string& codec, bool rotate, std::size_t dim, Metric metric,
             std::uint64_t seed)
    : codec_name_(codec), metric_(metric), dim_(dim), codec_(make_codec(codec, dim, metric)) {
  if (rotate || rabitq_bits(codec) != 0) {
    if (keeps_bytes()) {
      throw Error(
          ErrorCode::invalid_argument,
          "codec 'rot-" + codec + "': rotated vectors aren't bytes, expected another codec");
    }
    rotation_.emplace(dim, seed);
  }
}

void Stage::transform(float* x) const {
  if (metric_ == Metric::cosine && !keeps_bytes()) normalise(x, dim_);
  if (rotation_) rotation_->apply(x);
}

void Stage::train(const AnyMatrixView& rows, std::uint64_t seed, const Control& control) {
  const auto chosen = random_sample(rows.rows(), kTrainRows, seed);
  Matrix<float> sample(chosen.size(), dim_);
  parallel_for(control, chosen.size(), kRowsAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t i = begin; i < end; ++i) {
                   rows.copy_row(chosen[i], sample.row(i));
                   transform(sample.row(i));
                 }
               });
  std::visit([&](auto& codec) { codec.train(sample.view()); }, codec_);
}

void Stage::append(const AnyMatrixView& rows, const Control& control) {
  const std::size_t first = size();
  std::visit([&](auto& codec) { codec.resize(first + rows.rows()); }, codec_);
  Progress progress(control, "encode " + name(), rows.rows());
  // Owned memory is made before the threads start: encode() must not copy a mapped view by itself.
  std::vector<std::vector<float>> scratch(thread_count(control), std::vector<float>(dim_));
  parallel_for(control, rows.rows(), kRowsAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 float* x = scratch[worker].data();
                 for (std::size_t i = begin; i < end; ++i) {
                   rows.copy_row(i, x);
                   transform(x);
                   const Id id = static_cast<Id>(first + i);
                   std::visit([&](auto& codec) { codec.encode(id, x); }, codec_);
                 }
                 progress.add(end - begin);
               });
}

void Stage::decode(Id id, float* out) const {
  std::visit([&](const auto& codec) { codec.decode(id, out); }, codec_);
  if (rotation_) rotation_->invert(out);
}

std::size_t Stage::size() const {
  return std::visit([](const auto& codec) { return codec.size(); }, codec_);
}

ByteCounts Stage::bytes(const std::string& prefix) const {
  ByteCounts counts = std::visit([](const auto& codec) { return codec.bytes(); }, codec_);
  for (auto& [part, bytes] : counts) part.insert(0, prefix + ".");
  return counts;
}

void Stage::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  meta.set(prefix + ".codec", codec_name_);
  meta.set(prefix + ".rotate", std::uint64_t{rotation_.has_value()});
  if (rotation_) meta.set(prefix + ".rotation_seed", rotation_->seed());
  std::visit([&](const auto& codec) { codec.save(writer, meta, prefix); }, codec_);
}

Stage Stage::load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                  std::size_t rows, std::size_t dim, Metric metric) {
  const bool rotate = meta.number(prefix + ".rotate", 1) != 0;
  const std::uint64_t seed = rotate ? meta.number(prefix + ".rotation_seed") : 0;
  try {
    Stage stage(meta.string(prefix + ".codec"), rotate, dim, metric, seed);
    std::visit([&](auto& codec) { codec.load(reader, meta, prefix, rows); }, stage.codec_);
    return stage;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    reader.fail(error.what());
  }
}

}  // namespace kith

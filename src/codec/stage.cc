#include "codec/stage.h"

#include <cmath>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr std::size_t kRowsAPiece = 256;

// By ids, where each is in `order`.
std::vector<Id> rows_in(std::span<const Id> order) {
  std::vector<Id> rows(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) rows[order[i]] = static_cast<Id>(i);
  return rows;
}

}  // namespace

float normalise(float* x, std::size_t dim) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(x[i + lane]) * x[i + lane];
    }
  }
  for (; i < dim; ++i) sums[0] += static_cast<double>(x[i]) * x[i];
  double sum = 0;
  for (const double part : sums) sum += part;
  const double norm = std::sqrt(sum);
  if (norm > 0) {
    const float inverse = static_cast<float>(1 / norm);
    for (std::size_t j = 0; j < dim; ++j) x[j] *= inverse;
  }
  return static_cast<float>(norm);
}

Stage::Stage(const std::string& codec, bool rotate, std::size_t dim, Metric metric,
             std::uint64_t seed, std::size_t reduced)
    : codec_name_(codec),
      metric_(metric),
      dim_(dim),
      codec_(make_codec(codec, reduced != 0 ? reduced : dim, metric)) {
  const bool turned = rotate || rabitq_bits(codec) != 0;
  if (keeps_bytes() && (turned || reduced != 0)) {
    throw Error(ErrorCode::invalid_argument, "codec '" + std::string(turned ? "rot-" : "leanvec-") +
                                                 codec + "': " + (turned ? "rotated" : "reduced") +
                                                 " vectors aren't bytes, expected another codec");
  }
  if (reduced != 0) reduction_.emplace(dim, reduced, metric);
  if (turned) rotation_.emplace(reduced != 0 ? reduced : dim, seed);
}

std::size_t Stage::query_dim() const {
  const Bits* const bits = std::get_if<Bits>(&codec_);
  return bits != nullptr ? bits->query_dim() : dim_;
}

void Stage::read_queries_by(std::shared_ptr<const Binariser> binariser) {
  Bits* const bits = std::get_if<Bits>(&codec_);
  if (bits == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "codec '" + name() + "': no binariser made its codes, expected bitsMxN");
  }
  bits->read_queries_by(std::move(binariser));
}

bool Stage::reads_other_queries() const {
  const Bits* const bits = std::get_if<Bits>(&codec_);
  return bits != nullptr && bits->reads_other_queries();
}

void Stage::decode_query(const float* query, float* out) const {
  std::get<Bits>(codec_).decode_query(query, out);
}

std::string Stage::name() const {
  CodecSpec spec;
  spec.reduced = reduced();
  spec.rotate = rotates();
  spec.primary = codec_name_;
  return spec.name();
}

void Stage::transform(float* x, bool query) const {
  if (metric_ == Metric::cosine && !keeps_bytes()) normalise(x, query ? query_dim() : dim_);
  if (reduction_ && query) reduction_->reduce_query(x);
  if (reduction_ && !query) reduction_->reduce(x);
  if (rotation_) rotation_->apply(x);
}

// As codecs and reductions learn from it: of length 1 under cosine.
Matrix<float> Stage::sample(const AnyMatrixView& rows, std::uint64_t seed,
                            const Control& control) const {
  const auto chosen = random_sample(rows.rows(), kTrainRows, seed);
  Matrix<float> sample(chosen.size(), dim_);
  parallel_for(control, chosen.size(), kRowsAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t i = begin; i < end; ++i) {
                   rows.copy_row(chosen[i], sample.row(i));
                   const bool whole = metric_ == Metric::cosine && !keeps_bytes();
                   if (whole) normalise(sample.row(i), dim_);
                 }
               });
  return sample;
}

void Stage::train(const AnyMatrixView& rows, std::uint64_t seed, const Control& control,
                  const StageTraining& training) {
  Matrix<float> x = sample(rows, seed, control);
  if (reduction_) {
    const Matrix<float> queries =
        training.queries.rows() == 0 ? Matrix<float>() : sample(training.queries, seed, control);
    reduction_->train(x, queries, training.method, control);
  }
  parallel_for(control, x.rows(), kRowsAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t i = begin; i < end; ++i) {
                   if (reduction_) reduction_->reduce(x.row(i));
                   if (rotation_) rotation_->apply(x.row(i));
                 }
               });
  const MatrixView<const float> seen(x.data(), x.rows(), reduction_ ? reduced() : dim_,
                                     x.stride_bytes());
  Bits* const bits = std::get_if<Bits>(&codec_);
  if (bits != nullptr && training.binariser != nullptr) bits->take(training.binariser);
  Vq* const vq = std::get_if<Vq>(&codec_);
  if (vq != nullptr) {
    if (training.codebooks != nullptr) vq->take(training.codebooks);
    return vq->train(seen, seed, control);
  }
  std::visit([&](auto& codec) { codec.train(seen); }, codec_);
}

void Stage::need_records(const std::string& what) const {
  std::visit(
      [&]<class C>(const C&) {
        if constexpr (!CodecWithRecords<C>) {
          throw Error(ErrorCode::invalid_argument,
                      what + " '" + name() +
                          "': expected a codec whose vectors are records of their own: f32, f16, "
                          "bf16, u8, i8, sq8, signs, itq, bits or one of lvq");
        }
      },
      codec_);
}

void Stage::keep_on_disk(const std::string& path) {
  need_records("disk");
  on_disk_ = true;
  disk_path_ = path;
}

TierShape Stage::tier_shape() const {
  const std::size_t bytes = std::visit(
      []<class C>(const C& codec) -> std::size_t {
        if constexpr (CodecWithRecords<C>) return codec.record_bytes();
        return 0;
      },
      codec_);
  return {name(), dim_, rows_, bytes};
}

void Stage::open_tier(const std::string& path, std::uint64_t identity, const TierOptions& options) {
  tier_ = TierFile::open(path, tier_shape(), identity, options);
}

// Each thread encodes a piece in a codec of its own, so that no more than that is in memory.
void Stage::encode_to_disk(const RowLoader& load, const Control& control) {
  Progress progress(control, "write " + name(), rows_);
  TierWriter writer(disk_path_, tier_shape());
  const auto encode = [&]<class C>(const C& like) {
    if constexpr (CodecWithRecords<C>) {
      parallel_for(
          control, rows_, kRowsAPiece, [&](std::size_t begin, std::size_t end, std::size_t) {
            C piece = like.without_rows();
            piece.resize(end - begin);
            std::vector<float> x(dim_);
            writer.write(begin, end - begin, [&](std::size_t i, std::byte* out) {
              load(begin + i, x.data());
              transform(x.data());
              try {
                piece.encode(static_cast<Id>(i), x.data());
              } catch (const Error& error) {  // it names the piece's row
                const std::string_view what = error.what();
                const std::size_t comma = what.find(',');
                if (!what.starts_with("row ") || comma == what.npos) throw;
                throw Error(error.code(),
                            "row " + std::to_string(begin + i) + std::string(what.substr(comma)));
              }
              piece.get_record(static_cast<Id>(i), out);
            });
            progress.add(end - begin);
          });
    }
  };
  std::visit(encode, codec_);
  tier_ = writer.finish();
}

void Stage::resize(std::size_t rows) {
  rows_ = rows;
  if (on_disk_) return;
  std::visit([&](auto& codec) { codec.resize(rows); }, codec_);
  if (rows_of_.empty()) return;
  for (std::size_t id = rows_of_.size(); id < rows; ++id) rows_of_.push_back(static_cast<Id>(id));
}

Stage::Ordered Stage::in_order(std::span<const Id> order, const Control& control) const {
  need_records("order of");
  const auto copy = [&]<class C>(const C& from) -> AnyCodec {
    if constexpr (CodecWithRecords<C>) {
      C to = from.without_rows();
      to.resize(order.size());
      parallel_for(control, order.size(), kRowsAPiece,
                   [&](std::size_t begin, std::size_t end, std::size_t) {
                     std::vector<std::byte> record(from.record_bytes());
                     for (std::size_t i = begin; i < end; ++i) {
                       from.get_record(row(order[i]), record.data());
                       to.put_record(static_cast<Id>(i), record.data());
                     }
                   });
      return to;
    } else {
      return make_codec(codec_name_, dim_, metric_);  // refused above
    }
  };
  return {std::visit(copy, codec_), rows_in(order)};
}

void Stage::take(Ordered ordered) {
  codec_ = std::move(ordered.codec);
  rows_of_ = std::move(ordered.rows_of);
}

void Stage::set_order(std::span<const Id> order) { rows_of_ = rows_in(order); }

void Stage::encode(const RowLoader& load, std::span<const Id> ids, const Control& control) {
  if (on_disk_) return encode_to_disk(load, control);
  Progress progress(control, "encode " + name(), ids.size());
  std::vector<std::vector<float>> scratch(thread_count(control), std::vector<float>(dim_));
  parallel_for(control, ids.size(), kRowsAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 float* x = scratch[worker].data();
                 for (std::size_t i = begin; i < end; ++i) {
                   load(i, x);
                   transform(x);
                   std::visit([&](auto& codec) { codec.encode(row(ids[i]), x); }, codec_);
                 }
                 progress.add(end - begin);
               });
}

void Stage::decode(Id id, float* out) const {
  if (reduction_) {
    throw Error(ErrorCode::invalid_argument,
                name() + ": reduced vectors can't be decoded, expected the codec that re-ranks");
  }
  const auto decode = [&]<class C>(const C& codec) {
    if constexpr (CodecWithRecords<C>) {
      if (on_disk_) {
        C one = codec.without_rows();
        one.resize(1);
        tier_->fetch(std::span(&id, 1),
                     [&](std::size_t, const std::byte* record) { one.put_record(0, record); });
        return one.decode(0, out);
      }
    }
    codec.decode(row(id), out);
  };
  std::visit(decode, codec_);
  if (rotation_) rotation_->invert(out);
}

std::size_t Stage::size() const {
  if (on_disk_) return rows_;
  return std::visit([](const auto& codec) { return codec.size(); }, codec_);
}

ByteCounts Stage::bytes(const std::string& prefix) const {
  ByteCounts counts = std::visit([](const auto& codec) { return codec.bytes(); }, codec_);
  if (on_disk_) std::erase_if(counts, [](const auto& part) { return part.second == 0; });
  if (reduction_) counts.insert(counts.begin(), {"reduction", reduction_->bytes()});
  for (auto& [part, bytes] : counts) part.insert(0, prefix + ".");
  return counts;
}

void Stage::save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const {
  // In the name, so that who doesn't know of reductions doesn't answer without.
  const std::string before = reduction_ ? "leanvec" + std::to_string(reduced()) + "-" : "";
  meta.set(prefix + ".codec", before + codec_name_);
  meta.set(prefix + ".rotate", std::uint64_t{rotation_.has_value()});
  if (rotation_) meta.set(prefix + ".rotation_seed", rotation_->seed());
  if (reduction_) reduction_->save(writer, prefix);
  std::visit([&](const auto& codec) { codec.save(writer, meta, prefix); }, codec_);
}

Stage Stage::load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                  std::size_t rows, std::size_t dim, Metric metric, bool on_disk) {
  const bool rotate = meta.number(prefix + ".rotate", 1) != 0;
  const std::uint64_t seed = rotate ? meta.number(prefix + ".rotation_seed") : 0;
  try {
    std::string_view word = meta.string(prefix + ".codec");
    const std::size_t reduced = take_reduction(word);
    Stage stage(std::string(word), rotate, dim, metric, seed, reduced);
    if (stage.reduction_) stage.reduction_->load(reader, prefix);
    const std::size_t here = on_disk ? 0 : rows;
    std::visit([&](auto& codec) { codec.load(reader, meta, prefix, here); }, stage.codec_);
    if (on_disk) {
      stage.keep_on_disk("");
      stage.rows_ = rows;
    }
    return stage;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    reader.fail(error.what());
  }
}

}  // namespace kith

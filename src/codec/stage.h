// Transforms and a codec: one way of storing a collection. An index has one that it searches and
// may have a second that re-ranks. Turns rows of any element type into codes and queries into what
// the codec prepares. Codes are in memory, or the last stage's in a file (tier_file.h): then
// codec() has no vectors, and FetchedRecords bring some.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/row_loader.h"
#include "codec/any.h"
#include "codec/leanvec.h"
#include "codec/rotation.h"
#include "codec/spec.h"
#include "formats/tier_file.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

// What a reduction is learned by, and a binariser or codewords that were learned elsewhere.
struct StageTraining {
  AnyMatrixView queries = {};
  LeanVecMethod method = LeanVecMethod::id;
  std::shared_ptr<const Binariser> binariser = {};
  std::shared_ptr<const Codebooks> codebooks = {};
};

class Stage {
 public:
  // `reduced`: dimensions left by a reduction, which comes before the rotation; 0 for none.
  Stage(const std::string& codec, bool rotate, std::size_t dim, Metric metric, std::uint64_t seed,
        std::size_t reduced = 0);

  // Fixes what is learned from data on a sample of the rows (kTrainRows of them at most).
  void train(const AnyMatrixView& rows, std::uint64_t seed, const Control& control,
             const StageTraining& training = {});
  // Before vectors come: they go to a file that will have this name, when tier()->commit() says so.
  // Throws invalid_argument for a codec without records (codec.h).
  void keep_on_disk(const std::string& path);
  // Throws the same, naming what needs them, such as "lists".
  void need_records(const std::string& what) const;
  bool on_disk() const { return on_disk_; }
  // Null until encode() or open_tier().
  const std::shared_ptr<TierFile>& tier() const { return tier_; }
  // After load(): where the vectors are.
  void open_tier(const std::string& path, std::uint64_t identity, const TierOptions& options);

  // Makes room for ids below `rows`, in memory of its own.
  void resize(std::size_t rows);
  // Stores row i as ids[i], distinct ids; under cosine normalised first (byte codecs keep their
  // bytes). On disk once only, as ids 0, 1 ... below size().
  void encode(const RowLoader& load, std::span<const Id> ids, const Control& control);

  // A row as the codec wants it: normalised under cosine, then transformed. In place: a reduced
  // one is in the first floats.
  void transform(float* x) const { transform(x, false); }
  // A query; the same but where a reduction treats the two differently.
  void transform_query(float* x) const { transform(x, true); }
  // The stored vector as people know it: decoded and transformed back. Throws invalid_argument
  // when it was reduced.
  void decode(Id id, float* out) const;

  const AnyCodec& codec() const { return codec_; }
  // The row of codec() that a vector in memory is in: the id's own unless there is an order.
  Id row(Id id) const { return rows_of_.empty() ? id : rows_of_[id]; }
  bool has_order() const { return !rows_of_.empty(); }
  // Vectors in another order than their ids', such as list by list: row r is the vector of
  // order[r], and every id below size() is there once. in_order() makes a copy, which takes the
  // codes' place by take(). Throws as need_records.
  struct Ordered {
    AnyCodec codec;
    std::vector<Id> rows_of;
  };
  Ordered in_order(std::span<const Id> order, const Control& control) const;
  void take(Ordered ordered);
  // After load(): codes are in this order already.
  void set_order(std::span<const Id> order);
  std::string name() const;
  const std::string& codec_name() const { return codec_name_; }
  // Whether the name says so: "rabitq" codecs always are rotated.
  bool rotates() const { return rotation_.has_value() && rabitq_bits(codec_name_) == 0; }
  // Dimensions of queries, which a binariser of another model's vectors may read (Bits).
  std::size_t query_dim() const;
  // Throws invalid_argument where codes aren't made by a binariser, and what Bits does.
  void read_queries_by(std::shared_ptr<const Binariser> binariser);
  bool reads_other_queries() const;
  // Where such a query lies among the stored vectors (Bits::decode_query).
  void decode_query(const float* query, float* out) const;
  std::size_t reduced() const { return reduction_ ? reduction_->reduced() : 0; }
  // Whether vectors are kept as raw bytes (then cosine doesn't normalise them).
  bool keeps_bytes() const { return codec_name_ == "u8" || codec_name_ == "i8"; }
  std::size_t size() const;
  ByteCounts bytes(const std::string& prefix) const;

  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  // `on_disk`: the vectors are elsewhere; open_tier() says where.
  static Stage load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                    std::size_t rows, std::size_t dim, Metric metric, bool on_disk = false);

  static constexpr std::size_t kTrainRows = 50000;

 private:
  void transform(float* x, bool query) const;
  TierShape tier_shape() const;
  void encode_to_disk(const RowLoader& load, const Control& control);
  Matrix<float> sample(const AnyMatrixView& rows, std::uint64_t seed, const Control& control) const;

  std::string codec_name_;
  Metric metric_;
  std::size_t dim_;
  std::optional<LeanVec> reduction_;
  std::optional<Rotation> rotation_;
  AnyCodec codec_;
  std::vector<Id> rows_of_;  // by ids; empty: there is no order
  bool on_disk_ = false;
  std::size_t rows_ = 0;   // that are on disk
  std::string disk_path_;  // to make
  std::shared_ptr<TierFile> tier_;
};

// x / |x|; a zero vector stays zero. Returns the norm.
float normalise(float* x, std::size_t dim);

// A row as floats, of length 1 under cosine.
inline void load_row(const AnyMatrixView& rows, std::size_t row, Metric metric, float* out) {
  rows.copy_row(row, out);
  if (metric == Metric::cosine) normalise(out, rows.dim());
}

// Those rows likewise.
inline Matrix<float> load_rows(const AnyMatrixView& rows, std::span<const std::uint32_t> chosen,
                               Metric metric) {
  Matrix<float> copy(chosen.size(), rows.dim());
  for (std::size_t i = 0; i < chosen.size(); ++i) load_row(rows, chosen[i], metric, copy.row(i));
  return copy;
}

}  // namespace kith

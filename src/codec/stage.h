// A transform and a codec: one way of storing a collection. An index has one that it searches and
// may have a second that re-ranks. Turns rows of any element type into codes and queries into what
// the codec prepares.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/any.h"
#include "codec/rotation.h"
#include "codec/spec.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

class Stage {
 public:
  Stage(const std::string& codec, bool rotate, std::size_t dim, Metric metric, std::uint64_t seed);

  // Fixes what is learned from data on a sample of the rows (kTrainRows of them at most).
  void train(const AnyMatrixView& rows, std::uint64_t seed, const Control& control);
  // Appends all rows; under cosine they are normalised first (byte codecs keep their bytes).
  void append(const AnyMatrixView& rows, const Control& control);

  // A query (or row) as the codec wants it: normalised under cosine, then transformed. In place.
  void transform(float* x) const;
  // The stored vector as people know it: decoded and transformed back.
  void decode(Id id, float* out) const;

  const AnyCodec& codec() const { return codec_; }
  std::string name() const { return (rotates() ? "rot-" : "") + codec_name_; }
  const std::string& codec_name() const { return codec_name_; }
  // Whether the name says so: "rabitq" codecs always are rotated.
  bool rotates() const { return rotation_.has_value() && rabitq_bits(codec_name_) == 0; }
  // Whether vectors are kept as raw bytes (then cosine doesn't normalise them).
  bool keeps_bytes() const { return codec_name_ == "u8" || codec_name_ == "i8"; }
  std::size_t size() const;
  ByteCounts bytes(const std::string& prefix) const;

  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  static Stage load(const KithFileReader& reader, const Meta& meta, const std::string& prefix,
                    std::size_t rows, std::size_t dim, Metric metric);

  static constexpr std::size_t kTrainRows = 50000;

 private:
  std::string codec_name_;
  Metric metric_;
  std::size_t dim_;
  std::optional<Rotation> rotation_;
  AnyCodec codec_;
};

// x / |x|; a zero vector stays zero. Returns the norm.
float normalise(float* x, std::size_t dim);

// A row as floats, of length 1 under cosine.
inline void load_row(const AnyMatrixView& rows, std::size_t row, Metric metric, float* out) {
  rows.copy_row(row, out);
  if (metric == Metric::cosine) normalise(out, rows.dim());
}

}  // namespace kith

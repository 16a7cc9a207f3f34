// Codec names: one word a codec with its number ("f32", "lvq4x8", "rabitq2", "pq50", "opq50"), "-"
// for a transform before it ("rot-lvq4", "leanvec160-lvq8"), "+" for "re-ranked by"
// ("rot-lvq4+f16", "pq50+rot-lvq8"). "bits256x2" has 256 numbers of 2 bits, "vq16x8" 16 of 8 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kith {

struct CodecSpec {
  std::size_t reduced = 0;  // "leanvec160-": dimensions left by a learned reduction (leanvec.h)
  bool rotate = false;      // "rot-": a random orthogonal transform first (see rotation.h)
  std::string primary;      // what is searched: one of codec_names()
  std::string rerank;       // what re-ranks; empty: the primary's own best accuracy
  bool rotate_rerank = false;

  std::string name() const;
  // "pq50" and "opq50" have 50 parts; 0 for codecs that aren't product codes.
  std::size_t parts() const;
  // "opq50": with a learned rotation.
  bool optimised() const { return primary.starts_with("opq"); }
  // The re-ranking part alone.
  CodecSpec refining() const;
  // Throws invalid_argument naming the word that isn't known and those that are.
  static CodecSpec parse(std::string_view name);
};

// "f32, f16, ... lvq4x8, rabitqN with N = 1 to 8 bits", for messages and help.
std::string codec_names();
// Takes "leanvecN-" off the front of a name and returns N; 0 when something else is there.
std::size_t take_reduction(std::string_view& word);
// "bits256x2": codes by a learned binariser of so many dimensions and bits of each (1 unless
// given); "itq256", "signs256": of one bit (binariser.h).
struct BitsWord {
  enum class Kind : std::uint8_t { learned, itq, signs };
  Kind kind = Kind::learned;
  std::size_t dims = 0;
  int bits = 1;
};
std::optional<BitsWord> bits_word(std::string_view word);
std::string bits_name(std::size_t dims, int bits);

// "vq16x8": product codes of so many parts and bits of each (vq.h).
struct VqWord {
  std::size_t parts = 0;
  int bits = 8;
};
std::optional<VqWord> vq_word(std::string_view word);
std::string vq_name(std::size_t parts, int bits);

// 4 for "rabitq4"; 0 for other words. These codecs are rotated without being told to.
int rabitq_bits(std::string_view word);

}  // namespace kith

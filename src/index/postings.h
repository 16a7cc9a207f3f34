// The lists of an inverted index: for every term the documents that hold it, ascending, each with
// what its weight is computed from. A list takes one of two forms.
//
// Frequent terms (kWindowed postings or more a window on average) are cut at windows of 256
// documents. Within a window a document is one byte, so scoring needs no decoding at all, and one
// byte a window bounds the weights in it, which tells most windows apart from those that can hold a
// best document (Mallia, Suel and Tonellotto, "Faster Learned Sparse Retrieval with Block-Max
// Pruning", 2024).
//
// Others are packed, in blocks of 128: the gaps between documents in as many bits as the widest
// needs. They are decoded whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/storage.h"
#include "formats/kith_file.h"
#include "kith/control.h"
#include "kith/sparse.h"
#include "simd/postings.h"

namespace kith {

using simd::kWindow;
inline constexpr std::size_t kBlock = 128;        // postings packed together
inline constexpr std::size_t kWindowed = 2;       // postings a window from which a list is cut
inline constexpr std::size_t kWindowGroup = 256;  // windows whose starts count from the same place

// What is kept of a posting: BM25's count (at most 255), or the weight itself.
enum class Payload : std::uint8_t { counts = 0, f32 = 1, f16 = 2, u8 = 3 };
std::string_view name(Payload payload);
Payload parse_payload(std::string_view text);  // throws invalid_argument naming the choices
constexpr std::size_t payload_bytes(Payload payload) {
  return payload == Payload::f32 ? 4 : payload == Payload::f16 ? 2 : 1;
}

// A count's weight is count / (count + base + slope * length of its document).
struct LengthNorm {
  float base = 0, slope = 0;
};

// The lists as plain arrays: list t is [starts[t], starts[t + 1]).
struct PlainPostings {
  std::vector<std::uint64_t> starts;
  std::vector<Id> docs;
  std::vector<float> weights;  // or counts
};

// Where the parts of a windowed list lie.
struct WindowedList {
  const std::byte* group_starts;  // uint32 a group of windows
  const std::byte* starts;        // uint16 a window, counted from its group's start
  const std::uint8_t* bounds;     // a window: no weight in it exceeds bound * step
  const std::uint8_t* places;     // a posting: the document within its window
  const std::byte* payload;
};

class Postings {
 public:
  explicit Postings(Payload payload) : payload_(payload) {}

  // `lengths` (one a document) and `norm` matter for counts only.
  static Postings encode(const PlainPostings& plain, std::size_t docs, Payload payload,
                         std::span<const std::uint32_t> lengths, LengthNorm norm,
                         const Control& control);
  static Postings load(const KithFileReader& reader, const Meta& meta, std::size_t docs);
  void save(KithFileWriter& writer, Meta& meta) const;
  // Every list in full, with `more` rows' postings behind it as documents from docs() on. Throws
  // invalid_argument for a term twice in a row.
  PlainPostings decode_and_append(const SparseView& more, const Control& control) const;

  Payload payload() const { return payload_; }
  std::size_t docs() const { return docs_; }
  std::size_t terms() const { return terms_; }  // all are below
  std::size_t size() const { return size_; }
  std::size_t windows() const { return (docs_ + kWindow - 1) / kWindow; }
  std::size_t used_terms() const;
  std::vector<std::pair<std::string, std::size_t>> bytes() const;

  std::size_t count(Term term) const { return counts_.as<std::uint32_t>()[term] & ~kWindowedBit; }
  bool windowed(Term term) const { return (counts_.as<std::uint32_t>()[term] & kWindowedBit) != 0; }
  // No weight of the list exceeds kMostCode * step(term).
  float step(Term term) const { return steps_.as<float>()[term]; }
  static constexpr float kMostCode = 255;

  // Of a windowed list. Safe for any content: see window_range.
  WindowedList windows_of(Term term) const;
  // The postings of a window, at most kWindow.
  std::pair<std::size_t, std::size_t> window_range(const WindowedList& list, std::size_t count,
                                                   std::size_t window) const;

  // A whole list, of either form: `docs` and `payload` (payload_bytes a posting) have room for
  // count(term) and kPostingsSlack more. Throws corrupt.
  void decode(Term term, Id* docs, std::byte* payload) const;

 private:
  static constexpr std::uint32_t kWindowedBit = 0x80000000u;

  [[noreturn]] static void fail(Term term);
  std::span<const std::byte> list(Term term) const;

  Payload payload_;
  std::size_t docs_ = 0, terms_ = 0, size_ = 0;
  Storage counts_;  // uint32 a term
  Storage starts_;  // uint64 a term and one more
  Storage steps_;   // float a term
  Storage lists_;   // and kSlackBytes
};

}  // namespace kith

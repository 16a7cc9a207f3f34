#include "text/letters.h"

#include <algorithm>
#include <array>

namespace kith::text {
namespace {

struct WordRange {
  std::uint32_t first, last;
  CharKind kind;
};
struct LowerRange {
  std::uint32_t first, last;
  std::int32_t delta;
  std::uint32_t step;  // 2: every second code point
};

#include "text/letters_table.inc"

// The last range that begins at or before `code`; null when there is none.
template <class Range, std::size_t size>
const Range* range_of(const Range (&ranges)[size], char32_t code) {
  const auto* after =
      std::upper_bound(std::begin(ranges), std::end(ranges), code,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after == std::begin(ranges) || (after - 1)->last < code ? nullptr : after - 1;
}

constexpr bool is_ascii_letter(char32_t code) {
  return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
         (code >= '0' && code <= '9');
}

}  // namespace

CharKind kind_of(char32_t code) {
  if (code < 0x80) return is_ascii_letter(code) ? CharKind::letter : CharKind::other;
  const WordRange* const range = range_of(kWordRanges, code);
  return range == nullptr ? CharKind::other : range->kind;
}

char32_t lower(char32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  const LowerRange* const range = range_of(kLowerRanges, code);
  if (range == nullptr || (code - range->first) % range->step != 0) return code;
  return static_cast<char32_t>(static_cast<std::int32_t>(code) + range->delta);
}

}  // namespace kith::text

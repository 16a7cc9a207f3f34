#include "text/tokenizer/windows.h"

#include <algorithm>

#include "kith/error.h"

namespace kith::tokenizer {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ErrorCode::invalid_argument, "truncation: " + reason);
}

Side side_of(const Json& node) {
  return node.word("direction", {"Right", "Left"}, 0) == 0 ? Side::right : Side::left;
}

template <class T>
void fill(std::vector<T>& values, std::size_t count, T value, Side side) {
  values.insert(side == Side::right ? values.end() : values.begin(), count, value);
}

}  // namespace

std::optional<Truncation> read_truncation(const Json& node) {
  if (node.is_null()) return std::nullopt;
  Truncation truncation;
  truncation.max_length = node.required("max_length").whole();
  truncation.strategy = static_cast<Truncation::Strategy>(
      node.word("strategy", {"LongestFirst", "OnlyFirst", "OnlySecond"}, 0));
  truncation.stride = node.whole("stride", 0);
  truncation.side = side_of(node);
  return truncation;
}

std::optional<Padding> read_padding(const Json& node) {
  if (node.is_null()) return std::nullopt;
  Padding padding;
  const Json strategy = node.member("strategy");
  if (strategy.raw().is_object()) {
    padding.length = strategy.required("Fixed").whole();
  } else {
    node.word("strategy", {"BatchLongest"}, 0);
  }
  padding.multiple_of = std::max<std::size_t>(1, node.whole("pad_to_multiple_of", 1));
  padding.side = side_of(node);
  padding.id = node.whole("pad_id", 0);
  padding.type = node.whole("pad_type_id", 0);
  return padding;
}

Lengths truncated_lengths(Lengths lengths, std::size_t most, Truncation::Strategy strategy) {
  const std::size_t all = lengths.first + lengths.second;
  if (all <= most) return lengths;
  if (strategy == Truncation::Strategy::longest_first) {
    // The shorter stays whole while it takes no more than half.
    const std::size_t half = most / 2, shorter = std::min(lengths.first, lengths.second);
    const std::size_t small = std::min(shorter, half);
    if (lengths.first <= lengths.second) return {small, most - small};
    return {most - small, small};
  }
  const bool first = strategy == Truncation::Strategy::only_first;
  std::size_t& cut = first ? lengths.first : lengths.second;
  if (cut <= all - most) {
    refuse("the " + std::string(first ? "first" : "second") + " text has " + std::to_string(cut) +
           " tokens, too few to cut " + std::to_string(all - most));
  }
  cut -= all - most;
  return lengths;
}

std::vector<std::span<const TokenId>> windows(std::span<const TokenId> ids, std::size_t length,
                                              std::size_t stride, Side side) {
  if (ids.size() <= length) return {ids};
  if (length == 0) return {ids.first(0), ids};
  if (stride >= length) {
    refuse("a stride of " + std::to_string(stride) + ", expected less than the " +
           std::to_string(length) + " tokens that remain for a text");
  }
  std::vector<std::span<const TokenId>> found;
  const std::size_t step = length - stride;
  for (std::size_t done = 0;; done += step) {
    const std::size_t size = std::min(length, ids.size() - done);
    found.push_back(ids.subspan(side == Side::right ? done : ids.size() - done - size, size));
    if (done + size == ids.size()) return found;
  }
}

void pad(std::span<Encoding> encodings, const Padding& padding) {
  std::size_t length = padding.length.value_or(0);
  for (const Encoding& encoding : encodings) {
    if (!padding.length) length = std::max(length, encoding.ids.size());
  }
  length = (length + padding.multiple_of - 1) / padding.multiple_of * padding.multiple_of;
  Padding same = padding;
  same.length = length;
  same.multiple_of = 1;
  for (Encoding& encoding : encodings) {
    if (!encoding.overflow.empty()) pad(encoding.overflow, same);
    if (encoding.ids.size() >= length) continue;
    const std::size_t lack = length - encoding.ids.size();
    fill(encoding.ids, lack, padding.id, padding.side);
    fill(encoding.types, lack, padding.type, padding.side);
    fill<std::uint8_t>(encoding.attention, lack, 0, padding.side);
    fill<std::uint8_t>(encoding.special, lack, 1, padding.side);
  }
}

}  // namespace kith::tokenizer

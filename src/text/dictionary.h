// Terms as text <-> numbers: each new term gets the next number. An open-addressing hash table over
// a list of strings; both may lie in a mapped file, and are copied by the first change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/storage.h"
#include "kith/sparse.h"

namespace kith::text {

class Dictionary {
 public:
  Dictionary();
  // From their bytes, after checks that make every look-up safe; throws corrupt, naming sections
  // that begin with `name`.
  Dictionary(Storage offsets, Storage text, Storage slots, const char* name = "words");
  Dictionary clone() const;

  std::size_t size() const { return offsets_.size() / sizeof(std::uint64_t) - 1; }
  std::string_view operator[](Term term) const {
    const auto* offsets = offsets_.as<std::uint64_t>();
    return {text_.as<char>() + offsets[term], offsets[term + 1] - offsets[term]};
  }
  std::optional<Term> find(std::string_view term) const;
  Term add(std::string_view term);  // its number, new or known

  std::span<const std::byte> offset_bytes() const { return offsets_.bytes(); }
  std::span<const std::byte> text_bytes() const { return text_.bytes(); }
  std::span<const std::byte> slot_bytes() const { return slots_.bytes(); }

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffffu;

  std::size_t slot_count() const { return slots_.size() / sizeof(std::uint32_t); }
  std::size_t slot_of(std::string_view term) const;  // where it is or would be
  void grow();

  Storage offsets_;  // uint64 a term and one more
  Storage text_;
  Storage slots_;  // uint32, a power of two of them
};

}  // namespace kith::text

// The names people know their vectors by: nothing (the row number), 64-bit numbers, or strings.
// A Labels is a cheap, immutable, shareable handle; its bytes may live in a mapped file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kith {

class Labels {
 public:
  enum class Kind : std::uint8_t { none = 0, numbers = 1, strings = 2 };

  Labels() = default;  // none: a vector's label is its row number
  explicit Labels(std::vector<std::uint64_t> numbers);
  explicit Labels(const std::vector<std::string>& strings);
  // Bytes that `owner` keeps alive: string i is text[offsets[i], offsets[i + 1]). Offsets must
  // ascend and end at text.size(); throws invalid_argument otherwise.
  static Labels numbers_view(std::span<const std::uint64_t> numbers,
                             std::shared_ptr<const void> owner);
  static Labels strings_view(std::span<const std::uint64_t> offsets, std::string_view text,
                             std::shared_ptr<const void> owner);

  Kind kind() const { return kind_; }
  std::size_t size() const { return size_; }  // 0 for none

  std::uint64_t number(std::size_t i) const { return numbers_[i]; }
  std::string_view string(std::size_t i) const {
    return text_.substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  // What to print for row i, whatever the kind.
  std::string text(std::size_t i) const;
  // The first row from `from` on that bears the label, by scanning; for none, the row number if
  // below `rows`.
  std::optional<std::size_t> find(std::string_view label, std::size_t rows,
                                  std::size_t from = 0) const;

  std::span<const std::uint64_t> numbers() const { return numbers_; }
  std::span<const std::uint64_t> offsets() const { return offsets_; }
  std::string_view bytes() const { return text_; }

  // The labels of the given rows, in that order.
  Labels select(std::span<const std::uint32_t> rows) const;
  // These labels of `rows` vectors, but tail's label i for row rows_of_tail[i], which may lie
  // beyond them. Where only one side has labels, the other's row numbers become numbers or strings.
  Labels with(std::size_t rows, std::span<const std::uint32_t> rows_of_tail,
              const Labels& tail) const;

 private:
  Kind kind_ = Kind::none;
  std::size_t size_ = 0;
  std::span<const std::uint64_t> numbers_;
  std::span<const std::uint64_t> offsets_;
  std::string_view text_;
  std::shared_ptr<const void> owner_;
};

}  // namespace kith

#include "kith/labels.h"

#include <algorithm>
#include <charconv>

#include "kith/error.h"

namespace kith {

namespace {

struct OwnedStrings {
  std::vector<std::uint64_t> offsets{0};
  std::string text;
  void add(std::string_view s) {
    text.append(s);
    offsets.push_back(text.size());
  }
};

Labels from_owned(std::shared_ptr<OwnedStrings> owned) {
  const OwnedStrings& strings = *owned;
  return Labels::strings_view(strings.offsets, strings.text, std::move(owned));
}

}  // namespace

Labels::Labels(std::vector<std::uint64_t> numbers) {
  auto owned = std::make_shared<std::vector<std::uint64_t>>(std::move(numbers));
  *this = numbers_view(*owned, owned);
}

Labels::Labels(const std::vector<std::string>& strings) {
  auto owned = std::make_shared<OwnedStrings>();
  for (const std::string& s : strings) owned->add(s);
  *this = from_owned(std::move(owned));
}

Labels Labels::numbers_view(std::span<const std::uint64_t> numbers,
                            std::shared_ptr<const void> owner) {
  Labels labels;
  labels.kind_ = Kind::numbers;
  labels.size_ = numbers.size();
  labels.numbers_ = numbers;
  labels.owner_ = std::move(owner);
  return labels;
}

Labels Labels::strings_view(std::span<const std::uint64_t> offsets, std::string_view text,
                            std::shared_ptr<const void> owner) {
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != text.size()) {
    throw Error(ErrorCode::invalid_argument, "labels: offsets don't cover the text");
  }
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) {
      throw Error(ErrorCode::invalid_argument,
                  "labels: offset " + std::to_string(i) + " is below the one before it");
    }
  }
  Labels labels;
  labels.kind_ = Kind::strings;
  labels.size_ = offsets.size() - 1;
  labels.offsets_ = offsets;
  labels.text_ = text;
  labels.owner_ = std::move(owner);
  return labels;
}

std::string Labels::text(std::size_t i) const {
  switch (kind_) {
    case Kind::numbers:
      return std::to_string(number(i));
    case Kind::strings:
      return std::string(string(i));
    case Kind::none:
      break;
  }
  return std::to_string(i);
}

std::optional<std::size_t> Labels::find(std::string_view label, std::size_t rows,
                                        std::size_t from) const {
  if (kind_ == Kind::strings) {
    for (std::size_t i = from; i < size_; ++i) {
      if (string(i) == label) return i;
    }
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  if (error != std::errc{} || end != label.data() + label.size()) return std::nullopt;
  if (kind_ == Kind::none) {
    return number < rows && number >= from ? std::optional<std::size_t>(number) : std::nullopt;
  }
  for (std::size_t i = from; i < size_; ++i) {
    if (numbers_[i] == number) return i;
  }
  return std::nullopt;
}

Labels Labels::select(std::span<const std::uint32_t> rows) const {
  if (kind_ == Kind::strings) {
    auto owned = std::make_shared<OwnedStrings>();
    for (std::uint32_t row : rows) owned->add(string(row));
    return from_owned(std::move(owned));
  }
  std::vector<std::uint64_t> numbers;
  for (std::uint32_t row : rows) numbers.push_back(kind_ == Kind::none ? row : number(row));
  return Labels(std::move(numbers));
}

Labels Labels::with(std::size_t rows, std::span<const std::uint32_t> rows_of_tail,
                    const Labels& tail) const {
  if (kind_ == Kind::none && tail.kind_ == Kind::none) return Labels();
  constexpr std::uint32_t kOwn = static_cast<std::uint32_t>(-1);
  for (std::uint32_t row : rows_of_tail) rows = std::max(rows, std::size_t{row} + 1);
  std::vector<std::uint32_t> source(rows, kOwn);
  for (std::size_t i = 0; i < rows_of_tail.size(); ++i) {
    source[rows_of_tail[i]] = static_cast<std::uint32_t>(i);
  }
  const auto row_of = [&](std::size_t row) { return source[row] == kOwn ? row : source[row]; };
  if (kind_ == Kind::strings || tail.kind_ == Kind::strings) {
    auto owned = std::make_shared<OwnedStrings>();
    for (std::size_t row = 0; row < rows; ++row) {
      const Labels& from = source[row] == kOwn ? *this : tail;
      if (from.kind_ == Kind::strings) {
        owned->add(from.string(row_of(row)));
      } else {
        owned->add(from.kind_ == Kind::none ? std::to_string(row) : from.text(row_of(row)));
      }
    }
    return from_owned(std::move(owned));
  }
  std::vector<std::uint64_t> numbers(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const Labels& from = source[row] == kOwn ? *this : tail;
    numbers[row] = from.kind_ == Kind::none ? row : from.number(row_of(row));
  }
  return Labels(std::move(numbers));
}

}  // namespace kith

#include "formats/words.h"

#include <charconv>
#include <unordered_map>

#include "kith/error.h"

namespace kith::formats {
namespace {

bool usual_number(std::string_view word, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc{} && end == word.data() + word.size();
  return whole && (word.size() == 1 || word[0] != '0');
}

template <class Key, class KeyOf>
std::optional<std::pair<std::size_t, std::size_t>> first_repeated_key(std::size_t count,
                                                                      const KeyOf& key_of) {
  std::unordered_map<Key, std::size_t> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [at, fresh] = rows.try_emplace(key_of(i), i);
    if (!fresh) return std::pair(at->second, i);
  }
  return std::nullopt;
}

}  // namespace

void WordList::reserve(std::size_t words, std::size_t bytes) {
  owned_->offsets.reserve(words + 1);
  owned_->text.reserve(bytes);
}

void WordList::add(std::string_view word) {
  owned_->text.append(word);
  owned_->offsets.push_back(owned_->text.size());
}

Labels WordList::labels() const {
  Labels words = strings();
  std::vector<std::uint64_t> numbers(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!usual_number(words.string(i), numbers[i])) return words;
  }
  return Labels(std::move(numbers));
}

Labels WordList::strings() const {
  return Labels::strings_view(owned_->offsets, owned_->text, owned_);
}

std::optional<std::pair<std::size_t, std::size_t>> first_repeat(const Labels& labels) {
  if (labels.kind() == Labels::Kind::numbers) {
    return first_repeated_key<std::uint64_t>(labels.size(),
                                             [&](std::size_t i) { return labels.number(i); });
  }
  return first_repeated_key<std::string_view>(labels.size(),
                                              [&](std::size_t i) { return labels.string(i); });
}

void check_words(const Labels& labels, std::string_view format) {
  const auto refuse = [&](std::size_t row, const std::string& reason) {
    throw Error(ErrorCode::unsupported, "label of row " + std::to_string(row) + ", '" +
                                            labels.text(row) + "', " + reason + "; " +
                                            std::string(format) + " can't hold it");
  };
  if (labels.kind() == Labels::Kind::strings) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::string_view word = labels.string(i);
      if (word.empty()) refuse(i, "is empty");
      if (word.find_first_of(" \t\r\n") != std::string_view::npos) refuse(i, "holds white space");
    }
  }
  if (labels.kind() == Labels::Kind::none) return;
  if (const auto repeat = first_repeat(labels)) {
    refuse(repeat->second, "is that of row " + std::to_string(repeat->first) + " as well");
  }
}

}  // namespace kith::formats

// Words as labels: collecting them, telling numbers from words, and finding one that comes twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kith/labels.h"

namespace kith::formats {

// Collects words, one a row, into labels that own them.
class WordList {
 public:
  void reserve(std::size_t words, std::size_t bytes);
  void add(std::string_view word);
  std::size_t size() const { return owned_->offsets.size() - 1; }

  // Numbers when every word is a 64-bit number in its usual spelling, else strings.
  Labels labels() const;
  // Strings, whatever they look like.
  Labels strings() const;

 private:
  struct Owned {
    std::vector<std::uint64_t> offsets{0};
    std::string text;
  };
  std::shared_ptr<Owned> owned_ = std::make_shared<Owned>();
};

// The first label that an earlier row bears already: (earlier row, this row).
std::optional<std::pair<std::size_t, std::size_t>> first_repeat(const Labels& labels);

// Throws unsupported when labels can't be words of a word-vector file: empty, holding white space,
// or not distinct. `format` is named in the message.
void check_words(const Labels& labels, std::string_view format);

}  // namespace kith::formats

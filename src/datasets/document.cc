#include "datasets/document.h"

#include <algorithm>
#include <string_view>

#include "datasets/split.h"
#include "formats/lines.h"

namespace kith::datasets {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "7.6. Limits" -> "Limits", "Chapter 7. Queries" -> "Queries", "B.2 Dates" -> "Dates"; what is a
// number alone stays.
std::string without_number(std::string_view heading) {
  std::string_view rest = heading;
  for (const std::string_view word : {"Chapter ", "Appendix ", "Part "}) {
    if (rest.starts_with(word)) rest.remove_prefix(word.size());
  }
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view number = rest.substr(0, end);
  const bool dotted = number.find('.') != number.npos;
  const bool counts =
      !number.empty() && dotted && std::all_of(number.begin(), number.end(), [&](char c) {
        return is_digit(c) || c == '.' || (c >= 'A' && c <= 'Z' && end <= 8);
      });
  // Capitals are a number's only at its beginning: "B.2", but not "A.P.I".
  const bool letters =
      std::count_if(number.begin(), number.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) > 1;
  if (!counts || letters || end == rest.size()) return std::string(heading);
  return squeeze(rest.substr(end));
}

class Collector {
 public:
  explicit Collector(std::size_t most_letters) : most_letters_(most_letters) {}

  void add(const Block& block) {
    if (block.level == 0) return add_paragraph(block.text);
    finish();
    while (!levels_.empty() && levels_.back() >= block.level) {
      levels_.pop_back();
      path_.pop_back();
    }
    levels_.push_back(block.level);
    path_.push_back(without_number(block.text));
  }

  std::vector<Passage> take() {
    finish();
    return std::move(found_);
  }

 private:
  void add_paragraph(const std::string& text) {
    if (full_) return;
    full_ = !text_.empty() && text_.size() + text.size() > most_letters_;
    if (!full_) text_ += (text_.empty() ? "" : "\n") + text;
  }

  void finish() {
    if (!text_.empty() && !path_.empty()) found_.push_back({path_, std::move(text_)});
    text_.clear();
    full_ = false;
  }

  const std::size_t most_letters_;
  std::vector<int> levels_;
  std::vector<std::string> path_;
  std::string text_;
  bool full_ = false;
  std::vector<Passage> found_;
};

}  // namespace

std::vector<Passage> passages(const std::vector<Block>& blocks, std::size_t most_letters) {
  Collector collector(most_letters);
  for (const Block& block : blocks) collector.add(block);
  return collector.take();
}

std::string joined_path(const Passage& passage) {
  std::string joined;
  for (const std::string& heading : passage.path) joined += (joined.empty() ? "" : ": ") + heading;
  return joined;
}

std::string shortened(const std::string& text, std::size_t most_letters) {
  if (text.size() <= most_letters) return text;
  const std::string fits = text.substr(0, most_letters + 1);
  const std::size_t sentence = fits.rfind(". "), word = fits.rfind(' ');
  // A sentence that ends in the first half would leave out most of what fits.
  if (sentence != fits.npos && sentence >= most_letters / 2) return fits.substr(0, sentence + 1);
  std::size_t end = word != fits.npos && word > 0 ? word : most_letters;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // in a letter
  return fits.substr(0, std::max<std::size_t>(end, 1));
}

std::vector<std::string> pieces(std::string_view text, std::size_t most_letters) {
  std::vector<std::string> found;
  std::string piece, paragraph;
  const auto finish_piece = [&] {
    if (!piece.empty()) found.push_back(std::move(piece));
    piece.clear();
  };
  const auto finish_paragraph = [&] {
    std::string rest = squeeze(paragraph);
    paragraph.clear();
    if (piece.size() + rest.size() > most_letters) finish_piece();
    while (rest.size() > most_letters) {
      found.push_back(shortened(rest, most_letters));
      rest = squeeze(std::string_view(rest).substr(found.back().size()));
    }
    if (!rest.empty()) piece += (piece.empty() ? "" : "\n") + rest;
  };
  formats::for_each_line(text, [&](std::string_view line, std::size_t, std::size_t) {
    if (squeeze(line).empty()) return finish_paragraph();
    paragraph.append(line).append(" ");
  });
  finish_paragraph();
  finish_piece();
  return found;
}

}  // namespace kith::datasets

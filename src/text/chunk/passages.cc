#include "kith/passages.h"

#include <algorithm>
#include <string>

#include "kith/error.h"
#include "kith/tokenizer.h"
#include "text/chunk/breaks.h"
#include "text/tokenizer/unicode.h"

namespace kith {
namespace {

enum class End : unsigned char { word, sentence, paragraph };

// The smallest part that passages are made of: a word with the spaces after it, or, of a word that
// is longer than a passage, some of its graphemes.
struct Atom {
  std::size_t begin, end;
  std::size_t cost;
  End kind = End::word;  // what ends with it
};

class Cutter {
 public:
  Cutter(std::string_view text, const PassageOptions& options) : text_(text), options_(options) {
    for (const TextRange paragraph : paragraphs(text)) {
      const std::size_t first = atoms_.size();
      add_atoms(paragraph);
      mark_sentences(paragraph, first);
      if (atoms_.size() > first) atoms_.back().kind = End::paragraph;
    }
  }

  std::vector<TextRange> passages() {
    sums_.assign(1, 0);
    for (const Atom& atom : atoms_) sums_.push_back(sums_.back() + atom.cost);
    std::vector<TextRange> found;
    for (std::size_t from = 0, to = 0; to < atoms_.size();) {
      std::size_t end = passage_end(from, to);
      if (end == to) end = passage_end(from = to, to);  // what it would repeat leaves no room
      found.push_back(chunk::trimmed(text_, {atoms_[from].begin, atoms_[end - 1].end}));
      from = next_begin(from, end);
      to = end;
    }
    return found;
  }

 private:
  std::size_t cost(TextRange range) const {
    const std::string_view part = range.of(text_);
    if (options_.tokenizer != nullptr) {
      return options_.tokenizer->encode(part, {.special_tokens = false, .use_file = false})
          .ids.size();
    }
    for (std::size_t at = 0; at < part.size();) {
      if (tokenizer::is_word(tokenizer::next_code_point(part, at))) return 1;
    }
    return 0;
  }

  void add_atoms(TextRange paragraph) {
    std::size_t begin = paragraph.begin;
    for (const std::size_t length : chunk::ends(paragraph.of(text_), chunk::Break::line)) {
      const std::size_t end = paragraph.begin + length;
      const TextRange word = chunk::trimmed(text_, {begin, end});
      if (cost(word) <= options_.length) {
        add_atom({begin, end});
      } else {
        add_graphemes({begin, end});
      }
      begin = end;
    }
  }

  // White space alone belongs to the atom before it.
  void add_atom(TextRange range) {
    const TextRange word = chunk::trimmed(text_, range);
    if (word.begin < word.end) {
      atoms_.push_back({range.begin, range.end, cost(word)});
    } else if (!atoms_.empty()) {
      atoms_.back().end = range.end;
    }
  }

  // Of a word that is too long, as many graphemes at a time as fit.
  void add_graphemes(TextRange word) {
    std::size_t begin = word.begin, end = word.begin;
    for (const std::uint32_t length : tokenizer::grapheme_ends(word.of(text_))) {
      const std::size_t next = word.begin + length;
      if (end > begin && cost(chunk::trimmed(text_, {begin, next})) > options_.length) {
        add_atom({begin, end});
        begin = end;
      }
      end = next;
    }
    add_atom({begin, end});
  }

  void mark_sentences(TextRange paragraph, std::size_t first) {
    std::size_t atom = first;
    for (const std::size_t length : chunk::ends(paragraph.of(text_), chunk::Break::sentence)) {
      const std::size_t end = paragraph.begin + length;
      while (atom < atoms_.size() && atoms_[atom].end < end) ++atom;
      if (atom < atoms_.size() && atoms_[atom].end == end) atoms_[atom].kind = End::sentence;
    }
  }

  bool fits(std::size_t from, std::size_t to, std::size_t most) const {
    if (options_.tokenizer == nullptr) return sums_[to] - sums_[from] <= most;
    return cost({atoms_[from].begin, atoms_[to - 1].end}) <= most;  // words together may be fewer
  }

  // The most atoms that fit, at least one: looked for from what their own costs say.
  std::size_t longest(std::size_t from) const {
    const auto over = std::upper_bound(sums_.begin() + static_cast<std::ptrdiff_t>(from),
                                       sums_.end(), sums_[from] + options_.length);
    const auto guess = static_cast<std::size_t>(over - sums_.begin()) - 1;
    std::size_t good = from + 1, bad = atoms_.size() + 1, at = std::max(guess, good);
    if (fits(from, at, options_.length)) {
      good = at;
      for (std::size_t step = 1; good < atoms_.size(); step *= 2) {
        at = std::min(atoms_.size(), good + step);
        if (!fits(from, at, options_.length)) {
          bad = at;
          break;
        }
        good = at;
      }
    } else {
      bad = at;
      for (std::size_t step = 1; bad - good > step; step *= 2) {
        at = bad - step;
        if (fits(from, at, options_.length)) {
          good = at;
          break;
        }
        bad = at;
      }
    }
    while (bad > good + 1) {
      const std::size_t middle = good + (bad - good) / 2;
      (fits(from, middle, options_.length) ? good : bad) = middle;
    }
    return good;
  }

  // One past the last atom of the passage that begins with `from`; `after` if it can't get further.
  std::size_t passage_end(std::size_t from, std::size_t after) const {
    const std::size_t most = longest(from);
    if (most <= after) return after;
    if (most == atoms_.size()) return most;
    for (const End kind : {End::paragraph, End::sentence}) {
      for (std::size_t end = most; end > std::max(from, after); --end) {
        if ((sums_[end] - sums_[from]) * 2 < sums_[most] - sums_[from]) break;
        if (atoms_[end - 1].kind >= kind) return end;
      }
    }
    return most;
  }

  // Where the passage after [from, to) begins.
  std::size_t next_begin(std::size_t from, std::size_t to) const {
    std::size_t begin = to;
    while (begin > from + 1 && sums_[to] - sums_[begin - 1] <= options_.overlap) --begin;
    while (begin < to && !fits(begin, to, options_.overlap)) ++begin;
    for (std::size_t at = begin; at < to; ++at) {
      if (atoms_[at - 1].kind != End::word) return at;  // begin is above 0
    }
    return begin;
  }

  std::string_view text_;
  const PassageOptions& options_;
  std::vector<Atom> atoms_;
  std::vector<std::size_t> sums_;  // of the costs before each atom
};

}  // namespace

std::vector<TextRange> passages(std::string_view text, const PassageOptions& options) {
  if (options.overlap >= options.length) {
    throw Error(ErrorCode::invalid_argument,
                "passages: an overlap of " + std::to_string(options.overlap) +
                    ", expected less than the length, " + std::to_string(options.length));
  }
  return Cutter(text, options).passages();
}

}  // namespace kith

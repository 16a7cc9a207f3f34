#include "text/tokenizer/learn_pieces.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"
#include "text/tokenizer/letter_counts.h"
#include "text/tokenizer/trie.h"

namespace kith::tokenizer {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();
// Words are summed in so many blocks, whose sums are added in their order: floating-point sums must
// not depend on threads.
constexpr std::size_t kBlocks = 8;
constexpr std::size_t kOften = 256;      // words between looks at the flag that cancels
constexpr std::size_t kRounds = 2;       // of expectation maximisation before each pruning
constexpr double kShrink = 0.75;         // share that a pruning keeps
constexpr double kSpare = 1.1;           // of the vocabulary, where pruning by loss ends
constexpr double kLeastUses = 0.5;       // SentencePiece's: a piece expected less often goes
constexpr double kSmallestCount = 1e-9;  // for the logarithm of a letter that is never used

double log_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNone ? a : a + std::log1p(std::exp(b - a));
}

// The pieces of a vocabulary, found in words.
class PieceFinder {
 public:
  explicit PieceFinder(std::span<const ScoredPiece> pieces) : pieces_(pieces) {
    for (std::uint32_t i = 0; i < pieces.size(); ++i) trie_.add(pieces[i].text, i);
  }
  std::size_t size() const { return pieces_.size(); }
  double score(std::uint32_t piece) const { return pieces_[piece].score; }

  // Calls use(end, piece) for the pieces that begin at `at`, the shortest first.
  template <class Use>
  void for_each_at(std::string_view word, std::size_t at, const Use& use) const {
    Trie::Node node = Trie::kRoot;
    for (std::size_t end = at; end < word.size();) {
      node = trie_.step(node, word[end++]);
      if (node == Trie::kNowhere) return;
      if (trie_.value(node) != Trie::kNoValue) use(end, trie_.value(node));
    }
  }

  // The pieces of the most probable cut, without `forbidden`; empty when there is none.
  std::vector<std::uint32_t> best_cut(std::string_view word,
                                      std::uint32_t forbidden = Trie::kNoValue) const {
    struct Step {
      double score = kNone;
      std::size_t begin = 0;
      std::uint32_t piece = 0;
    };
    std::vector<Step> steps(word.size() + 1);
    steps[0].score = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
      if (steps[at].score == kNone) continue;
      for_each_at(word, at, [&](std::size_t end, std::uint32_t piece) {
        const double score = steps[at].score + pieces_[piece].score;
        if (piece != forbidden && score > steps[end].score) steps[end] = {score, at, piece};
      });
    }
    std::vector<std::uint32_t> cut;
    if (steps.back().score == kNone) return cut;
    for (std::size_t end = word.size(); end > 0; end = steps[end].begin) {
      cut.push_back(steps[end].piece);
    }
    std::reverse(cut.begin(), cut.end());
    return cut;
  }

  // Adds what a word that occurs so often is expected to use (forward-backward).
  void add_expected(const CountedWord& word, Expectation& sums) const {
    const std::string_view text = word.text;
    std::vector<double> before(text.size() + 1, kNone), after(text.size() + 1, kNone);
    before[0] = after[text.size()] = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (before[at] == kNone) continue;
      for_each_at(text, at, [&](std::size_t end, std::uint32_t piece) {
        before[end] = log_sum(before[end], before[at] + pieces_[piece].score);
      });
    }
    const double all = before[text.size()];
    if (all == kNone) return;
    const auto count = static_cast<double>(word.count);
    for (std::size_t at = text.size(); at-- > 0;) {
      for_each_at(text, at, [&](std::size_t end, std::uint32_t piece) {
        const double rest = pieces_[piece].score + after[end];
        after[at] = log_sum(after[at], rest);
        if (before[at] == kNone || rest == kNone) return;
        sums.uses[piece] += count * std::exp(before[at] + rest - all);
      });
    }
    sums.likelihood += count * all;
  }

 private:
  std::span<const ScoredPiece> pieces_;
  Trie trie_;
};

// Runs add(word, sums) over all words and adds up the blocks' sums.
template <class Add>
Expectation summed(std::span<const CountedWord> words, std::size_t pieces, const Control& control,
                   const Add& add) {
  std::array<Expectation, kBlocks> blocks;
  parallel_for(control, kBlocks, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t b = begin; b < end; ++b) {
      blocks[b].uses.assign(pieces, 0);
      for (std::size_t i = words.size() * b / kBlocks; i < words.size() * (b + 1) / kBlocks; ++i) {
        if (i % kOften == 0) throw_if_cancelled(control);
        add(words[i], blocks[b]);
      }
    }
  });
  Expectation sums{std::vector<double>(pieces, 0), 0};
  for (const Expectation& block : blocks) {
    for (std::size_t p = 0; p < pieces; ++p) sums.uses[p] += block.uses[p];
    sums.likelihood += block.likelihood;
  }
  return sums;
}

class PieceLearner {
 public:
  PieceLearner(std::span<const CountedWord> words, const PieceOptions& options)
      : words_(words),
        options_(options),
        control_(without_progress(options.control)),
        letters_(kept_letters(words, options.most_letters)) {
    if (letters_.size() > options.vocabulary) {
      throw Error(ErrorCode::invalid_argument,
                  "a vocabulary of " + std::to_string(options.vocabulary) +
                      " pieces, expected at least " + std::to_string(letters_.size()) +
                      ", as many as letters");
    }
  }

  std::vector<ScoredPiece> run() {
    add_seeds();
    const auto enough = static_cast<std::size_t>(static_cast<double>(options_.vocabulary) * kSpare);
    Progress progress(options_.control, "pieces", prunings(enough) + 1);
    for (;;) {
      for (std::size_t round = 0; round < kRounds; ++round) fit();
      progress.add(1);
      if (pieces_.size() <= enough) break;
      const std::size_t before = pieces_.size();
      prune(std::max(enough, static_cast<std::size_t>(static_cast<double>(before) * kShrink)));
      if (pieces_.size() == before) break;
    }
    sort_and_cut();
    return std::move(pieces_);
  }

 private:
  // At most; pieces that no best cut uses go besides.
  std::size_t prunings(std::size_t enough) const {
    std::size_t count = 0;
    for (auto left = static_cast<double>(pieces_.size()); left > static_cast<double>(enough);
         left *= kShrink) {
      ++count;
    }
    return count;
  }

  bool is_letter(const std::string& text) const { return letters_.contains(text); }

  // A substring where it stands in a word.
  struct Place {
    std::uint32_t word, begin, end;
  };
  using Counts = std::unordered_map<std::string_view, std::uint64_t>;

  std::string_view at(const Place& place) const {
    return std::string_view(words_[place.word].text).substr(place.begin, place.end - place.begin);
  }
  // Whether a kept letter follows, which is then added to the place.
  bool lengthen(Place& place) const {
    const std::string_view word = words_[place.word].text;
    std::size_t end = place.end;
    if (end == word.size()) return false;
    text::next_code_point(word, end);
    if (!letters_.contains(word.substr(place.end, end - place.end))) return false;
    place.end = static_cast<std::uint32_t>(end);
    return true;
  }

  std::vector<Place> letter_places(Counts& counts) const {
    std::vector<Place> places;
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      std::uint32_t begin = 0;
      for_each_letter(words_[w].text, [&](std::string_view letter, bool) {
        const auto end = begin + static_cast<std::uint32_t>(letter.size());
        if (letters_.contains(letter)) {
          places.push_back({w, begin, end});
          counts[letter] += words_[w].count;
        }
        begin = end;
      });
    }
    return places;
  }

  // Substrings by length: a longer one can't be more frequent than what it begins with, so that it
  // is counted only where that is frequent enough. They weigh by count times letters.
  void add_seeds() {
    Counts counts;
    std::vector<Place> places = letter_places(counts), longer;
    for (const std::string_view letter : letters_) {
      pieces_.push_back({std::string(letter), std::log(static_cast<double>(counts.at(letter)))});
    }
    std::vector<std::pair<std::uint64_t, std::string_view>> found;
    for (std::size_t letters = 2; letters <= options_.longest && !places.empty(); ++letters) {
      throw_if_cancelled(control_);
      counts.clear();
      longer.clear();
      for (Place place : places) {
        if (!lengthen(place)) continue;
        longer.push_back(place);
        counts[at(place)] += words_[place.word].count;
      }
      std::erase_if(counts, [&](const auto& each) { return each.second < options_.min_frequency; });
      for (const auto& [text, count] : counts) found.emplace_back(count * letters, text);
      places.clear();
      for (const Place& place : longer) {
        if (counts.contains(at(place))) places.push_back(place);
      }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    if (found.size() > options_.seeds) found.resize(options_.seeds);
    for (const auto& [weight, text] : found) {
      pieces_.push_back({std::string(text), std::log(static_cast<double>(weight))});
    }
    normalise();
  }

  // Scores to logarithms of probabilities.
  void normalise() {
    double all = kNone;
    for (const ScoredPiece& piece : pieces_) all = log_sum(all, piece.score);
    for (ScoredPiece& piece : pieces_) piece.score -= all;
  }

  void fit() {
    const Expectation expected = expected_uses(words_, pieces_, control_);
    std::vector<ScoredPiece> kept;
    for (std::size_t p = 0; p < pieces_.size(); ++p) {
      const double uses = expected.uses[p];
      if (uses < kLeastUses && !is_letter(pieces_[p].text)) continue;
      kept.push_back({std::move(pieces_[p].text), std::log(std::max(uses, kSmallestCount))});
    }
    pieces_ = std::move(kept);
    normalise();
  }

  // Keeps so many pieces: letters, and those whose loss would cost the most likelihood. Each use of
  // a lost piece becomes one of the pieces of its own best cut.
  void prune(std::size_t wanted) {
    const PieceFinder pieces(pieces_);
    const Expectation used =
        summed(words_, pieces_.size(), control_, [&](const CountedWord& word, Expectation& sums) {
          for (const std::uint32_t piece : pieces.best_cut(word.text)) {
            sums.uses[piece] += static_cast<double>(word.count);
          }
        });
    double all = 0;
    for (const double uses : used.uses) all += uses;
    std::vector<double> losses(pieces_.size(), std::numeric_limits<double>::infinity());
    parallel_for(control_, pieces_.size(), 1024,
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   for (std::size_t p = begin; p < end; ++p) {
                     if (is_letter(pieces_[p].text)) continue;
                     losses[p] = loss(pieces, static_cast<std::uint32_t>(p), used.uses, all);
                   }
                 });
    std::vector<std::uint32_t> order(pieces_.size());
    for (std::uint32_t p = 0; p < order.size(); ++p) order[p] = p;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return losses[a] != losses[b] ? losses[a] > losses[b] : pieces_[a].text < pieces_[b].text;
    });
    std::vector<ScoredPiece> kept;
    for (const std::uint32_t p : order) {
      if (losses[p] == kNone || (kept.size() >= wanted && !is_letter(pieces_[p].text))) continue;
      kept.push_back(std::move(pieces_[p]));
    }
    pieces_ = std::move(kept);
  }

  double loss(const PieceFinder& pieces, std::uint32_t piece, const std::vector<double>& uses,
              double all) const {
    const double own = uses[piece];
    const std::vector<std::uint32_t> cut = pieces.best_cut(pieces_[piece].text, piece);
    double of_cut = 0;
    for (const std::uint32_t part : cut) of_cut += pieces.score(part);
    if (own == 0 || of_cut > pieces.score(piece)) return kNone;  // the best cuts don't use it
    const double grown = std::log(all + own * (static_cast<double>(cut.size()) - 1));
    double after = 0;
    for (const std::uint32_t part : cut) after += std::log(uses[part] + own) - grown;
    return own * (std::log(own / all) - after);
  }

  void sort_and_cut() {
    std::sort(pieces_.begin(), pieces_.end(), [](const ScoredPiece& a, const ScoredPiece& b) {
      return a.score != b.score ? a.score > b.score : a.text < b.text;
    });
    std::size_t room = options_.vocabulary - letters_.size();
    std::erase_if(pieces_, [&](const ScoredPiece& piece) {
      if (is_letter(piece.text)) return false;
      if (room == 0) return true;
      --room;
      return false;
    });
    normalise();
  }

  std::span<const CountedWord> words_;
  const PieceOptions& options_;
  const Control control_;
  const std::set<std::string_view> letters_;
  std::vector<ScoredPiece> pieces_;
};

}  // namespace

Expectation expected_uses(std::span<const CountedWord> words, std::span<const ScoredPiece> pieces,
                          const Control& control) {
  const PieceFinder found(pieces);
  return summed(words, pieces.size(), control, [&](const CountedWord& word, Expectation& sums) {
    found.add_expected(word, sums);
  });
}

std::vector<ScoredPiece> learn_pieces(std::span<const CountedWord> words,
                                      const PieceOptions& options) {
  return PieceLearner(words, options).run();
}

}  // namespace kith::tokenizer

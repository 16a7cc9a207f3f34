#include "text/tokenizer/learn_merges.h"

#include <algorithm>
#include <queue>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"
#include "text/tokenizer/letter_counts.h"

namespace kith::tokenizer {
namespace {

class Learner {
 public:
  Learner(std::span<const CountedWord> words, const MergeOptions& options) : options_(options) {
    add_letters(words);
    add_words(words);
  }

  LearnedMerges run() {
    for (const auto& [key, pair] : pairs_) offer(key, pair.count);
    Progress progress(options_.control, "merges", options_.vocabulary - learned_.tokens.size());
    while (!queue_.empty() && learned_.tokens.size() < options_.vocabulary) {
      throw_if_cancelled(options_.control);
      const Candidate top = queue_.top();
      queue_.pop();
      const auto pair = pairs_.find(top.key);
      const std::int64_t count = pair == pairs_.end() ? 0 : pair->second.count;
      if (count == top.count) {
        const std::size_t before = learned_.tokens.size();
        merge(top.key);
        progress.add(learned_.tokens.size() - before);
      } else if (count < top.count) {
        offer(top.key, count);
      }
    }
    return std::move(learned_);
  }

 private:
  // A word as the tokens that it consists of by now.
  struct Word {
    std::size_t begin, size;  // in tokens_
    std::int64_t count;
  };
  struct Pair {
    std::int64_t count = 0;
    std::vector<std::uint32_t> words;  // all that hold it, and some that did before
  };
  using Key = std::uint64_t;
  static Key key_of(TokenId left, TokenId right) { return Key{left} << 32 | right; }

  // A pair with the count that it had when it was offered: an upper bound, for a pair whose count
  // grows is offered anew.
  struct Candidate {
    std::int64_t count;
    Key key;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : key > other.key;
    }
  };

  void offer(Key key, std::int64_t count) {
    const auto least =
        static_cast<std::int64_t>(std::max<std::uint64_t>(options_.min_frequency, 1));
    if (count >= least) queue_.push({count, key});
  }

  TokenId add_token(const std::string& token) {
    const auto next = static_cast<TokenId>(learned_.tokens.size());
    const auto [at, fresh] = ids_.emplace(token, next);
    if (fresh) learned_.tokens.push_back(token);
    return at->second;
  }

  void add_letters(std::span<const CountedWord> words) {
    for (const std::string& token : options_.reserved) add_token(token);
    std::set<std::string_view> letters = kept_letters(words, options_.most_letters);
    letters.insert(options_.alphabet.begin(), options_.alphabet.end());
    for (const std::string_view letter : letters) add_token(std::string(letter));
    std::set<std::string_view> inside;
    if (!options_.prefix.empty()) {
      for (const CountedWord& word : words) {
        for_each_letter(word.text, [&](std::string_view letter, bool first) {
          if (!first && letters.contains(letter)) inside.insert(letter);
        });
      }
    }
    for (const std::string_view letter : inside) add_token(options_.prefix + std::string(letter));
    learned_.letters = learned_.tokens.size() - options_.reserved.size();
    if (learned_.tokens.size() > options_.vocabulary) {
      throw Error(ErrorCode::invalid_argument,
                  "a vocabulary of " + std::to_string(options_.vocabulary) +
                      " tokens, expected at least " + std::to_string(learned_.tokens.size()) +
                      ": " + std::to_string(options_.reserved.size()) + " special tokens and " +
                      std::to_string(learned_.letters) + " letters");
    }
  }

  void add_words(std::span<const CountedWord> words) {
    std::string token;
    for (const CountedWord& word : words) {
      const std::size_t begin = tokens_.size();
      for_each_letter(word.text, [&](std::string_view letter, bool first) {
        token.assign(first ? "" : options_.prefix).append(letter);
        const auto id = ids_.find(token);
        if (id != ids_.end()) tokens_.push_back(id->second);
      });
      words_.push_back({begin, tokens_.size() - begin, static_cast<std::int64_t>(word.count)});
      for (std::size_t i = begin; i + 1 < tokens_.size(); ++i) {
        change(tokens_[i], tokens_[i + 1], words_.size() - 1, words_.back().count);
      }
    }
    grown_.clear();
  }

  void change(TokenId left, TokenId right, std::size_t word, std::int64_t by) {
    const Key key = key_of(left, right);
    Pair& pair = pairs_[key];
    pair.count += by;
    if (by < 0) return;
    if (pair.words.empty() || pair.words.back() != word) {
      pair.words.push_back(static_cast<std::uint32_t>(word));
    }
    grown_.push_back(key);
  }

  void merge(Key key) {
    const auto left = static_cast<TokenId>(key >> 32), right = static_cast<TokenId>(key);
    const TokenId result =
        add_token(learned_.tokens[left] + learned_.tokens[right].substr(options_.prefix.size()));
    if (merged_.insert(key).second) learned_.merges.emplace_back(left, right);
    const std::vector<std::uint32_t> words = std::move(pairs_[key].words);
    for (const std::uint32_t word : words) merge_in(word, left, right, result);
    pairs_.erase(key);  // its count is 0
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (const Key grown : grown_) offer(grown, pairs_[grown].count);
    grown_.clear();
  }

  void merge_in(std::uint32_t number, TokenId left, TokenId right, TokenId result) {
    Word& word = words_[number];
    TokenId* const tokens = tokens_.data() + word.begin;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < word.size; ++kept) {
      if (i + 1 == word.size || tokens[i] != left || tokens[i + 1] != right) {
        tokens[kept] = tokens[i++];
        continue;
      }
      change(left, right, number, -word.count);
      if (kept > 0) {
        change(tokens[kept - 1], left, number, -word.count);
        change(tokens[kept - 1], result, number, word.count);
      }
      if (i + 2 < word.size) {
        change(right, tokens[i + 2], number, -word.count);
        change(result, tokens[i + 2], number, word.count);
      }
      tokens[kept] = result;
      i += 2;
    }
    word.size = kept;
  }

  const MergeOptions& options_;
  LearnedMerges learned_;
  std::unordered_map<std::string, TokenId> ids_;
  std::vector<TokenId> tokens_;
  std::vector<Word> words_;
  std::unordered_map<Key, Pair> pairs_;
  std::unordered_set<Key> merged_;  // those that have a rule
  std::vector<Key> grown_;          // pairs whose counts grew in this merge
  std::priority_queue<Candidate> queue_;
};

}  // namespace

LearnedMerges learn_merges(std::span<const CountedWord> words, const MergeOptions& options) {
  return Learner(words, options).run();
}

}  // namespace kith::tokenizer

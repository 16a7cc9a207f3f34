#include "kith/train_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/test_error.h"
#include "kith/error.h"
#include "kith/tokenizer.h"
#include "text/tokenizer/learn_merges.h"
#include "text/tokenizer/learn_pieces.h"
#include "text/tokenizer/word_counts.h"
#include "text/utf8.h"

namespace kith::tokenizer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Texts = std::vector<std::string_view>;

// ---- Byte-pair encoding, by its definition ------------------------------------------------------

// Counts all pairs of all words anew for every merge.
class SlowLearner {
 public:
  SlowLearner(const std::vector<CountedWord>& words, const MergeOptions& options)
      : options_(options) {
    learned_.tokens = options.reserved;
    add_letters(words);
    for (const CountedWord& word : words) {
      words_.push_back({tokens_of(word.text), word.count});
    }
  }

  LearnedMerges run() {
    while (learned_.tokens.size() < options_.vocabulary) {
      std::map<std::pair<TokenId, TokenId>, std::uint64_t> counts;
      for (const auto& [tokens, count] : words_) {
        for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
          counts[{tokens[i], tokens[i + 1]}] += count;
        }
      }
      std::pair<TokenId, TokenId> best;
      std::uint64_t most = 0;
      for (const auto& [pair, count] : counts) {  // from the lowest ids
        if (count > most) best = pair, most = count;
      }
      if (most == 0 || most < options_.min_frequency) break;
      merge(best);
    }
    return learned_;
  }

 private:
  static std::vector<std::string> letters_of(const std::string& word) {
    std::vector<std::string> letters;
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t start = at;
      text::next_code_point(word, at);
      letters.push_back(word.substr(start, at - start));
    }
    return letters;
  }

  void add_letters(const std::vector<CountedWord>& words) {
    std::map<std::string, std::uint64_t> counts;
    for (const CountedWord& word : words) {
      for (const std::string& letter : letters_of(word.text)) counts[letter] += word.count;
    }
    std::vector<std::pair<std::int64_t, std::string>> order;
    for (const auto& [letter, count] : counts) order.emplace_back(-count, letter);
    std::sort(order.begin(), order.end());
    if (options_.most_letters != 0 && order.size() > options_.most_letters) {
      order.resize(options_.most_letters);
    }
    std::set<std::string> kept(options_.alphabet.begin(), options_.alphabet.end()), inside;
    for (const auto& [count, letter] : order) kept.insert(letter);
    for (const CountedWord& word : words) {
      const auto letters = letters_of(word.text);
      for (std::size_t i = 1; i < letters.size(); ++i) {
        if (!options_.prefix.empty() && kept.contains(letters[i])) inside.insert(letters[i]);
      }
    }
    for (const std::string& letter : kept) learned_.tokens.push_back(letter);
    for (const std::string& letter : inside) learned_.tokens.push_back(options_.prefix + letter);
    learned_.letters = kept.size() + inside.size();
  }

  TokenId find(const std::string& token) const {
    const auto at = std::find(learned_.tokens.begin(), learned_.tokens.end(), token);
    return static_cast<TokenId>(at - learned_.tokens.begin());
  }

  std::vector<TokenId> tokens_of(const std::string& word) const {
    std::vector<TokenId> tokens;
    const auto letters = letters_of(word);
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const TokenId id = find((i == 0 ? "" : options_.prefix) + letters[i]);
      if (id < learned_.tokens.size()) tokens.push_back(id);
    }
    return tokens;
  }

  void merge(std::pair<TokenId, TokenId> pair) {
    const std::string token =
        learned_.tokens[pair.first] + learned_.tokens[pair.second].substr(options_.prefix.size());
    const TokenId id = find(token);
    if (id == learned_.tokens.size()) learned_.tokens.push_back(token);
    if (std::find(learned_.merges.begin(), learned_.merges.end(), pair) == learned_.merges.end()) {
      learned_.merges.push_back(pair);
    }
    for (auto& [tokens, count] : words_) {
      for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (std::pair(tokens[i], tokens[i + 1]) != pair) continue;
        tokens[i] = id;
        tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }

  MergeOptions options_;
  LearnedMerges learned_;
  std::vector<std::pair<std::vector<TokenId>, std::uint64_t>> words_;
};

TEST(LearnMerges, LearnsWhatTheDefinitionSays) {
  const bool held = rc::check("", [] {
    std::map<std::string, std::uint64_t> counts;
    const int size = *rc::gen::inRange(1, 25);
    for (int i = 0; i < size; ++i) {
      const auto letters = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
          rc::gen::element<std::string>("a", "b", "c", "\u00e9", "\u4e2d")));
      std::string word;
      for (const std::string& letter : letters) word += letter;
      counts[word] += *rc::gen::inRange<std::uint64_t>(1, 6);
    }
    std::vector<CountedWord> words;
    for (const auto& [word, count] : counts) words.push_back({word, count});
    MergeOptions options{.vocabulary = *rc::gen::inRange<std::size_t>(20, 60)};
    options.min_frequency = *rc::gen::inRange<std::uint64_t>(0, 4);
    options.most_letters = *rc::gen::inRange<std::size_t>(0, 6);
    options.prefix = *rc::gen::element<std::string>("", "##");
    options.reserved = {"[UNK]"};
    if (*rc::gen::arbitrary<bool>()) options.alphabet = {"a", "z"};
    const LearnedMerges found = learn_merges(words, options);
    const LearnedMerges expected = SlowLearner(words, options).run();
    RC_ASSERT(found.tokens == expected.tokens);
    RC_ASSERT(found.merges == expected.merges);
    RC_ASSERT(found.letters == expected.letters);
  });
  EXPECT_TRUE(held);
}

// "low" and "lower" of the paper's example, without its mark of a word's end.
TEST(LearnMerges, MergesTheMostFrequentPairFirst) {
  const std::vector<CountedWord> words = {{"low", 5}, {"lowest", 2}, {"newer", 6}, {"wider", 3}};
  const LearnedMerges learned = learn_merges(words, {.vocabulary = 13});
  ASSERT_EQ(learned.letters, 10u);  // d e i l n o r s t w
  EXPECT_THAT(std::vector(learned.tokens.begin() + 10, learned.tokens.end()),
              ElementsAre("er", "lo", "low"));
}

// Of "aa", "aa", "a" both pairs occur once: the one with the lower second id is taken.
TEST(LearnMerges, TakesOverlappingPairsFromTheLeft) {
  const std::vector<CountedWord> words = {{"aaaaa", 1}};
  const LearnedMerges learned = learn_merges(words, {.vocabulary = 10});
  EXPECT_THAT(learned.tokens, ElementsAre("a", "aa", "aaa", "aaaaa"));
}

// ---- Unigram pieces, by their definition --------------------------------------------------------

// Adds what all cuts of the rest of a word use, each weighed by its probability; returns their sum.
double add_cuts(std::string_view rest, const std::vector<ScoredPiece>& pieces, double probability,
                std::vector<std::size_t>& path, std::vector<double>& uses) {
  if (rest.empty()) {
    for (const std::size_t piece : path) uses[piece] += probability;
    return probability;
  }
  double all = 0;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    if (!rest.starts_with(pieces[p].text)) continue;
    path.push_back(p);
    all += add_cuts(rest.substr(pieces[p].text.size()), pieces,
                    probability * std::exp(pieces[p].score), path, uses);
    path.pop_back();
  }
  return all;
}

Expectation expected_slowly(const std::vector<CountedWord>& words,
                            const std::vector<ScoredPiece>& pieces) {
  Expectation sums{std::vector<double>(pieces.size(), 0), 0};
  for (const CountedWord& word : words) {
    std::vector<double> uses(pieces.size(), 0);
    std::vector<std::size_t> path;
    const double all = add_cuts(word.text, pieces, 1, path, uses);
    if (all == 0) continue;
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      sums.uses[p] += static_cast<double>(word.count) * uses[p] / all;
    }
    sums.likelihood += static_cast<double>(word.count) * std::log(all);
  }
  return sums;
}

std::vector<ScoredPiece> some_pieces() {
  std::vector<ScoredPiece> pieces;
  for (const char* text : {"a", "b", "ab", "ba", "aab", "bb", "abba"}) {
    pieces.push_back({text, -*rc::gen::inRange(1, 1000) / 100.0});
  }
  return pieces;
}

std::vector<CountedWord> some_words() {
  std::map<std::string, std::uint64_t> counts;
  const int size = *rc::gen::inRange(1, 12);
  for (int i = 0; i < size; ++i) {
    auto word = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b')));
    word.resize(std::min<std::size_t>(word.size(), 9));
    counts[word] += *rc::gen::inRange<std::uint64_t>(1, 6);
  }
  std::vector<CountedWord> words;
  for (const auto& [word, count] : counts) words.push_back({word, count});
  words.push_back({"never", 3});  // which no pieces cover
  return words;
}

TEST(LearnPieces, ExpectsWhatAllCutsTogetherUse) {
  const bool held = rc::check("", [] {
    const auto pieces = some_pieces();
    const auto words = some_words();
    const Expectation found = expected_uses(words, pieces, {});
    const Expectation expected = expected_slowly(words, pieces);
    RC_ASSERT(std::abs(found.likelihood - expected.likelihood) <
              1e-9 * (1 + std::abs(expected.likelihood)));
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      RC_ASSERT(std::abs(found.uses[p] - expected.uses[p]) < 1e-9 * (1 + expected.uses[p]));
    }
  });
  EXPECT_TRUE(held);
}

TEST(LearnPieces, MaximisationNeverLosesLikelihood) {
  const bool held = rc::check("", [] {
    auto pieces = some_pieces();
    const auto words = some_words();
    const auto maximise = [&](const std::vector<double>& uses) {
      double all = 0;
      for (const double use : uses) all += use;
      for (std::size_t p = 0; p < pieces.size(); ++p) {
        pieces[p].score = std::log(std::max(uses[p], 1e-12) / all);
      }
    };
    maximise(expected_uses(words, pieces, {}).uses);  // probabilities now sum to 1
    double before = expected_uses(words, pieces, {}).likelihood;
    for (int round = 0; round < 3; ++round) {
      maximise(expected_uses(words, pieces, {}).uses);
      const double after = expected_uses(words, pieces, {}).likelihood;
      RC_ASSERT(after >= before - 1e-6);
      before = after;
    }
  });
  EXPECT_TRUE(held);
}

TEST(LearnPieces, KeepsLettersAndFrequentWords) {
  const std::vector<CountedWord> words = {
      {"apple", 50}, {"applecart", 20}, {"cart", 40}, {"zebra", 1}};
  const auto pieces = learn_pieces(words, {.vocabulary = 13});
  EXPECT_LE(pieces.size(), 13u);  // a b c e l p r t z, and at most four more
  std::vector<std::string> texts;
  for (const ScoredPiece& piece : pieces) texts.push_back(piece.text);
  for (const char* text : {"apple", "cart", "z", "b", "r"}) {
    EXPECT_EQ(std::count(texts.begin(), texts.end(), text), 1) << text;
  }
  EXPECT_TRUE(std::is_sorted(pieces.begin(), pieces.end(),
                             [](const auto& a, const auto& b) { return a.score > b.score; }));
  EXPECT_THROW(learn_pieces(words, {.vocabulary = 8}), Error);
}

// ---- Trained tokenizers -------------------------------------------------------------------------

const Texts kTexts = {"The cat sat on the mat.", "A cat, the Cat and two cats!",
                      "na\u00efve caf\u00e9s at the mat"};

TrainedTokenizer train(const Texts& texts, TokenizerTraining training) {
  TokenizerTrainer trainer(std::move(training));
  trainer.add(texts);
  return trainer.train();
}

TokenizerTraining bytes(std::size_t vocabulary) {
  return {.type = TokenizerType::bpe, .vocabulary = vocabulary};
}

std::vector<std::string> tokens_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> tokens;
  for (const std::uint32_t id : tokenizer.encode(text).ids) tokens.push_back(*tokenizer.token(id));
  return tokens;
}

TEST(TokenizerTrainer, WritesBertsWordPiece) {
  const TrainedTokenizer trained = train(kTexts, {.vocabulary = 60});
  const Tokenizer tokenizer = Tokenizer::parse(trained.json, "trained");
  EXPECT_EQ(tokenizer.vocabulary_size(), trained.vocabulary);
  EXPECT_EQ(tokenizer.id("[PAD]"), 0u);
  EXPECT_EQ(tokenizer.id("[MASK]"), 4u);
  EXPECT_THAT(tokens_of(tokenizer, "The CAT"), ElementsAre("[CLS]", "the", "cat", "[SEP]"));
  EXPECT_THAT(tokens_of(tokenizer, "xylophone"), ElementsAre("[CLS]", "[UNK]", "[SEP]"));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("a cat sat.").ids), "a cat sat.");
}

TEST(TokenizerTrainer, KeepsCaseAndAccentsWhereAsked) {
  const auto cased = Tokenizer::parse(train(kTexts, {.lower_case = false}).json, "cased");
  const auto plain = Tokenizer::parse(train(kTexts, {}).json, "plain");
  EXPECT_TRUE(cased.id("T").has_value());
  EXPECT_TRUE(cased.id("##\u00ef").has_value());
  EXPECT_FALSE(plain.id("T").has_value());
  EXPECT_FALSE(plain.id("##\u00ef").has_value());
}

TEST(TokenizerTrainer, OfBytesKnowsEveryText) {
  const TrainedTokenizer trained = train(kTexts, bytes(300));
  const Tokenizer tokenizer = Tokenizer::parse(trained.json, "trained");
  EXPECT_EQ(tokenizer.id("<|endoftext|>"), 0u);
  EXPECT_EQ(trained.letters, 256u);
  EXPECT_EQ(trained.unknown_tokens, 0u);
  for (const std::string_view text : {"Never met: \u4e2d\u6587 \U0001f600", " the cat", "\t\n x"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text).ids), text);
  }
  EXPECT_EQ(tokens_of(tokenizer, " the").size(), 1u);
}

TEST(TokenizerTrainer, OfBytesPutsEndsAboutTextsWhereAsked) {
  TokenizerTraining training = bytes(300);
  training.ends = true;
  const Tokenizer tokenizer = Tokenizer::parse(train(kTexts, training).json, "trained");
  EXPECT_EQ(tokenizer.id("<s>"), 0u);
  EXPECT_EQ(tokenizer.id("</s>"), 1u);
  const auto ids = tokenizer.encode("a cat").ids;
  EXPECT_EQ(ids.front(), 0u);
  EXPECT_EQ(ids.back(), 1u);
  EXPECT_EQ(tokenizer.decode(ids), "a cat");
  const auto both = tokenizer.encode("a", "b");
  EXPECT_EQ(std::count(both.ids.begin(), both.ids.end(), 1u), 2);
  training.type = TokenizerType::wordpiece;
  EXPECT_THAT(error_of([&] { train(kTexts, training); }), HasSubstr("expected bpe"));
}

TEST(TokenizerTrainer, WritesSentencePiecesUnigram) {
  TokenizerTraining training{.type = TokenizerType::unigram, .vocabulary = 40};
  const TrainedTokenizer trained = train(kTexts, training);
  const Tokenizer tokenizer = Tokenizer::parse(trained.json, "trained");
  EXPECT_EQ(tokenizer.vocabulary_size(), trained.vocabulary);
  EXPECT_EQ(tokenizer.id("<s>"), 0u);
  EXPECT_EQ(tokenizer.id("<unk>"), 3u);
  const auto ids = tokenizer.encode("The  cat\nsat ").ids;
  EXPECT_EQ(ids.front(), 0u);
  EXPECT_EQ(ids.back(), 2u);
  EXPECT_EQ(tokenizer.decode(ids), "The cat sat");
  EXPECT_EQ(trained.unknown_tokens, 0u);
  const auto unknown = tokenizer.encode("\u4e2d", {.special_tokens = false}).ids;
  EXPECT_EQ(std::count(unknown.begin(), unknown.end(), 3u), 1);
}

TEST(TokenizerTrainer, CountsTokensAsTheTokenizerGivesThem) {
  for (const TokenizerTraining& training :
       {TokenizerTraining{.vocabulary = 40, .most_letters = 12}, bytes(280),
        TokenizerTraining{.type = TokenizerType::unigram, .vocabulary = 40}}) {
    const TrainedTokenizer trained = train(kTexts, training);
    const Tokenizer tokenizer = Tokenizer::parse(trained.json, "trained");
    std::size_t tokens = 0, unknown = 0;
    for (const std::string_view text : kTexts) {
      const auto ids = tokenizer.encode(text, {.special_tokens = false}).ids;
      tokens += ids.size();
      if (const auto id = tokenizer.id("[UNK]")) {
        unknown += static_cast<std::size_t>(std::count(ids.begin(), ids.end(), *id));
      }
    }
    EXPECT_EQ(trained.tokens, tokens);
    EXPECT_EQ(trained.unknown_tokens, unknown);
    EXPECT_EQ(trained.texts, kTexts.size());
    EXPECT_LE(trained.vocabulary, training.vocabulary);
  }
}

TEST(TokenizerTrainer, RareLettersMakeWordsUnknown) {
  const Texts texts = {"aa ab ba aab", "zz"};
  const TrainedTokenizer trained = train(texts, {.most_letters = 2});
  EXPECT_EQ(trained.unknown_tokens, 1u);
  EXPECT_EQ(train(texts, {.most_letters = 0}).unknown_tokens, 0u);
}

TEST(TokenizerTrainer, ParallelCountsAndOrderChangeNothing) {
  std::vector<std::string> made;
  for (int i = 0; i < 500; ++i) {
    made.push_back("word" + std::to_string(i % 37) + " and text " + std::to_string(i * i % 101));
  }
  const Texts texts(made.begin(), made.end()), backwards(texts.rbegin(), texts.rend());
  for (const TokenizerType type : {TokenizerType::wordpiece, TokenizerType::unigram}) {
    TokenizerTraining one{.type = type, .vocabulary = 100}, four = one;
    one.control.threads = 1;
    four.control.threads = 4;
    const std::string expected = train(texts, one).json;
    EXPECT_EQ(train(texts, four).json, expected);
    EXPECT_EQ(train(backwards, four).json, expected);
    TokenizerTrainer pieces(one);
    for (const std::string_view text : texts) pieces.add(Texts{text});
    EXPECT_EQ(pieces.train().json, expected);
  }
}

TEST(TokenizerTrainer, SpecialTokensComeFirstAndStayWhole) {
  const auto trained = train(kTexts, {.special_tokens = {"<url>", "[Q]"}});
  const Tokenizer tokenizer = Tokenizer::parse(trained.json, "trained");
  EXPECT_EQ(tokenizer.id("[Q]"), 6u);
  EXPECT_THAT(tokens_of(tokenizer, "cat <url>"), ElementsAre("[CLS]", "cat", "<url>", "[SEP]"));
}

TEST(TokenizerTrainer, TextsOfAnyBytesAreMendedAndCounted) {
  const std::string endless(3 * WordCounts::kMostLetters + 7, 'x');
  const TrainedTokenizer trained = train({"good text", "\xff\xfe bad", endless, ""}, bytes(300));
  EXPECT_EQ(trained.mended, 1u);
  EXPECT_EQ(trained.texts, 4u);
  EXPECT_NO_THROW(Tokenizer::parse(trained.json, "trained"));
}

TEST(TokenizerTrainer, ErrorsSayWhatWasExpected) {
  EXPECT_THAT(error_of([] { train({}, {}); }), HasSubstr("0 texts without a word"));
  EXPECT_THAT(error_of([] { train({"", " \n"}, {}); }), HasSubstr("2 texts without a word"));
  EXPECT_THAT(error_of([] { train(kTexts, bytes(256)); }),
              HasSubstr("a vocabulary of 256 tokens, expected at least 257: 1 special tokens and "
                        "256 letters"));
  EXPECT_THAT(error_of([] { train(kTexts, {.special_tokens = {"[PAD]"}}); }),
              HasSubstr("'[PAD]': there already"));
  EXPECT_THAT(error_of([] { train(kTexts, {.special_tokens = {""}}); }),
              HasSubstr("special token"));
  EXPECT_THAT(error_of([] { train(kTexts, {.special_tokens = {"\xff"}}); }), HasSubstr("UTF-8"));
}

TEST(TokenizerTrainer, StopsWhenCancelled) {
  const std::atomic<bool> cancel = true;
  TokenizerTraining training;
  training.control.cancel = &cancel;
  TokenizerTrainer trainer(training);
  EXPECT_THROW(trainer.add(kTexts), Error);
}

}  // namespace
}  // namespace kith::tokenizer

#include "text/analyser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <vector>

#include "kith/error.h"
#include "text/dictionary.h"
#include "text/utf8.h"

namespace kith::text {
namespace {

using testing::ElementsAre;

std::vector<std::string> terms(std::string_view text, const AnalyserOptions& options = {}) {
  std::vector<std::string> found;
  Analyser(options).terms(text, [&](std::string_view term) { found.emplace_back(term); });
  return found;
}

TEST(Analyser, SplitsAtWhatIsNoLetterAndLowersCase) {
  EXPECT_THAT(terms("The Quick-brown fox, 3.5 times (x86_64)!"),
              ElementsAre("the", "quick", "brown", "fox", "3", "5", "times", "x86", "64"));
  EXPECT_THAT(terms(""), ElementsAre());
  EXPECT_THAT(terms(" ... \n"), ElementsAre());
}

TEST(Analyser, KnowsTheLettersOfManyScripts) {
  EXPECT_THAT(terms("ÉCOLE Straße"), ElementsAre("école", "straße"));
  EXPECT_THAT(terms("ΑΘΗΝΑ МОСКВА Ђорђе"), ElementsAre("αθηνα", "москва", "ђорђе"));
  EXPECT_THAT(terms("Ağaç ŁÓDŹ ĀĒ"), ElementsAre("ağaç", "łódź", "āē"));
  EXPECT_THAT(terms("한국어 검색"), ElementsAre("한국어", "검색"));
  EXPECT_THAT(terms("עברית, العربية"), ElementsAre("עברית", "العربية"));
  EXPECT_THAT(terms("हिन्दी में"), ElementsAre("हिन्दी", "में"));
}

TEST(Analyser, GivesPairsWhereNoSpacesAreWritten) {
  EXPECT_THAT(terms("東京都"), ElementsAre("東京", "京都"));
  EXPECT_THAT(terms("海 Linux入門"), ElementsAre("海", "linux", "入門"));
  EXPECT_THAT(terms("กขค"), ElementsAre("กข", "ขค"));
}

TEST(Analyser, KeepsApostrophesInsideWordsAndCutsPossessives) {
  EXPECT_THAT(terms("don't 'quote' Debian's Debian\xe2\x80\x99s o'"),
              ElementsAre("don't", "quote", "debian", "debian", "o"));
}

TEST(Analyser, LeavesOutStopWordsAndStemsOnDemand) {
  const std::string text = "The operators of the Connections";
  EXPECT_THAT(terms(text, {.stop_words = true}), ElementsAre("operators", "connections"));
  EXPECT_THAT(terms(text, {.stem = true}), ElementsAre("the", "oper", "of", "the", "connect"));
  EXPECT_THAT(terms(text, {.stop_words = true, .stem = true}), ElementsAre("oper", "connect"));
}

TEST(Analyser, TakesBytesThatAreNoUtf8AsSeparators) {
  EXPECT_THAT(terms("caf\xe9 au\xff lait\xc3"), ElementsAre("caf", "au", "lait"));
  EXPECT_THAT(terms("a\xc0\xaf"
                    "b\xed\xa0\x80"
                    "c\xf4\x90\x80\x80"
                    "d"),
              ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(terms(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
}

TEST(Analyser, CutsEndlessWords) {
  const std::vector<std::string> found = terms(std::string(1000, 'a'));
  std::size_t total = 0;
  for (const std::string& term : found) {
    EXPECT_LE(term.size(), kMaxTermBytes);
    total += term.size();
  }
  EXPECT_EQ(total, 1000u);
}

TEST(Analyser, AnyBytesGiveShortTermsThatAreUtf8) {
  rc::check("terms of any bytes", [](const std::string& bytes) {
    for (const std::string& term : terms(bytes, {.stop_words = true, .stem = true})) {
      RC_ASSERT(!term.empty());
      RC_ASSERT(term.size() <= kMaxTermBytes);
      for (std::size_t at = 0; at < term.size();) {
        RC_ASSERT(next_code_point(term, at) != kInvalid);
      }
    }
  });
}

TEST(Utf8, EveryCodePointReadsBack) {
  for (char32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;
    std::string bytes;
    append_utf8(code, bytes);
    std::size_t at = 0;
    ASSERT_EQ(next_code_point(bytes, at), code);
    ASSERT_EQ(at, bytes.size());
  }
}

TEST(Dictionary, NumbersTermsInOrderAndFindsThem) {
  rc::check("like a map", [](const std::vector<std::string>& words) {
    Dictionary dictionary;
    std::map<std::string, Term> expected;
    for (const std::string& word : words) {
      const Term next = static_cast<Term>(expected.size());
      RC_ASSERT(dictionary.add(word) == expected.emplace(word, next).first->second);
    }
    RC_ASSERT(dictionary.size() == expected.size());
    for (const auto& [word, term] : expected) {
      RC_ASSERT(dictionary.find(word) == term);
      RC_ASSERT(dictionary[term] == word);
      RC_ASSERT(dictionary.find(word + "?") == std::nullopt || expected.count(word + "?") == 1);
    }
  });
}

TEST(Dictionary, RefusesBrokenTables) {
  Dictionary good;
  for (int i = 0; i < 100; ++i) good.add(std::to_string(i).insert(0, "word"));
  const auto copy = [](std::span<const std::byte> bytes) {
    Storage storage(bytes.size());
    std::copy(bytes.begin(), bytes.end(), storage.mutable_data());
    return storage;
  };
  const auto remade = [&](auto change) {
    Storage offsets = copy(good.offset_bytes()), text = copy(good.text_bytes()),
            slots = copy(good.slot_bytes());
    change(offsets, text, slots);
    return Dictionary(std::move(offsets), std::move(text), std::move(slots));
  };
  EXPECT_EQ(remade([](auto&, auto&, auto&) {}).find("word42"), 42u);
  EXPECT_THROW(remade([](Storage& o, auto&, auto&) { o.mutable_as<std::uint64_t>()[3] = 99999; }),
               Error);
  EXPECT_THROW(remade([](auto&, Storage& t, auto&) { t.resize(t.size() - 1); }), Error);
  EXPECT_THROW(remade([](auto&, auto&, Storage& s) { s.resize(s.size() - 4); }), Error);
  EXPECT_THROW(remade([](auto&, auto&, Storage& s) { s.mutable_as<std::uint32_t>()[0] = 5000; }),
               Error);
  EXPECT_THROW(remade([](auto&, auto&, Storage& s) { s.resize(0); }), Error);
}

}  // namespace
}  // namespace kith::text

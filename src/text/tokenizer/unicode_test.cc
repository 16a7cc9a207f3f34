#include "text/tokenizer/unicode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kith::tokenizer {
namespace {

TEST(TokenizerUnicode, BytesThatAreNoUtf8AreReplacedAndCounted) {
  std::string out = "untouched";
  EXPECT_EQ(mend_utf8("caf\u00e9 \ufffd", out), 0u);
  EXPECT_EQ(out, "untouched");
  EXPECT_EQ(mend_utf8("a\xff"
                      "b\xe2\x82",
                      out),
            3u);
  EXPECT_EQ(out,
            "a\ufffd"
            "b\ufffd\ufffd");
}

TEST(TokenizerUnicode, LowerCaseKnowsTheFinalSigma) {
  EXPECT_EQ(lower("ABC [z]"), "abc [z]");
  EXPECT_EQ(lower("\u039f\u0394\u039f\u03a3"), "\u03bf\u03b4\u03bf\u03c2");
}

TEST(TokenizerUnicode, NormalFormsComposeAndDecompose) {
  EXPECT_EQ(normal_form("e\u0301", Form::nfc), "\u00e9");
  EXPECT_EQ(normal_form("\u00e9", Form::nfd), "e\u0301");
  EXPECT_EQ(normal_form("\ufb01", Form::nfkc), "fi");
  EXPECT_EQ(without_marks("e\u0301a"), "ea");
}

TEST(TokenizerUnicode, GraphemesKeepMarksAndJoinedEmojiTogether) {
  EXPECT_THAT(grapheme_ends("ae\u0301\r\n"), testing::ElementsAre(1, 4, 6));
  EXPECT_THAT(grapheme_ends("\U0001F468\u200D\U0001F469"), testing::ElementsAre(11));
  EXPECT_TRUE(grapheme_ends("").empty());
}

TEST(TokenizerUnicode, TrimmingTakesAnyWhiteSpace) {
  EXPECT_EQ(trim_start("\u3000\t a "), "a ");
  EXPECT_EQ(trim_end(" a\u00a0\n"), " a");
  EXPECT_EQ(trim_end("\u3000"), "");
}

}  // namespace
}  // namespace kith::tokenizer

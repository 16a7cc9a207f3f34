// Readers of documents with headings and of source code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/document.h"
#include "datasets/html.h"
#include "datasets/python_source.h"
#include "datasets/rest.h"

namespace kith::datasets {
namespace {

using testing::ElementsAre;

// "2:text" for a heading, ":text" for a paragraph.
std::vector<std::string> shown(const std::vector<Block>& blocks) {
  std::vector<std::string> all;
  for (const Block& block : blocks) {
    all.push_back((block.level == 0 ? "" : std::to_string(block.level)) + ":" + block.text);
  }
  return all;
}

TEST(Html, HeadingsAndParagraphsAreText) {
  EXPECT_THAT(
      shown(parse_html("<html><head><title>no</title></head><body><h1 class='x'>A &amp; "
                       "<b>b</b><a class=\"headerlink\" href=\"#\">x</a></h1>\n<p>one <i>two"
                       "</i>\nthree<br/>four<p>five&#233;&#x41;&mdash;&unknown; a < b</body>")),
      ElementsAre("1:A & b", ":one two three four",
                  ":five\xc3\xa9"
                  "A\xe2\x80\x94&unknown; a < b"));
}

TEST(Html, WhatNobodyReadsIsLeftOut) {
  EXPECT_THAT(shown(parse_html("<script>if (a < b) '<p>'</script><style>p{}</style><p>in</p>"
                               "<div class=\"navheader\"><div>out</div>out</div><!-- <p>out -->"
                               "<pre>code</pre><table><tr><td><table></table>out</td></tr></table>"
                               "<p title='a > b'>end\xc2\xa0of it</p>")),
              ElementsAre(":in", ":end of it"));
}

TEST(Html, TitlesOfSectionsAreHeadings) {
  EXPECT_THAT(shown(parse_html("<page><info><title>out</title></info><title>A</title><section>"
                               "<title>B</title><p>x <gui>y</gui></p></section><title>C</title>")),
              ElementsAre("1:A", "2:B", ":x y", "1:C"));
}

TEST(Html, AnyBytesAreTaken) {
  for (const char* page : {"<", "<a", "<!--", "<p class=\"", "&", "&#", "&#xd800;", "&#99999999;",
                           "<table>", "</table>x", "<script>", "</", "<![CDATA[", "\xc2"}) {
    parse_html(page);
  }
  EXPECT_THAT(shown(parse_html("1 < 2 & 3")), ElementsAre(":1 < 2 & 3"));
}

TEST(Rest, HeadingsHaveLevelsInTheOrderOfTheirUse) {
  EXPECT_THAT(
      shown(parse_rest("=====\nTitle\n=====\n\ntext of\ntwo lines\n\nPart\n====\n\nPoint\n"
                       "-----\n\nmore\n\nOther\n=====\n")),
      ElementsAre("1:Title", ":text of two lines", "2:Part", "3:Point", ":more", "2:Other"));
}

TEST(Rest, MarkupIsLeftOut) {
  EXPECT_THAT(
      shown(parse_rest(
          ":Author: me\n\n.. note::\n\n   out\n\nSee :doc:`the page <x/y>`, ``a_b`` and "
          "**this** `link <http://x>`_.\n\n- one\n- two\n  more\n\nCode::\n\n  int x;\n\n"
          "+---+\n| a |\n+---+\n\n=== ===\na   b\n=== ===\n\nend\n")),
      ElementsAre(":See the page, a_b and this link.", ":one", ":two more", ":Code:", ":end"));
}

TEST(Rest, AnyBytesAreTaken) {
  for (const char* text :
       {"..", "::", ":", "`", "``", "===", "===\n===\n===", "a\n=", ":a:`", "+-"}) {
    parse_rest(text);
  }
  EXPECT_TRUE(parse_rest("\n\n").empty());
}

TEST(Python, FunctionsHaveADocstringAndABody) {
  const auto functions = parse_python(
      "class A:\n    def one(self,\n            b=(1, 2)):\n        \"\"\"Says one.\n\n        And "
      "more\n        of it.\n        \"\"\"\n        if b:\n\n            return 1\n\n    def "
      "two(self):\n        return 2\n\nasync def three() -> int:\n    r'''Three.'''\n    return "
      "3\n");
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[0].name, "one");
  EXPECT_EQ(functions[0].signature, "def one(self, b=(1, 2)):");
  EXPECT_EQ(functions[0].docstring, "Says one.\n\nAnd more of it.");
  EXPECT_EQ(functions[0].body, "    if b:\n        return 1");
  EXPECT_EQ(functions[1].name, "three");
  EXPECT_EQ(functions[1].docstring, "Three.");
  EXPECT_EQ(functions[1].body, "    return 3");
}

TEST(Python, AnyBytesAreTaken) {
  for (const char* source :
       {"def ", "def a", "def a(", "def a():", "def a():\n", "def a():\n  \"\"\"",
        "def a():\n  \"\"\"x", "def :\n  '''x'''\n", "async def \n:"}) {
    EXPECT_TRUE(parse_python(source).size() < 2) << source;
  }
}

TEST(Passages, StandBeneathTheirHeadings) {
  const auto found = passages({{0, "before"},
                               {1, "Chapter 7. Books"},
                               {0, "about books"},
                               {2, "7.1. Long ones"},
                               {0, "some words"},
                               {0, "too many for it"},
                               {0, "x"},
                               {2, "B.2 Empty"},
                               {1, "3.11 or later"},
                               {0, "y"}},
                              12);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(joined_path(found[1]), "Books: Long ones");
  EXPECT_EQ(found[1].text, "some words");  // and nothing after the paragraph that doesn't fit
  EXPECT_EQ(found[2].text, "y");
}

TEST(Passages, PiecesHoldWholeParagraphsOrSentences) {
  EXPECT_THAT(pieces("a b\nc\n\nd\n\nlonger words", 8), ElementsAre("a b c\nd", "longer", "words"));
  EXPECT_THAT(pieces("One two. Three four. Five", 20), ElementsAre("One two. Three four.", "Five"));
  EXPECT_THAT(pieces("\n\n", 5), ElementsAre());
  EXPECT_EQ(shortened("\xc3\xa9\xc3\xa9\xc3\xa9", 3), "\xc3\xa9");  // no half letter
}

}  // namespace
}  // namespace kith::datasets

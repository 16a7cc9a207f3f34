#include "formats/text_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>

#include "base/test_error.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

using testing::ElementsAre;
using testing::Pair;

using Pairs = std::vector<std::pair<std::string, std::string>>;  // ids and texts

Pairs read(const std::string& text, const TextStreamOptions& options) {
  TextStream stream(std::make_unique<std::istringstream>(text), "x", options);
  TextRecord record;
  Pairs all;
  while (stream.next(record)) all.emplace_back(record.id.value_or("-"), record.text);
  EXPECT_EQ(stream.bytes(), text.size());
  return all;
}

std::string error_of(const std::string& text, const TextStreamOptions& options) {
  return kith::error_of([&] { read(text, options); });
}

TEST(TextStream, LinesAreTextsAndEmptyOnesToo) {
  EXPECT_THAT(read("\xef\xbb\xbf"
                   "a b\r\n\nlast",
                   {.format = "lines"}),
              ElementsAre(Pair("-", "a b"), Pair("-", ""), Pair("-", "last")));
}

TEST(TextStream, JsonLinesGiveTitleAndTextOrTheNamedFields) {
  const std::string lines = R"({"_id": 7, "title": "T", "text": "one", "more": [1, {"x": 2}]}

{"text": "two", "title": "", "_id": "b"})";
  EXPECT_THAT(read(lines, {.format = "jsonl"}), ElementsAre(Pair("7", "T one"), Pair("b", "two")));
  EXPECT_THAT(read(R"({"q": "a", "key": "k", "text": "no"})",
                   {.format = "jsonl", .fields = {"q"}, .id = "key"}),
              ElementsAre(Pair("k", "a")));
  EXPECT_EQ(error_of("{\"text\": \"a\"}\n{\"title\": \"b\"}", {.format = "jsonl"}),
            "x: line 2: no \"text\"");
  EXPECT_THAT(error_of("{\"text\": 5}", {.format = "jsonl"}),
              testing::HasSubstr("x: line 1: byte"));
}

TEST(TextStream, ARecordKeepsWhatItWasTakenFrom) {
  const auto first = [](const std::string& text, const TextStreamOptions& options) {
    TextStream stream(std::make_unique<std::istringstream>(text), "x", options);
    TextRecord record;
    EXPECT_TRUE(stream.next(record));
    return std::pair(record, stream.columns());
  };
  const std::string line = R"({"text": "a", "more": [1]})";
  EXPECT_EQ(first(line + "\n", {.format = "jsonl"}).first.line, line);
  EXPECT_EQ(parse_json_record(line, "x", {}).text, "a");
  const auto [record, columns] = first("n,text\n1,\"a,b\"\n", {.format = "csv"});
  EXPECT_THAT(record.row, ElementsAre("1", "a,b"));
  EXPECT_THAT(columns, ElementsAre("n", "text"));
  EXPECT_TRUE(first("1\ta\n", {.format = "tsv"}).second.empty());
}

TEST(TextStream, CsvFieldsMayBeQuotedAndSpanLines) {
  EXPECT_THAT(read("id,text,note\n1,\"a, \"\"b\"\"\nc\",x\n\n2,plain,\"\"\n", {.format = "csv"}),
              ElementsAre(Pair("1", "a, \"b\"\nc"), Pair("2", "plain")));
  EXPECT_THAT(read("k,a,b\r\n1,x,y\r\n", {.format = "csv", .fields = {"b", "a"}, .id = "k"}),
              ElementsAre(Pair("1", "y x")));
  EXPECT_EQ(error_of("a,b\n1,2\n", {.format = "csv"}),
            "x: line 1: no column 'text'; there are: a, b");
  EXPECT_EQ(error_of("text,b\n1\n", {.format = "csv"}),
            "x: line 2: 1 fields, but the first line names 2");
  EXPECT_EQ(error_of("text\na\n\"b\nc", {.format = "csv"}), "x: line 3: a quote isn't closed");
  EXPECT_EQ(error_of("text\n\"b\"c\n", {.format = "csv"}), "x: line 2: text behind a quoted field");
}

TEST(TextStream, TsvHasNamedColumnsOrIdsAndTexts) {
  EXPECT_THAT(read("text\tid\n\"a\t1\n", {.format = "tsv"}), ElementsAre(Pair("1", "\"a")));
  EXPECT_THAT(read("a\tone\nb\ttwo\tmore\n", {.format = "tsv"}),
              ElementsAre(Pair("a", "one"), Pair("b", "two\tmore")));
  EXPECT_EQ(error_of("a\tone\nb\n", {.format = "tsv"}),
            "x: line 2: no tab, expected an ID, a tab and a text");
}

TEST(TextStream, WrongOptionsAreNamed) {
  EXPECT_THAT(error_of("a", {.format = "xml"}), testing::HasSubstr("format 'xml'"));
  EXPECT_THAT(error_of("a", {.format = "lines", .fields = {"text"}}),
              testing::HasSubstr("plain lines have no fields"));
  EXPECT_THROW(TextStream("/nonexistent/x.csv", {}), Error);
}

TEST(TextStream, WhatCsvWritesIsReadBack) {
  rc::check([] {
    const auto rows = *rc::gen::container<std::vector<std::string>>(
        rc::gen::container<std::string>(rc::gen::element('a', '"', ',', '\n', ' ')));
    std::string text = "text\n";
    for (const std::string& row : rows) {
      text += '"';
      for (const char c : row) text += c == '"' ? "\"\"" : std::string(1, c);
      text += "\"\n";
    }
    TextStream stream(std::make_unique<std::istringstream>(text), "x", {.format = "csv"});
    TextRecord record;
    for (const std::string& row : rows) {
      if (row.empty()) continue;
      RC_ASSERT(stream.next(record));
      RC_ASSERT(record.text == row);
    }
    RC_ASSERT(!stream.next(record));
  });
}

}  // namespace
}  // namespace kith::formats

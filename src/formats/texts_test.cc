// Texts, sparse rows and runs: what isn't vectors.
#include "formats/texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/test_error.h"
#include "formats/runs.h"
#include "formats/sparse_csr.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Input input(std::string_view text, const std::string& name = "in") {
  Input in;
  in.name = name;
  in.bytes = std::as_bytes(std::span(text.data(), text.size()));
  return in;
}

std::vector<std::string> labels_of(const Texts& texts) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < texts.labels.size(); ++i) labels.push_back(texts.labels.text(i));
  return labels;
}

TEST(Texts, LinesAreTextsWithoutNames) {
  const Texts texts = parse_texts(input("one\r\n\ntwo words\nlast"), "");
  EXPECT_EQ(texts.format, "lines");
  EXPECT_THAT(texts.texts, ElementsAre("one", "", "two words", "last"));
  EXPECT_EQ(texts.labels.kind(), Labels::Kind::none);
}

TEST(Texts, TabsDivideNamesFromTexts) {
  const Texts texts = parse_texts(input("a\tone\ttwo\nb\t\n", "x.tsv"), "");
  EXPECT_THAT(texts.texts, ElementsAre("one\ttwo", ""));
  EXPECT_THAT(labels_of(texts), ElementsAre("a", "b"));
  EXPECT_THAT(error_of([] { parse_texts(input("a\tone\nb two\n"), "tsv"); }),
              HasSubstr("in: line 2: no tab"));
}

TEST(Texts, JsonObjectsGiveNameTitleAndText) {
  const Texts texts = parse_texts(input("{\"_id\": \"a\", \"title\": \"T\", \"text\": "
                                        "\"caf\\u00e9\", \"metadata\": {\"x\": []}}\n"
                                        "\n{\"text\": \"no title\", \"_id\": 7}\n",
                                        "x.jsonl"),
                                  "");
  EXPECT_THAT(texts.texts, ElementsAre("T caf\xc3\xa9", "no title"));
  EXPECT_THAT(labels_of(texts), ElementsAre("a", "7"));
  EXPECT_THAT(error_of([] { parse_texts(input("{\"_id\":\"a\"}"), "jsonl"); }),
              HasSubstr("line 1: no \"text\""));
  EXPECT_THAT(error_of([] { parse_texts(input("{\"text\":\"a\"}"), "jsonl"); }),
              HasSubstr("line 1: no \"_id\""));
  EXPECT_THAT(error_of([] { parse_texts(input("{\"_id\":\"a\",\"text\":\"b\"} x"), "jsonl"); }),
              HasSubstr("byte 23"));
  EXPECT_THAT(error_of([] { parse_texts(input(""), "csv"); }), HasSubstr("expected lines, tsv"));
}

class CsrFile : public testing::Test {
 protected:
  ~CsrFile() override { std::filesystem::remove(path_); }
  const std::string path_ =
      (std::filesystem::temp_directory_path() / std::to_string(::getpid()).append("-test.csr"))
          .string();
};

TEST_F(CsrFile, RowsReadBack) {
  rc::check("write and read", [&] {
    SparseRows rows;
    const auto sizes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
    for (const int size : sizes) {
      for (int i = 0; i < size; ++i) rows.add(static_cast<Term>(7 * i + size), 0.5f * float(i));
      rows.end_row();
    }
    write_sparse(path_, rows);
    const SparseVectors read = read_sparse(path_);
    RC_ASSERT(std::equal(rows.offsets.begin(), rows.offsets.end(), read.rows.offsets.begin(),
                         read.rows.offsets.end()));
    RC_ASSERT(std::equal(rows.terms.begin(), rows.terms.end(), read.rows.terms.begin(),
                         read.rows.terms.end()));
    RC_ASSERT(std::equal(rows.weights.begin(), rows.weights.end(), read.rows.weights.begin(),
                         read.rows.weights.end()));
  });
}

TEST(Csr, BrokenFilesAreRefusedNamingTheByte) {
  std::vector<std::int64_t> words = {2, 10, 2, 0, 1, 2, 0, 0};  // two rows, an entry each
  std::int32_t terms[2] = {3, 9};
  std::memcpy(&words[6], terms, sizeof terms);
  const auto parse = [&](std::size_t bytes) {
    Input in;
    in.name = "x.csr";
    in.bytes = std::as_bytes(std::span(words)).first(bytes);
    return parse_csr(in);
  };
  EXPECT_EQ(parse(64).rows.terms[1], 9u);
  EXPECT_THAT(error_of([&] { parse(60); }), HasSubstr("takes 64 bytes, but the file has 60"));
  EXPECT_THAT(error_of([&] { parse(10); }), HasSubstr("the file ends inside columns"));
  words[4] = 3;
  EXPECT_THAT(error_of([&] { parse(64); }), HasSubstr("byte 32: row 1 starts at entry 3"));
  words[4] = 1;
  words[1] = 9;
  EXPECT_THAT(error_of([&] { parse(64); }), HasSubstr("column 9, expected 0 to 8"));
  words[0] = -1;
  EXPECT_THAT(error_of([&] { parse(64); }), HasSubstr("number of rows -1"));
}

TEST(Runs, HitsCountByScore) {
  const std::string text =
      "q2 Q0 b 1 0.5 tag\nq1\tQ0\tz 1 -3e1 t\r\n\nq2 Q0 a 2 0.75 tag\nq2 Q0 c 3 0.5 tag";
  const std::vector<RunQuery> run = parse_run(input(text));
  ASSERT_EQ(run.size(), 2u);
  EXPECT_EQ(run[0].query, "q2");
  std::vector<std::string_view> documents;
  for (const RunHit& hit : run[0].hits) documents.push_back(hit.document);
  EXPECT_THAT(documents, ElementsAre("a", "b", "c"));
  EXPECT_EQ(run[1].hits[0].score, -30);
}

TEST(Runs, BrokenLinesAreRefusedByNumber) {
  EXPECT_THAT(error_of([] { parse_run(input("q Q0 d 1 2 t\nq Q0 d 1 2\n")); }),
              HasSubstr("in: line 2: 5 fields"));
  EXPECT_THAT(error_of([] { parse_run(input("a b c d e f g")); }), HasSubstr("more than 6 fields"));
  EXPECT_THAT(error_of([] { parse_run(input("q Q0 d 1 x t")); }), HasSubstr("score 'x'"));
  EXPECT_THAT(error_of([] { parse_run(input("q Q0 d 1 inf t")); }), HasSubstr("score 'inf'"));
}

}  // namespace
}  // namespace kith::formats

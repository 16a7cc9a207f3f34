// Indexes of texts and sparse vectors, and the fusion of what they find.
#include <gmock/gmock.h>

#include <cstring>

#include "cli/inverted.h"
#include "cli/test_tool.h"
#include "kith/sparse.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class TextTool : public ToolTest {
 protected:
  void make_texts() const {
    write_file(path("texts.tsv"),
               "fox\tThe quick brown fox jumps\nlazy\tover the lazy dog\n"
               "dogs\tDogs and foxes, foxes and dogs\n");
  }
  void build_texts(const std::vector<std::string>& options = {}) const {
    make_texts();
    std::vector<std::string> all = {"--index", "bm25"};
    all.insert(all.end(), options.begin(), options.end());
    build("texts.tsv", "texts.kith", all);
  }
};

TEST_F(TextTool, TextsAreFoundByTheirWords) {
  build_texts({"--stem", "--stop-words", "--keep-text"});
  const auto hits = kith({"search", "texts.kith", "--query", "the Fox", "--json"}).objects();
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0]["label"], "dogs");
  EXPECT_EQ(hits[0]["text"], "Dogs and foxes, foxes and dogs");
  EXPECT_EQ(hits[0]["query"], "the Fox");
  EXPECT_EQ(hits[1]["label"], "fox");
  EXPECT_GT(hits[0]["score"], hits[1]["score"]);
  const Outcome none = kith({"search", "texts.kith", "--query", "zebra"});
  EXPECT_EQ(none.exit, 0);
  EXPECT_THAT(none.err, HasSubstr("nothing found"));
}

TEST_F(TextTool, InfoTellsHowTextsWereAnalysed) {
  build_texts({"--stem", "--k1", "0.9", "--b", "0.4"});
  const auto info = kith({"info", "texts.kith", "--json"}).objects()[0];
  EXPECT_EQ(info["kind"], "bm25");
  EXPECT_EQ(info["texts"], 3);
  EXPECT_EQ(info["stems"], "English (Porter)");
  EXPECT_EQ(info["k1"], 0.9);
  EXPECT_GT(info["bytes_per_posting"], 0);
}

TEST_F(TextTool, AddedTextsAreFoundAsIfBuiltWithTheRest) {
  build_texts();
  write_file(path("more.tsv"), "more\ta fox\n");
  EXPECT_EQ(kith({"add", "texts.kith", "more.tsv"}).exit, 0);
  write_file(path("all.tsv"), read_file(path("texts.tsv")) + read_file(path("more.tsv")));
  build("all.tsv", "all.kith", {"--index", "bm25"});
  EXPECT_EQ(read_file(path("texts.kith")), read_file(path("all.kith")));
}

TEST_F(TextTool, SparseVectorsAreSearchedByFiles) {
  SparseRows rows;
  for (Term t = 0; t < 50; ++t) {
    rows.add(t, 1.0f);
    rows.add(t + 1, 0.25f);
    rows.end_row();
  }
  write_sparse(path("base.csr"), rows);
  write_sparse(path("query.csr"), rows.view().slice(10, 2));
  for (const char* weights : {"f32", "f16", "u8"}) {
    build("base.csr", "base.kith", {"--index", "sparse", "--weights", weights});
    const auto hits = kith({"search", "base.kith", "query.csr", "-k", "2", "--json"}).objects();
    ASSERT_EQ(hits.size(), 4u);
    EXPECT_EQ(hits[0]["label"], 10);
    EXPECT_EQ(hits[2]["label"], 11);
    EXPECT_NEAR(hits[0]["inner product"], 1.0625, 0.01);
  }
  EXPECT_EQ(kith({"add", "base.kith", "query.csr"}).exit, 0);
  EXPECT_EQ(kith({"info", "base.kith", "--json"}).objects()[0]["vectors"], 52);
}

TEST_F(TextTool, RunsOfDenseAndSparseSearchesFuse) {
  build_texts();
  write_file(path("queries.tsv"), "q1\tfox dog\nq2\tlazy\n");
  make_words("dense.txt", 10, 4, 1);
  build("dense.txt", "dense.kith");
  EXPECT_EQ(kith({"search", "texts.kith", "queries.tsv", "-o", "sparse.run"}).exit, 0);
  EXPECT_EQ(kith({"search", "dense.kith", "dense.txt", "-k", "3", "-o", "dense.run"}).exit, 0);
  EXPECT_THAT(read_file(path("sparse.run")), HasSubstr("q2 Q0 lazy 1 "));
  EXPECT_THAT(read_file(path("dense.run")), HasSubstr("w3 Q0 w3 1 "));
  write_file(path("other.run"), "q1 Q0 dogs 1 9 x\nq1 Q0 fox 2 1 x\nq3 Q0 lazy 1 1 x\n");
  const auto hits =
      kith({"fuse", "sparse.run", "other.run", "--weights", "0,1", "--method", "minmax", "--json"})
          .objects();
  EXPECT_EQ(hits[0]["label"], "dogs");
  EXPECT_EQ(hits[0]["score"], 1);
  const Outcome fused = kith({"fuse", "sparse.run", "other.run", "-k", "1", "-o", "fused.run"});
  EXPECT_EQ(fused.exit, 0) << fused.err;
  EXPECT_THAT(read_file(path("fused.run")), HasSubstr("q3 Q0 lazy 1 0.016"));
}

TEST_F(TextTool, WrongCommandsSayWhatWasExpected) {
  build_texts();
  make_words("dense.txt", 10, 4, 1);
  build("dense.txt", "dense.kith");
  write_file(path("bad.run"), "q Q0 d 1 1 x\nq Q0 d 2 1 x\n");
  expect_error({"search", "texts.kith", "--like", "fox"}, 2, {"--like", "no index of dense"});
  expect_error({"search", "texts.kith"}, 2, {"nothing to search for", "--query"});
  expect_error({"search", "dense.kith", "--query", "x"}, 2, {"--query", "holds dense vectors"});
  expect_error({"eval", "texts.kith", "dense.txt", "dense.txt"}, 1, {"'bm25'"});
  expect_error({"build", "texts.tsv", "-o", "x.kith", "--index", "bm25", "--degree", "9"}, 2,
               {"--degree", "--index is bm25"});
  expect_error({"build", "dense.txt", "-o", "x.kith", "--stem"}, 2, {"--stem"});
  expect_error({"build", "texts.tsv", "-o", "x.kith", "--index", "sparse"}, 1, {"texts.tsv"});
  expect_error({"fuse", "bad.run"}, 1, {"bad.run", "lists document 'd' twice"});
  expect_error({"fuse", "bad.run", "--method", "sum"}, 2, {"expected rrf, minmax or distribution"});
  expect_error({"fuse", "bad.run", "--weights", "1,2"}, 2, {"2 numbers for 1 runs"});
}

TEST_F(TextTool, BenchPrintsPrunedBesideExhaustive) {
  make_texts();
  const auto rows =
      kith({"bench", "sparse", "texts.tsv", "--words", "2", "--k", "3", "--queries", "4", "--json"})
          .objects();
  ASSERT_EQ(rows.size(), 5u);  // one length and k, four ways to store weights
  EXPECT_GT(rows[0]["pruned_us"], 0);
  EXPECT_EQ(rows[1]["weights"], "counts");
}

TEST(Snippet, CutsOnWholeCharactersAndFoldsSpace) {
  EXPECT_EQ(snippet("  one\n\ttwo  ", 20), "one two");
  EXPECT_EQ(snippet("exactly ten", 11), "exactly ten");
  EXPECT_EQ(snippet("exactly eleven", 11), "exactly...");
  EXPECT_EQ(snippet("\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd", 5), "\xe6\x9d\xb1...");
}

}  // namespace
}  // namespace kith::cli

#include <set>

#include "cli/test_tool.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

class Search : public ToolTest {
 protected:
  static constexpr std::size_t kRows = 500, kDim = 12;

  Search() {
    make_words("words.txt", kRows, kDim, 1);
    build("words.txt", "words.kith", {"--metric", "cosine"});
    make_vectors("queries.fvecs", 15, kDim, 2);
  }
};

TEST_F(Search, FindsWhatIsLikeAWordButNotTheWordItself) {
  const Outcome outcome = kith({"search", "words.kith", "--like", "w17", "-k", "5", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto hits = outcome.objects();
  ASSERT_EQ(hits.size(), 5u);
  double last = 1.0001;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    EXPECT_EQ(hits[i].at("query"), "w17");
    EXPECT_EQ(hits[i].at("rank"), i + 1);
    EXPECT_NE(hits[i].at("label"), "w17");
    EXPECT_LE(hits[i].at("value").get<double>(), last);
    last = hits[i].at("value");
  }
}

TEST_F(Search, PrintsWordsWithTheMetricsCustomaryValue) {
  const Outcome outcome = kith({"search", "words.kith", "--like", "w3", "--like", "w4", "-k", "2"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("query  rank  label  cosine\nw3        1  w")) << outcome.out;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 5);
}

TEST_F(Search, ReturnsOnlyWhatLabelsOrAPatternAllow) {
  write_file(path("some.txt"), "w7\nw9\r\nw11\n");
  const auto labels = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"search", "words.kith", "--like", "w17", "--json"});
    std::set<std::string> labels;
    for (const auto& hit : kith(options).objects()) labels.insert(hit.at("label"));
    return labels;
  };
  EXPECT_EQ(labels({"--only", "some.txt"}), (std::set<std::string>{"w7", "w9", "w11"}));
  EXPECT_EQ(labels({"--match", "^w4.$", "-k", "20"}).size(), 10u);
  const std::set<std::string> nearest = labels({"-k", "2"});
  write_file(path("nearest.txt"), *nearest.begin() + "\n" + *nearest.rbegin() + "\n");
  for (const std::string& label : labels({"--without", "nearest.txt"})) {
    EXPECT_FALSE(nearest.contains(label)) << label;
  }
  write_file(path("unknown.txt"), "w7\nw9999\n");
  const Outcome unknown = kith({"search", "words.kith", "--like", "w1", "--only", "unknown.txt"});
  EXPECT_NE(unknown.exit, 0);
  EXPECT_NE(unknown.err.find("'w9999'"), std::string::npos) << unknown.err;
  const Outcome broken = kith({"search", "words.kith", "--like", "w1", "--match", "("});
  EXPECT_NE(broken.err.find("expected a regular expression"), std::string::npos) << broken.err;
}

TEST_F(Search, WritesWhatItWouldPrint) {
  ASSERT_EQ(kith({"search", "words.kith", "queries.fvecs", "-k", "7", "-o", "found.ibin"}).exit, 0);
  const Neighbours found = read_neighbours(path("found.ibin"));
  ASSERT_EQ(found.queries(), 15u);
  ASSERT_EQ(found.k(), 7u);
  const auto hits = kith({"search", "words.kith", "queries.fvecs", "-k", "7", "--json"}).objects();
  ASSERT_EQ(hits.size(), 15u * 7u);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    EXPECT_EQ(hits[i].at("label"), "w" + std::to_string(found.ids(i / 7, i % 7)));
    if (found.distances.rows() > 0) {
      EXPECT_FLOAT_EQ(hits[i].at("value").get<float>(), found.distances(i / 7, i % 7));
    }
  }
}

TEST_F(Search, TakesATypedVector) {
  const Matrix<float> rows = vectors(kRows, kDim, 1);
  std::string text;
  for (std::size_t j = 0; j < kDim; ++j) {
    text += (j > 0 ? "," : "") + std::to_string(rows(42, j));
  }
  const Outcome outcome = kith({"search", "words.kith", "--vector", text, "-k", "1", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().at(0).at("label"), "w42");
}

TEST_F(Search, FindsAllWithinARadius) {
  const Matrix<float> rows = vectors(kRows, kDim, 1);
  ExactOptions exact;
  exact.k = kRows;
  exact.metric = Metric::cosine;
  const Neighbours all = exact_search(rows, rows.view().slice(17, 1), exact);
  std::size_t expected = 0;
  while (expected < kRows && all.distances(0, expected) <= 0.2f) ++expected;
  ASSERT_GT(expected, 1u);

  const Outcome outcome =
      kith({"search", "words.kith", "--like", "w17", "--radius", "0.8", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.objects().size(), expected - 1);  // itself is no hit
  for (const auto& hit : outcome.objects()) EXPECT_GE(hit.at("value").get<double>(), 0.7999);
}

TEST_F(Search, GivesTheHitsThereAreAndANoteForATooLargeK) {
  const Outcome outcome = kith({"search", "words.kith", "--like", "w1", "-k", "9999", "--json"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_EQ(outcome.objects().size(), kRows - 1);
  EXPECT_EQ(outcome.err, "kith: note: k = 9999, but words.kith holds 500 vectors: 499 hits\n");
}

TEST_F(Search, ShowsPeopleTheFirstQueriesAndSaysSo) {
  const Outcome outcome = kith({"search", "words.kith", "queries.fvecs", "-k", "1"});
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 11);
  EXPECT_NE(outcome.err.find("first 10 of 15 queries"), std::string::npos) << outcome.err;
}

TEST_F(Search, RefusesWhatItCannotSearchFor) {
  make_vectors("wide.fvecs", 3, kDim + 1, 2);
  expect_error({"search", "words.kith", "wide.fvecs"}, 2,
               {"wide.fvecs: 13 dimensions, but words.kith has 12"});
  expect_error({"search", "words.kith", "--like", "nobody"}, 1, {"words.kith", "nobody"});
  expect_error({"search", "words.kith", "--vector", "1,2"}, 2, {"2 components", "12 dimensions"});
  expect_error({"search", "words.kith", "--vector", "1,nan"}, 2, {"component 1", "nan"});
  expect_error({"search", "words.kith", "--vector", "0,0,0,0,0,0,0,0,0,0,0,0"}, 2, {"zero"});
  expect_error({"search", "words.kith"}, 2, {"nothing to search for", "--like"});
  expect_error({"search", "words.kith", "queries.fvecs", "--like", "w1"}, 2, {"too much"});
}

TEST_F(Search, RefusesBadNumbers) {
  for (const std::string k : {"0", "-1", "ten", "1e9", "99999999999"}) {
    expect_error({"search", "words.kith", "--like", "w1", "-k", k}, 2,
                 {"-k: '" + k + "', expected a whole number from 1"});
  }
  expect_error({"search", "words.kith", "--like", "w1", "--beam", "0"}, 2, {"--beam"});
  expect_error({"search", "words.kith", "--like", "w1", "--radius", "0.5", "-k", "3"}, 2,
               {"--radius"});
  expect_error({"search", "words.kith", "--like", "w1", "--radius", "0.5", "-o", "x.ibin"}, 2,
               {"--radius", "--json"});
}

TEST_F(Search, RefusesOutputsItCannotWriteOrShouldNot) {
  expect_error({"search", "words.kith", "queries.fvecs", "-o", "no/folder/found.ibin"}, 1,
               {"no/folder/found.ibin"});
  expect_error({"search", "words.kith", "queries.fvecs", "-o", "queries.fvecs"}, 2, {"overwrite"});
  expect_error({"search", "words.kith", "queries.fvecs", "-o", "words.kith"}, 2, {"overwrite"});
}

TEST_F(Search, RefusesCorruptIndexes) {
  const std::string whole = read_file(path("words.kith"));
  expect_error({"search", "absent.kith", "--like", "w1"}, 1, {"absent.kith"});
  write_file(path("empty.kith"), "");
  expect_error({"search", "empty.kith", "--like", "w1"}, 1, {"empty.kith"});
  write_file(path("cut.kith"), whole.substr(0, whole.size() / 2));
  expect_error({"search", "cut.kith", "--like", "w1"}, 1, {"cut.kith"});
  write_file(path("other.kith"), read_file(path("words.txt")));
  expect_error({"search", "other.kith", "--like", "w1"}, 1, {"other.kith"});
  for (const std::size_t position : {whole.size() / 3, whole.size() / 2, whole.size() - 100}) {
    std::string flipped = whole;
    flipped[position] = static_cast<char>(flipped[position] ^ 0x10);
    write_file(path("flipped.kith"), flipped);
    expect_error({"search", "flipped.kith", "--like", "w1"}, 1, {"flipped.kith"});
  }
}

}  // namespace
}  // namespace kith::cli

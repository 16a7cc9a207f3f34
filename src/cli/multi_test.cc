// Sets of vectors in the verbs.
#include <gmock/gmock.h>

#include "cli/test_tool.h"
#include "codec/stage.h"
#include "kith/maxsim.h"
#include "kith/vector_sets.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

std::string numbered(char letter, std::size_t number) {
  std::string name(1, letter);
  return name.append(std::to_string(number));
}

// 300 documents of 3 to 9 vectors; query q is made of vectors of document 7 q.
class MultiTool : public ToolTest {
 protected:
  MultiTool() {
    VectorSetRows documents, queries;
    for (std::size_t i = 0; i < 300; ++i) {
      documents.offsets.push_back(documents.offsets.back() + 3 + i % 7);
    }
    documents.vectors = vectors(documents.offsets.back(), 16, 1);
    for (std::size_t i = 0; i < documents.vectors.rows(); ++i) {
      normalise(documents.vectors.row(i), 16);
    }
    std::vector<std::string> names, query_names;
    queries.vectors = Matrix<float>(20 * 3, 16);
    for (std::size_t q = 0; q < 20; ++q) {
      for (std::size_t t = 0; t < 3; ++t) {
        std::copy_n(documents.vectors.row(documents.offsets[7 * q] + t), 16,
                    queries.vectors.row(3 * q + t));
      }
      queries.offsets.push_back(3 * (q + 1));
      query_names.push_back(numbered('q', q));
    }
    for (std::size_t i = 0; i < 300; ++i) names.push_back(numbered('d', i));
    write_vector_sets(path("tokens.safetensors"), documents, Labels(names));
    write_vector_sets(path("queries.safetensors"), queries, Labels(query_names));
  }

  Outcome build(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{
        "build", "tokens.safetensors", "--multi", "-o", "tokens.kith", "--fde", "10,3,8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return kith(arguments);
  }
};

TEST_F(MultiTool, BuildSearchAndInfoTakeSets) {
  const Outcome built = build({"--tokens", "lvq8", "--codec", "lvq8", "--json"});
  ASSERT_EQ(built.exit, 0) << built.err;
  EXPECT_EQ(built.objects()[0]["sets"], 300);
  EXPECT_EQ(built.objects()[0]["encoding_dim"], 10 * 8 * 8);
  const auto info = kith({"info", "tokens.kith", "--json"}).objects()[0];
  EXPECT_EQ(info["kind"], "sets");
  EXPECT_EQ(info["tokens"], "lvq8");
  EXPECT_EQ(info["codec"], "lvq8");
  EXPECT_EQ(info["encoding"], "fde1 of 16 dimensions, 10 x 2^3 x 8 dense, seed 1");
  const auto hits = kith({"search", "tokens.kith", "queries.safetensors", "-k", "1", "--json"});
  ASSERT_EQ(hits.exit, 0) << hits.err;
  ASSERT_EQ(hits.objects().size(), 20u);
  for (std::size_t q = 0; q < 20; ++q) {
    EXPECT_EQ(hits.objects()[q]["query"], numbered('q', q));
    EXPECT_EQ(hits.objects()[q]["label"], numbered('d', 7 * q));
  }
}

TEST_F(MultiTool, InfoTellsWhatAFileOfSetsHolds) {
  const auto info = kith({"info", "tokens.safetensors", "--multi", "--json"}).objects()[0];
  EXPECT_EQ(info["sets"], 300);
  EXPECT_EQ(info["fewest"], 3);
  EXPECT_EQ(info["most"], 9);
  EXPECT_EQ(info["labels"], true);
  // Without --multi its vectors are vectors like any others.
  EXPECT_EQ(kith({"info", "tokens.safetensors", "--json"}).objects()[0]["vectors"],
            info["vectors"]);
}

TEST_F(MultiTool, ExactGivesTheTruthThatEvalComparesWith) {
  ASSERT_EQ(build().exit, 0);
  const Outcome exact = kith({"exact", "tokens.safetensors", "queries.safetensors", "--multi", "-k",
                              "20", "-o", "truth.ibin", "--json"});
  ASSERT_EQ(exact.exit, 0) << exact.err;
  EXPECT_EQ(exact.objects()[0]["metric"], "maxsim");
  EXPECT_EQ(exact.objects()[0]["query_vectors"], 60);
  const Neighbours truth = read_neighbours(path("truth.ibin"));
  const VectorSets documents = read_vector_sets(path("tokens.safetensors"));
  const VectorSets queries = read_vector_sets(path("queries.safetensors"));
  EXPECT_EQ(truth.distances(2, 0), maxsim(queries.sets.set(2), documents.sets.set(14)));
  const Outcome eval =
      kith({"eval", "tokens.kith", "queries.safetensors", "truth.ibin", "--candidates", "10,300",
            "--seconds", "0.05", "--threads", "1", "--json"});
  ASSERT_EQ(eval.exit, 0) << eval.err;
  ASSERT_EQ(eval.objects().size(), 2u);
  EXPECT_EQ(eval.objects()[1]["candidates"], 300);
  EXPECT_GT(eval.objects()[1]["recall"], 0.99);
  EXPECT_GT(eval.objects()[0]["qps_cpu"], 0);
}

TEST_F(MultiTool, HitsGoToFilesOfListsAndRuns) {
  ASSERT_EQ(build().exit, 0);
  ASSERT_EQ(kith({"search", "tokens.kith", "queries.safetensors", "-k", "3", "-o", "x.ibin"}).exit,
            0);
  EXPECT_EQ(read_neighbours(path("x.ibin")).ids(3, 0), 21u);
  ASSERT_EQ(
      kith({"search", "tokens.kith", "queries.safetensors", "--carve", "0.9", "-o", "x.run"}).exit,
      0);
  EXPECT_THAT(read_file(path("x.run")), HasSubstr("q3 Q0 d21 1 "));
}

TEST_F(MultiTool, OptionsThatDoNotFitAreRefusedByName) {
  expect_error({"build", "tokens.safetensors", "-o", "x.kith", "--tokens", "lvq8"}, 2,
               {"--tokens: an option of sets of vectors, expected --multi"});
  expect_error({"build", "tokens.safetensors", "-o", "x.kith", "--multi", "--metric", "l2"}, 2,
               {"--metric: sets of vectors are compared by MaxSim"});
  expect_error({"build", "tokens.safetensors", "-o", "x.kith", "--multi", "--index", "bm25"}, 2,
               {"--multi: sets of vectors, but --index is bm25"});
  expect_error({"build", "tokens.safetensors", "-o", "x.kith", "--multi", "--fde", "20,5"}, 2,
               {"--fde: '20,5', expected repetitions, planes and inner dimension"});
  expect_error({"build", "tokens.safetensors", "-o", "x.kith", "--multi", "--fill", "x"}, 2,
               {"--fill: 'x', expected auto, on or off"});
  expect_error({"build", "tokens.safetensors", "-o", "x.kith", "--multi", "--tokens", "pq8"}, 2,
               {"codec 'pq8' for tokens, expected one of f32"});
  expect_error({"exact", "tokens.safetensors", "queries.safetensors", "--multi", "--metric", "l2",
                "-o", "x.ibin"},
               2, {"--metric: l2, but sets are compared by MaxSim"});
  ASSERT_EQ(build().exit, 0);
  expect_error({"search", "tokens.kith"}, 2, {"nothing to search for"});
  expect_error({"search", "tokens.kith", "queries.safetensors", "--like", "d1"}, 2,
               {"--like: tokens.kith is no index of dense vectors"});
  expect_error({"eval", "tokens.kith", "queries.safetensors", "x.ibin", "--beams", "1"}, 2,
               {"--beams: tokens.kith is an index of sets"});
  expect_error({"add", "tokens.kith", "tokens.safetensors"}, 1,
               {"tokens.kith: an index of sets, which isn't added to"});
}

TEST_F(MultiTool, BrokenSetsAreRefusedWithTheFileAndThePlace) {
  write_file(path("a.jsonl"), "{\"vectors\": [[1, 2]]}\n{\"vectors\": [[1, 2, 3]]}\n");
  expect_error({"build", "a.jsonl", "--multi", "-o", "x.kith"}, 1,
               {"a.jsonl: line 2: a vector of 3 components, but the first of the file has 2"});
  ASSERT_EQ(build().exit, 0);
  write_file(path("b.jsonl"), "{\"vectors\": [[1, 2]]}\n");
  expect_error({"search", "tokens.kith", "b.jsonl"}, 2,
               {"b.jsonl: 2 dimensions, but tokens.kith has 16"});
}

TEST_F(MultiTool, SetsOfJsonLinesAreNamedByTheirMembers) {
  std::string lines;
  for (std::size_t i = 0; i < 30; ++i) {
    const std::string number = std::to_string(i);
    lines.append(R"({"id": ")").append(numbered('t', i)).append(R"(", "t": [[)").append(number);
    lines.append(", 1], [0, ").append(number).append("]]}\n");
  }
  write_file(path("a.jsonl"), lines);
  ASSERT_EQ(kith({"build", "a.jsonl", "--dataset", "t", "--multi", "-o", "x.kith"}).exit, 0);
  const Outcome found = kith({"search", "x.kith", "a.jsonl", "--dataset", "t", "-k", "1"});
  EXPECT_EQ(found.exit, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr("maxsim"));
  EXPECT_THAT(found.out, HasSubstr("t29"));
  EXPECT_THAT(found.err, HasSubstr("the first 10 of 30 queries"));
}

}  // namespace
}  // namespace kith::cli

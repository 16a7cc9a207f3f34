#include "kith/set_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/test_error.h"
#include "base/test_path.h"
#include "index/test_sets.h"
#include "kith/exact.h"
#include "kith/maxsim.h"

namespace kith {
namespace {

using ::testing::HasSubstr;

// Documents about topics, and queries whose vectors lie near those of one document.
struct Corpus {
  VectorSetRows documents, queries;
};

Corpus corpus(std::size_t count, std::size_t dim = 32) {
  Corpus c{random_sets(count, 6, 14, dim, 1), random_sets(count / 8, 4, 4, dim, 3)};
  Random random(5);
  for (std::size_t q = 0; q < c.queries.view().size(); ++q) {
    const std::size_t target = random.below(count);
    for (std::size_t t = 0; t < 4; ++t) {
      const float* near = c.documents.vectors.row(c.documents.offsets[target] + t);
      float* row = c.queries.vectors.row(4 * q + t);
      for (std::size_t j = 0; j < dim; ++j) row[j] = 0.6f * row[j] + near[j];
    }
  }
  return c;
}

SetBuildOptions small_options(const std::string& index = "flat", const std::string& codec = "f32") {
  SetBuildOptions options;
  options.fde = {.repetitions = 10, .planes = 3, .inner_dim = 8};
  options.candidates.index = index;
  options.candidates.codec = codec;
  options.tokens = "f32";
  return options;
}

void expect_same(const Neighbours& a, const Neighbours& b) {
  ASSERT_EQ(a.queries(), b.queries());
  for (std::size_t q = 0; q < a.queries(); ++q) {
    for (std::size_t i = 0; i < a.k(); ++i) {
      EXPECT_EQ(a.ids(q, i), b.ids(q, i)) << q << ", " << i;
      EXPECT_EQ(a.distances(q, i), b.distances(q, i)) << q << ", " << i;
    }
  }
}

TEST(SetIndex, WithEverySetACandidateIsExact) {
  const Corpus c = corpus(200);
  const SetIndex index = SetIndex::build(c.documents, {}, small_options());
  expect_same(index.search(c.queries, 10, {.candidates = 200}),
              exact_maxsim(c.documents, c.queries, {.k = 10}));
}

TEST(SetIndex, EveryKindOfIndexFindsTheNearestSetAmongFewCandidates) {
  const Corpus c = corpus(2400);
  const Neighbours truth = exact_maxsim(c.documents, c.queries, {.k = 10});
  for (const auto& [kind, codec] : {std::pair{"flat", "lvq8"}, std::pair{"graph", "lvq8"},
                                    std::pair{"ivf", "pq40+lvq8"}, std::pair{"auto", "auto"}}) {
    const SetIndex index = SetIndex::build(c.documents, {}, small_options(kind, codec));
    const Neighbours found = index.search(c.queries, 10, {.candidates = 200});
    EXPECT_GT(recall_at(found, truth, 1), 0.97) << kind << " " << codec;
  }
}

TEST(SetIndex, MoreCandidatesFindMore) {
  const Corpus c = corpus(2000);
  const Neighbours truth = exact_maxsim(c.documents, c.queries, {.k = 10});
  SetBuildOptions options = small_options();
  options.fde.repetitions = 1;  // so that there is something to miss
  const SetIndex index = SetIndex::build(c.documents, {}, options);
  double before = 0;
  for (const std::size_t candidates : {10, 100, 1000}) {
    const double recall =
        recall_at(index.search(c.queries, 10, {.candidates = candidates}), truth, 10);
    EXPECT_GT(recall, before);
    before = recall;
  }
}

TEST(SetIndex, AnswersTheSameWhenOpenedFromItsFile) {
  const Corpus c = corpus(300);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 300; ++i) names.push_back("set " + std::to_string(i));
  const std::string path = test_path("sets.kith");
  for (const char* tokens : {"f32", "f16", "lvq8", "lvq4", "residual4", "residual2"}) {
    SetBuildOptions options = small_options("graph", "lvq8");
    options.tokens = tokens;
    const SetIndex built = SetIndex::build(c.documents, Labels(names), options);
    built.save(path);
    for (const bool in_memory : {false, true}) {
      const SetIndex opened = SetIndex::open(path, {.in_memory = in_memory});
      expect_same(opened.search(c.queries, 10), built.search(c.queries, 10));
      EXPECT_EQ(opened.labels().text(7), "set 7");
      EXPECT_EQ(opened.info().encoding, built.info().encoding);
      EXPECT_EQ(opened.info().tokens, tokens);
      EXPECT_EQ(opened.info().bytes, built.info().bytes);
      EXPECT_EQ(opened.size(), 300u);
      EXPECT_EQ(opened.dim(), 32u);
    }
  }
  std::filesystem::remove(path);
}

TEST(SetIndex, ParallelBuildsAndSearchesGiveTheSameBits) {
  const Corpus c = corpus(600);
  SetBuildOptions options = small_options("graph", "lvq8");
  options.tokens = "residual2";
  const std::string one_path = test_path("one.kith"), many_path = test_path("many.kith");
  options.control.threads = 1;
  const SetIndex one = SetIndex::build(c.documents, {}, options);
  one.save(one_path);
  options.control.threads = 4;
  SetIndex::build(c.documents, {}, options).save(many_path);
  std::ifstream a(one_path, std::ios::binary), b(many_path, std::ios::binary);
  EXPECT_TRUE(std::equal(std::istreambuf_iterator<char>(a), {}, std::istreambuf_iterator<char>(b),
                         std::istreambuf_iterator<char>()));
  const Neighbours found = one.search(c.queries, 5, {.control = on_threads(1)});
  expect_same(found, one.search(c.queries, 5, {.control = on_threads(4)}));
  // Few queries share their candidates among threads, many don't.
  const Neighbours alone = one.search(c.queries.view().slice(2, 1), 5, {.control = on_threads(4)});
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(alone.ids(0, i), found.ids(2, i));
  std::filesystem::remove(one_path);
  std::filesystem::remove(many_path);
}

TEST(SetIndex, CarvedQueriesRankByTheVectorsThatAreLeft) {
  const Corpus c = corpus(200);
  const SetIndex index = SetIndex::build(c.documents, {}, small_options());
  expect_same(index.search(c.queries, 10, {.candidates = 200, .carve = 0.1f}),
              exact_maxsim(c.documents, carve(c.queries, 0.1f), {.k = 10}));
  expect_same(index.search(c.queries, 10, {.candidates = 200, .carve = 1e9f}),
              index.search(c.queries, 10, {.candidates = 200}));
}

TEST(SetIndex, FillsCellsWhereSetsHaveAVectorForEach) {
  const VectorSetRows sets = random_sets(50, 8, 8, 16, 1);
  SetBuildOptions options = small_options();
  EXPECT_TRUE(SetIndex::build(sets, {}, options).info().fill);
  options.fde.planes = 4;
  EXPECT_FALSE(SetIndex::build(sets, {}, options).info().fill);
  options.fill = true;
  EXPECT_TRUE(SetIndex::build(sets, {}, options).info().fill);
}

TEST(SetIndex, FewerSetsThanHitsArePadded) {
  const VectorSetRows sets = random_sets(3, 2, 4, 8, 1);
  const Neighbours found =
      SetIndex::build(sets, {}, small_options()).search(random_sets(2, 1, 2, 8, 2), 5);
  EXPECT_NE(found.ids(1, 2), kNoId);
  EXPECT_EQ(found.ids(1, 3), kNoId);
}

TEST(SetIndex, RefusesWhatDoesNotFitWithItsName) {
  const VectorSetRows sets = random_sets(20, 2, 4, 8, 1);
  const SetIndex index = SetIndex::build(sets, {}, small_options());
  EXPECT_EQ(error_of([&] { index.search(random_sets(1, 1, 1, 9, 1), 3); }),
            "queries: 9 dimensions, but the index has 8");
  EXPECT_THAT(error_of([&] { index.search(sets, 0); }), HasSubstr("k = 0"));
  SetBuildOptions options = small_options();
  options.tokens = "pq4";
  EXPECT_THAT(error_of([&] { SetIndex::build(sets, {}, options); }),
              HasSubstr("codec 'pq4' for tokens, expected one of f32"));
  EXPECT_THAT(error_of([&] {
                SetIndex::build(sets, Labels(std::vector<std::uint64_t>{1, 2}), small_options());
              }),
              HasSubstr("2 labels for 20 sets"));
}

TEST(SetIndex, FilesOfOtherKindsAreRefusedEachWay) {
  const VectorSetRows sets = random_sets(20, 2, 4, 8, 1);
  const std::string path = test_path("x.kith");
  SetIndex::build(sets, {}, small_options()).save(path);
  EXPECT_THAT(error_of([&] { Index::open(path); }),
              HasSubstr("an index of sets of vectors, expected one of vectors"));
  Index::build(sets.vectors, {}, {}).save(path);
  EXPECT_THAT(error_of([&] { SetIndex::open(path); }),
              HasSubstr("index kind 'flat', expected one of sets of vectors"));
  std::filesystem::remove(path);
}

TEST(SetIndex, ChangedOrTruncatedFilesAreRefused) {
  const VectorSetRows sets = random_sets(20, 2, 4, 8, 1);
  const std::string path = test_path("x.kith");
  SetIndex::build(sets, {}, small_options()).save(path);
  std::ifstream stream(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(stream), {}};
  for (std::size_t at = 0; at < whole.size(); at += 97) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    std::ofstream(path, std::ios::binary) << changed;
    const std::string first = error_of([&] { SetIndex::open(path); });
    std::ofstream(path, std::ios::binary) << whole.substr(0, at);
    EXPECT_NE(error_of([&] { SetIndex::open(path); }), "") << at;
    // Only zero bytes between sections may change.
    if (!first.empty()) continue;
    EXPECT_EQ(whole[at], '\0') << at;
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kith

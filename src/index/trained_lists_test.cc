#include "kith/trained_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "formats/test_files.h"
#include "index/lists_content.h"
#include "index/test_data.h"
#include "kith/index.h"

namespace kith {
namespace {

using testing::HasSubstr;

constexpr std::size_t kRows = 3000, kDim = 24, kLists = 40, kParts = 8;

class TrainedListsTest : public testing::Test {
 protected:
  static std::shared_ptr<const TrainedLists> learned(
      const Matrix<float>& rows, Metric metric,
      ProductQuantiser::Turn turn = ProductQuantiser::Turn::none) {
    ListTraining training;
    training.metric = metric;
    training.lists = kLists;
    training.parts = kParts;
    training.turn = turn;
    return std::make_shared<const TrainedLists>(
        std::make_shared<const ListsContent>(learn_lists(rows.view(), training)));
  }
  static BuildOptions options(Metric metric) {
    BuildOptions options;
    options.metric = metric;
    options.index = "ivf";
    options.lists = kLists;
    options.codec = "pq8+lvq8";
    return options;
  }
  static bool same(const Neighbours& a, const Neighbours& b) {
    for (std::size_t q = 0; q < a.queries(); ++q) {
      for (std::size_t i = 0; i < a.k(); ++i) {
        if (a.ids(q, i) != b.ids(q, i)) return false;
      }
    }
    return a.queries() == b.queries();
  }

  const Matrix<float> rows_ = clustered(kRows, kDim, 1);
  formats::TemporaryFolder folder_;
};

TEST_F(TrainedListsTest, MakeTheIndexThatABuildWhichLearnsTheSameMakes) {
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    BuildOptions own = options(metric);
    const Index learns = Index::build(rows_.view(), Labels(), own);
    own.trained = learned(rows_, metric);
    const Index given = Index::build(rows_.view(), Labels(), own);
    EXPECT_EQ(given.info().codec, learns.info().codec);
    EXPECT_TRUE(same(given.search(rows_.view(), 10), learns.search(rows_.view(), 10)));
  }
}

TEST_F(TrainedListsTest, SayWhatIsBuiltWhereNothingElseDoes) {
  BuildOptions own;
  own.metric = Metric::cosine;
  own.trained = learned(rows_, Metric::cosine, ProductQuantiser::Turn::learned);
  const Index index = Index::build(rows_.view(), Labels(), own);
  EXPECT_EQ(index.info().kind, "ivf");
  EXPECT_EQ(index.info().lists, kLists);
  EXPECT_THAT(index.info().codec, HasSubstr("opq8+"));
}

TEST_F(TrainedListsTest, AreTheSameReadFromTheirFile) {
  for (const auto turn : {ProductQuantiser::Turn::none, ProductQuantiser::Turn::learned}) {
    const auto made = learned(rows_, Metric::ip, turn);
    const std::string path = folder_.file("lists.kith");
    made->save(path);
    BuildOptions own;
    own.metric = Metric::ip;
    own.trained = made;
    const Index before = Index::build(rows_.view(), Labels(), own);
    own.trained = std::make_shared<const TrainedLists>(TrainedLists::open(path));
    EXPECT_EQ(own.trained->codec(), made->codec());
    const Index after = Index::build(rows_.view(), Labels(), own);
    EXPECT_TRUE(same(before.search(rows_.view(), 5), after.search(rows_.view(), 5)));
  }
}

TEST_F(TrainedListsTest, AreRefusedWhereTheyDoNotFit) {
  const auto trained = learned(rows_, Metric::l2);
  const auto refusal = [&](const auto& change) {
    BuildOptions own;
    own.trained = trained;
    change(own);
    return error_of([&] { Index::build(rows_.view(), Labels(), own); });
  };
  EXPECT_THAT(refusal([](BuildOptions& own) { own.metric = Metric::ip; }), HasSubstr("under l2"));
  EXPECT_THAT(refusal([](BuildOptions& own) { own.index = "graph"; }), HasSubstr("expected ivf"));
  EXPECT_THAT(refusal([](BuildOptions& own) { own.lists = 10; }), HasSubstr("40 were trained"));
  EXPECT_THAT(refusal([](BuildOptions& own) { own.codec = "pq4+f16"; }),
              HasSubstr("pq8 was trained"));
  EXPECT_THAT(refusal([](BuildOptions& own) { own.balance = 2; }), HasSubstr("balanced"));
  const Matrix<float> wider = clustered(100, kDim + 1, 1);
  BuildOptions own;
  own.trained = trained;
  EXPECT_THAT(error_of([&] { Index::build(wider.view(), Labels(), own); }),
              HasSubstr("24 dimensions for vectors of 25"));
}

TEST_F(TrainedListsTest, BrokenFilesAreRefused) {
  const std::string path = folder_.file("lists.kith");
  learned(rows_, Metric::l2)->save(path);
  const std::string bytes = formats::file_bytes(path);
  for (std::size_t size = 0; size < bytes.size(); size += 997) {
    formats::write_bytes(path, bytes.substr(0, size));
    EXPECT_NE(error_of([&] { TrainedLists::open(path); }), "") << size;
  }
  formats::write_bytes(path, bytes);
  Index::build(rows_.view(), Labels(), {}).save(folder_.file("index.kith"));
  EXPECT_THAT(error_of([&] { TrainedLists::open(folder_.file("index.kith")); }),
              HasSubstr("no trained lists"));
}

}  // namespace
}  // namespace kith

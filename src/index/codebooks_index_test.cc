// Product codes of any number of bits in every kind of index, by codewords of k-means or given
// ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "codec/codebooks.h"
#include "formats/test_files.h"
#include "index/test_data.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

using testing::HasSubstr;

constexpr std::size_t kRows = 1200, kDim = 24;

class CodebooksIndexTest : public testing::Test {
 protected:
  std::shared_ptr<const TrainedCodebooks> trained(std::size_t parts, int bits,
                                                  Metric metric = Metric::l2) const {
    auto content = std::make_shared<CodebooksContent>();
    content->metric = metric;
    content->codebooks = Codebooks(kDim, parts, bits);
    content->codebooks.learn(rows_.view(), 5, {});
    return std::make_shared<const TrainedCodebooks>(std::move(content));
  }
  Index build(const std::string& kind, const std::string& codec,
              std::shared_ptr<const TrainedCodebooks> codebooks = nullptr) const {
    BuildOptions options;
    options.index = kind;
    options.codec = codec;
    options.codebooks = std::move(codebooks);
    return Index::build(rows_.view(), Labels(), options);
  }
  double recall(const Index& index, std::size_t beam = 0) const {
    const Neighbours truth = exact_search(rows_.view(), queries_.view(), {.k = 10});
    return recall_at(index.search(queries_.view(), 10, {.beam = beam}), truth, 10);
  }

  const Matrix<float> rows_ = clustered(kRows, kDim, 1), queries_ = clustered(100, kDim, 2);
  formats::TemporaryFolder folder_;
};

TEST_F(CodebooksIndexTest, FindNeighboursInEveryKindOfIndex) {
  const Index flat = build("flat", "vq12x8");
  EXPECT_GT(recall(flat), 0.6);
  EXPECT_GT(recall(build("graph", "vq12x6"), 200), recall(build("flat", "vq12x6")) - 0.03);
  EXPECT_GT(recall(build("flat", "rot-vq12x8")), 0.6);
  EXPECT_GT(recall(build("flat", "vq12x8+f16")), 0.95);
  EXPECT_GT(recall(build("graph", "vq12x6+f16"), 100), 0.9);
  EXPECT_GT(recall(build("ivf", "pq12+vq12x8"), 100), recall(flat) - 0.05);
}

TEST_F(CodebooksIndexTest, AreThoseThatWereGiven) {
  const auto given = trained(6, 7);
  const Index flat = build("flat", "auto", given);
  EXPECT_EQ(flat.info().codec, "vq6x7");
  EXPECT_EQ(build("graph", "auto", given).info().codec, "vq6x7");
  EXPECT_EQ(build("ivf", "auto", given).info().codec, "pq12+vq6x7");
  const std::string path = folder_.file("codebooks.kith");
  given->save(path);
  const auto back = std::make_shared<const TrainedCodebooks>(TrainedCodebooks::open(path));
  EXPECT_EQ(back->codec(), "vq6x7");
  EXPECT_TRUE(same(build("flat", "auto", back).search(queries_.view(), 5),
                   flat.search(queries_.view(), 5)));
}

TEST_F(CodebooksIndexTest, AreTheSameOutOfAFile) {
  for (const std::string kind : {"flat", "graph"}) {
    const Index index = build(kind, "vq6x7");
    const std::string path = folder_.file("index.kith");
    index.save(path);
    EXPECT_TRUE(
        same(index.search(queries_.view(), 5), Index::open(path).search(queries_.view(), 5)))
        << kind;
  }
}

TEST_F(CodebooksIndexTest, TakeInAndGiveUpVectors) {
  for (const std::string kind : {"flat", "graph"}) {
    Index index = build(kind, "vq24x6");
    const Matrix<float> more = clustered(60, kDim, 3);
    const std::vector<Id> ids = index.add(more.view(), Labels());
    const Neighbours found = index.search(more.view(), 1, {.beam = 100});
    std::size_t right = 0;
    for (std::size_t i = 0; i < 60; ++i) right += found.ids(i, 0) == ids[i] ? 1U : 0U;
    EXPECT_GE(right, 50U) << kind;
    index.remove(ids);
    EXPECT_EQ(index.size(), kRows);
  }
}

TEST_F(CodebooksIndexTest, RefuseWhatDoesNotFit) {
  const auto failure = [&](const std::string& kind, const std::string& codec,
                           std::shared_ptr<const TrainedCodebooks> codebooks) {
    return error_of([&] { build(kind, codec, std::move(codebooks)); });
  };
  EXPECT_THAT(failure("flat", "vq8x8", trained(6, 7)), HasSubstr("but vq6x7 was trained"));
  EXPECT_THAT(failure("flat", "rot-vq6x7", trained(6, 7)), HasSubstr("on vectors as they are"));
  EXPECT_THAT(failure("flat", "auto", trained(6, 7, Metric::cosine)),
              HasSubstr("under cosine, but the metric is l2"));
  EXPECT_THAT(failure("ivf", "vq6x7+f16", trained(6, 7)), HasSubstr("lists of 'vq6x7'"));
  const Matrix<float> wide = clustered(100, kDim + 1, 1);
  BuildOptions options;
  options.codebooks = trained(6, 7);
  EXPECT_THAT(error_of([&] { Index::build(wide.view(), Labels(), options); }),
              HasSubstr("24 dimensions for vectors of 25"));
}

}  // namespace
}  // namespace kith

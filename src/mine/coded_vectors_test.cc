#include "mine/coded_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "codec/codebooks.h"
#include "judge/nearest.h"
#include "mine/named_rankings.h"

namespace kith::mine {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 6;

// Vectors of normal values, other ones for queries than for documents.
class NormalVectors : public Embedder {
 public:
  std::string name() const override { return "normal"; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control&) override {
    Matrix<float> rows(which.size(), kDim);
    for (std::size_t i = 0; i < which.size(); ++i) {
      Random random(part.name == "queries" ? 1 : 2, which[i]);
      for (std::size_t j = 0; j < kDim; ++j) rows(i, j) = static_cast<float>(random.normal());
    }
    return rows;
  }
};

TrainedCodebooks some_codebooks(Metric metric) {
  auto content = std::make_shared<CodebooksContent>();
  content->metric = metric;
  content->codebooks = Codebooks(kDim, 3, 3);
  std::vector<float> values(kDim * content->codebooks.words());
  Random random(3);
  for (float& value : values) value = static_cast<float>(random.normal());
  content->codebooks.set(values);
  return TrainedCodebooks(std::move(content));
}

TextPart part_of(const std::string& name, std::size_t count) {
  return {.name = name, .texts = std::vector<std::string>(count, "text"), .ids = {}};
}

TEST(CodedVectors, RankByTheProductWithWhatCodesGiveBack) {
  for (const Metric metric : {Metric::cosine, Metric::ip}) {
    NormalVectors whole;
    const TrainedCodebooks codebooks = some_codebooks(metric);
    CodedVectors coded(whole, codebooks);
    const TextPart queries = part_of("queries", 20), documents = part_of("documents", 60);
    const Matrix<float> q = embed_all(whole, queries, {});
    const Matrix<float> d = quantised(codebooks, embed_all(whole, documents, {}), "normal", {});
    const Neighbours got = judge::nearest_by_cosine(embed_all(coded, documents, {}),
                                                    embed_all(coded, queries, {}), 10, {});
    for (std::size_t i = 0; i < q.rows(); ++i) {
      const auto product = [&](std::size_t document) {
        double sum = 0;
        for (std::size_t j = 0; j < kDim; ++j) sum += double{q(i, j)} * d(document, j);
        return sum;
      };
      std::vector<double> all(d.rows());
      for (std::size_t at = 0; at < all.size(); ++at) all[at] = product(at);
      std::ranges::sort(all, std::greater<>());
      for (std::size_t rank = 0; rank < 10; ++rank) {
        EXPECT_NEAR(product(got.ids(i, rank)), all[rank], 1e-5) << i << ' ' << rank;
      }
    }
  }
}

TEST(CodedVectors, OfWhatDoesNotFitAreRefused) {
  NormalVectors whole;
  EXPECT_THAT(error_of([&] { CodedVectors(whole, some_codebooks(Metric::l2)); }),
              HasSubstr("normal: codewords of metric l2, expected cosine or ip"));
  EXPECT_THAT(error_of([&] {
                quantised(some_codebooks(Metric::ip), Matrix<float>(2, kDim + 1), "folder", {});
              }),
              HasSubstr("folder: vectors of 7 dimensions, but codewords of 6"));
}

TEST(NamedRankings, KnowWhoseScoresAreCosines) {
  EXPECT_EQ(teacher_of({"bm25", "a", "b"}, ""), "a");
  EXPECT_EQ(teacher_of({"bm25", "a"}, "b"), "b");
  EXPECT_EQ(teacher_of({"bm25"}, ""), "");
  EXPECT_TRUE(gives_cosines({"bm25", "a"}, ""));
  EXPECT_TRUE(gives_cosines({"codes:a"}, "a"));
  for (const char* by : {"bm25", "codes", "codes:a"}) EXPECT_FALSE(gives_cosines({by}, "")) << by;
}

}  // namespace
}  // namespace kith::mine

// What merging indexes built apart promises, whatever their kind.
#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "base/test_path.h"
#include "index/test_data.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/fusion.h"
#include "kith/index.h"

namespace kith {
namespace {

constexpr std::size_t kDim = 20, kRows = 3000, kHalf = kRows / 2;

std::string codec_of(const std::string& kind) {
  return kind == "flat" ? "f32" : kind == "ivf" ? "pq10+rot-lvq4x8" : "rot-lvq4x8";
}

Index build(const std::string& kind, const AnyMatrixView& rows, const Labels& labels = Labels()) {
  BuildOptions options;
  options.index = kind == "lists" ? "ivf" : kind;  // of stored codes
  options.codec = codec_of(kind);
  return Index::build(rows, labels, options);
}

Labels names(std::size_t first, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = first; i < first + count; ++i) names.push_back("v" + std::to_string(i));
  return Labels(names);
}

void merge(Index& index, const Index& other, const MergeOptions& options = {}) {
  const Index* others[] = {&other};
  index.merge(others, options);
}

std::string bytes_of(const Index& index) {
  const std::string path = test_path("merged.kith");
  index.save(path);
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  return bytes;
}

std::string refusal(Index& index, const std::vector<const Index*>& others,
                    const MergeOptions& options = {}) {
  const std::size_t before = index.size();
  try {
    index.merge(others, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(index.size(), before);
    return error.what();
  }
  return "";
}

class Merge : public testing::TestWithParam<const char*> {
 protected:
  const Matrix<float> base_ = clustered(kRows, kDim, 1), queries_ = clustered(200, kDim, 2);
  AnyMatrixView first() const { return base_.view().slice(0, kHalf); }
  AnyMatrixView second() const { return base_.view().slice(kHalf, kRows - kHalf); }
};

TEST_P(Merge, TheMergedIndexFindsWhatOneBuiltOfAllDoes) {
  ExactOptions exact;
  exact.k = 20;
  const Neighbours truth = exact_search(base_, queries_, exact);
  SearchOptions search;
  search.beam = 16;
  const double all = recall_at(build(GetParam(), base_).search(queries_, 10, search), truth, 10);
  for (const bool given : {false, true}) {
    Index merged = build(GetParam(), first());
    MergeOptions options;
    if (given) options.vectors = {second()};
    merge(merged, build(GetParam(), second()), options);
    EXPECT_EQ(merged.size(), kRows);
    EXPECT_GE(recall_at(merged.search(queries_, 10, search), truth, 10), all - 0.01);
  }
}

TEST_P(Merge, IsTheSameForAnyNumberOfThreads) {
  const Index other = build(GetParam(), second());
  std::vector<std::string> files;
  for (const std::size_t threads : {1, 3}) {
    Index merged = build(GetParam(), first());
    MergeOptions options;
    options.control.threads = threads;
    merge(merged, other, options);
    files.push_back(bytes_of(merged));
  }
  EXPECT_TRUE(files[0] == files[1]);
}

TEST_P(Merge, LabelsTravelAndRemovedVectorsAreLeftOut) {
  Index merged = build(GetParam(), first(), names(0, kHalf));
  Index other = build(GetParam(), second(), names(kHalf, kRows - kHalf));
  std::vector<Id> gone(40);
  std::iota(gone.begin(), gone.end(), Id{5});
  merged.remove(gone);
  other.remove(gone);
  merge(merged, other);
  EXPECT_EQ(merged.size(), kRows - 80);
  EXPECT_EQ(merged.id_limit(), kRows - 80);  // what was free is used
  EXPECT_EQ(merged.find("v7"), std::nullopt);
  EXPECT_EQ(merged.find("v" + std::to_string(kHalf + 7)), std::nullopt);
  std::size_t found = 0, asked = 0;
  for (std::size_t row = 0; row < kRows; row += 50, ++asked) {
    std::string label = "v";
    label += std::to_string(row);
    const Neighbours self = merged.search(base_.view().slice(row, 1), 1);
    found += merged.labels().text(self.ids(0, 0)) == label ? 1 : 0;
  }
  EXPECT_GE(found + 1, asked);
}

TEST_P(Merge, EqualLabelsAreRefusedOrTheLastOnesKept) {
  Index merged = build(GetParam(), first(), names(0, kHalf));
  const Index other = build(GetParam(), second(), names(kHalf - 10, kRows - kHalf));
  const std::string said = refusal(merged, {&other});
  EXPECT_TRUE(said.starts_with("index 1: label 'v14")) << said;
  EXPECT_NE(said.find("is in index 0 too"), std::string::npos) << said;
  MergeOptions options;
  options.replace = true;
  merge(merged, other, options);
  EXPECT_EQ(merged.size(), kRows - 10);
  const std::string twice = "v" + std::to_string(kHalf - 1);
  const auto id = merged.find(twice);
  ASSERT_TRUE(id);
  std::vector<float> x(kDim);
  merged.vector(*id, x.data());
  EXPECT_NEAR(x[3], base_(kHalf + 9, 3), 0.05);  // the other's
}

TEST_P(Merge, AnIndexOfAnotherKindAndCodecIsEncodedAnew) {
  Index merged = build(GetParam(), first());
  BuildOptions options;
  options.index = std::string(GetParam()) == "flat" ? "graph" : "flat";
  options.codec = "f16";
  merge(merged, Index::build(second(), Labels(), options));
  EXPECT_EQ(merged.size(), kRows);
  const Neighbours self = merged.search(second(), 1);
  std::size_t found = 0;
  for (std::size_t i = 0; i < self.queries(); ++i) found += self.ids(i, 0) == kHalf + i ? 1 : 0;
  EXPECT_GE(found, self.queries() * 98 / 100);
}

TEST_P(Merge, WhatDoesNotFitIsRefusedAndNothingChanges) {
  Index merged = build(GetParam(), first());
  const Matrix<float> narrow = clustered(300, kDim - 1, 3);
  const Index short_one = build("flat", narrow);
  EXPECT_EQ(refusal(merged, {&short_one}), "index 1: 19 dimensions, but index 0 has 20");
  BuildOptions options;
  options.metric = Metric::cosine;
  const Index other_metric = Index::build(second(), Labels(), options);
  EXPECT_EQ(refusal(merged, {&other_metric}), "index 1: metric cosine, but index 0 has l2");
  EXPECT_EQ(refusal(merged, {&merged}), "index 1: is index 0 itself, expected another");
  const Index good = build(GetParam(), second());
  MergeOptions wrong;
  wrong.vectors = {first().slice(0, 10)};
  EXPECT_EQ(refusal(merged, {&good}, wrong),
            "index 1: 1500 ids of dimension 20, but its vectors are 10 of dimension 20");
}

INSTANTIATE_TEST_SUITE_P(Kinds, Merge, testing::Values("flat", "graph", "ivf", "lists"));

TEST(MergeOfFour, AnswersAsOneBuiltOfAll) {
  const Matrix<float> base = clustered(8000, kDim, 11), queries = clustered(200, kDim, 12);
  ExactOptions exact;
  exact.k = 20;
  const Neighbours truth = exact_search(base, queries, exact);
  Index merged = build("graph", base.view().slice(0, 2000));
  std::vector<Index> parts;
  for (std::size_t first = 2000; first < 8000; first += 2000) {
    parts.push_back(build("graph", base.view().slice(first, 2000)));
  }
  merged.merge(std::vector<const Index*>{&parts[0], &parts[1], &parts[2]});
  for (const std::size_t beam : {12, 24, 48}) {
    SearchOptions search;
    search.beam = beam;
    const double all = recall_at(build("graph", base).search(queries, 10, search), truth, 10);
    EXPECT_GE(recall_at(merged.search(queries, 10, search), truth, 10), all - 0.01) << beam;
  }
}

TEST(MergedHits, OfPartsAreThoseOfOneIndexOfAll) {
  const Matrix<float> base = clustered(1000, kDim, 21), queries = clustered(50, kDim, 22);
  const Neighbours all = build("flat", base).search(queries, 12);
  const Neighbours a = build("flat", base.view().slice(0, 300)).search(queries, 12),
                   b = build("flat", base.view().slice(300, 5)).search(queries, 12),  // padded
      c = build("flat", base.view().slice(305, 695)).search(queries, 12);
  const Neighbours* parts[] = {&a, &b, &c};
  const Id first_ids[] = {0, 300, 305};
  const Neighbours merged = merge(parts, 0, first_ids);
  ASSERT_EQ(merged.k(), 12u);
  for (std::size_t q = 0; q < 50; ++q) {
    for (std::size_t i = 0; i < 12; ++i) {
      EXPECT_EQ(merged.ids(q, i), all.ids(q, i));
      EXPECT_EQ(merged.distances(q, i), all.distances(q, i));
    }
  }
  EXPECT_THROW(merge(parts, 0, std::span(first_ids).first(2)), Error);
}

}  // namespace
}  // namespace kith

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/test_path.h"
#include "kith/index.h"
#include "kith/kith.h"

namespace {

constexpr std::size_t kDim = 8;

std::vector<float> random_rows(std::size_t count, std::uint64_t seed) {
  kith::Random random(seed);
  std::vector<float> rows(count * kDim);
  for (float& x : rows) x = static_cast<float>(random.normal());
  return rows;
}

kith_matrix described(const std::vector<float>& rows) {
  return {rows.data(), rows.size() / kDim, kDim, 0, KITH_F32};
}

std::string last_error() { return kith_last_error(); }

// An index over random rows, freed with the test.
class CIndex : public testing::Test {
 protected:
  void build(std::size_t count, const kith_build_options* options = nullptr,
             const kith_labels* labels = nullptr) {
    rows_ = random_rows(count, 1);
    const kith_matrix rows = described(rows_);
    ASSERT_EQ(kith_index_build(&rows, labels, options, &index_), KITH_OK) << last_error();
  }
  void TearDown() override { kith_index_free(index_); }

  std::uint32_t nearest_of_row(const kith_index* index, std::size_t row) const {
    const kith_matrix query = {rows_.data() + row * kDim, 1, kDim, 0, KITH_F32};
    std::uint32_t id = KITH_NO_ID;
    EXPECT_EQ(kith_index_search(index, &query, 1, nullptr, &id, nullptr), KITH_OK) << last_error();
    return id;
  }

  std::vector<float> rows_;
  kith_index* index_ = nullptr;
};

kith_build_options graph_options(kith_metric metric) {
  kith_build_options options{};
  options.struct_size = sizeof options;
  options.metric = metric;
  options.index = "graph";
  return options;
}

TEST_F(CIndex, FindsEveryStoredVectorAndReturnsCosineSimilarities) {
  const kith_build_options options = graph_options(KITH_COSINE);
  build(3000, &options);
  const kith_matrix rows = described(rows_);
  std::vector<std::uint32_t> ids(3000);
  std::vector<float> values(3000);
  ASSERT_EQ(kith_index_search(index_, &rows, 1, nullptr, ids.data(), values.data()), KITH_OK)
      << last_error();
  std::size_t found = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) found += ids[i] == i ? 1 : 0;
  EXPECT_GT(found, 2900u);
  EXPECT_NEAR(values[0], 1.0f, 0.01f);
}

TEST_F(CIndex, OptionsOfADifferentStructSizeKeepTheirMeaning) {
  kith_build_options options = graph_options(KITH_IP);
  options.struct_size = offsetof(kith_build_options, index);  // a header that had the metric only
  options.index = "no such index";
  build(10, &options);
  kith_index_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(kith_index_get_info(index_, &info), KITH_OK) << last_error();
  EXPECT_EQ(info.metric, KITH_IP);
}

TEST_F(CIndex, InfoSaysWhatWasBuilt) {
  const kith_build_options options = graph_options(KITH_COSINE);
  build(500, &options);
  kith_index_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(kith_index_get_info(index_, &info), KITH_OK) << last_error();
  EXPECT_EQ(info.vectors, 500u);
  EXPECT_EQ(info.dim, kDim);
  EXPECT_EQ(info.metric, KITH_COSINE);
  EXPECT_EQ(info.element, KITH_F32);
  EXPECT_EQ(info.labels, KITH_LABELS_NONE);
  EXPECT_STREQ(info.kind, "graph");
  EXPECT_STRNE(info.codec, "");
  EXPECT_GT(info.degree, 0u);
  EXPECT_GT(info.bytes, 500u);
}

TEST_F(CIndex, AnOlderCallersInfoIsFilledNoFurtherThanItReaches) {
  build(10);
  kith_index_info info;
  std::memset(&info, 0x5a, sizeof info);
  info.struct_size = offsetof(kith_index_info, dim);
  ASSERT_EQ(kith_index_get_info(index_, &info), KITH_OK) << last_error();
  EXPECT_EQ(info.vectors, 10u);
  EXPECT_EQ(info.kind[0], 0x5a);
  EXPECT_EQ(info.struct_size, offsetof(kith_index_info, dim));
}

TEST_F(CIndex, SurvivesSavingOpeningAndAdding) {
  build(300);
  const std::string path = kith::test_path("index.kith");
  ASSERT_EQ(kith_index_save(index_, path.c_str(), nullptr), KITH_OK) << last_error();
  kith_index* opened = nullptr;
  ASSERT_EQ(kith_index_open(path.c_str(), 0, &opened), KITH_OK) << last_error();
  EXPECT_EQ(nearest_of_row(opened, 17), 17u);
  kith_index* in_memory = nullptr;
  ASSERT_EQ(kith_index_open(path.c_str(), KITH_OPEN_IN_MEMORY, &in_memory), KITH_OK);
  EXPECT_EQ(nearest_of_row(in_memory, 17), 17u);
  kith_index_free(in_memory);
  EXPECT_EQ(kith_index_open(path.c_str(), 4, &in_memory), KITH_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("flags: 4"), std::string::npos) << last_error();

  const std::vector<float> more = random_rows(5, 2);
  const kith_matrix added = described(more);
  ASSERT_EQ(kith_index_add(opened, &added, nullptr, nullptr), KITH_OK) << last_error();
  std::uint32_t id = 0;
  const kith_matrix query = {more.data() + 3 * kDim, 1, kDim, 0, KITH_F32};
  ASSERT_EQ(kith_index_search(opened, &query, 1, nullptr, &id, nullptr), KITH_OK) << last_error();
  EXPECT_EQ(id, 303u);
  kith_index_free(opened);
  std::filesystem::remove(path);
}

TEST_F(CIndex, RemovesFiltersAndUsesIdsAgain) {
  build(300);
  const std::array<std::uint32_t, 2> gone{17, 5};
  ASSERT_EQ(kith_index_remove(index_, gone.data(), gone.size(), nullptr), KITH_OK) << last_error();
  EXPECT_EQ(kith_index_contains(index_, 17), 0);
  EXPECT_EQ(kith_index_contains(index_, 18), 1);
  EXPECT_NE(nearest_of_row(index_, 17), 17u);
  EXPECT_EQ(kith_index_remove(index_, gone.data(), 1, nullptr), KITH_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("id 17"), std::string::npos) << last_error();
  std::uint32_t id = 0;
  EXPECT_EQ(kith_index_find(index_, "17", &id), KITH_NOT_FOUND);
  EXPECT_EQ(kith_index_find(index_, "18", &id), KITH_OK);
  EXPECT_EQ(id, 18u);

  kith_search_options options{};
  options.struct_size = sizeof options;
  const std::uint64_t allowed = std::uint64_t{1} << 33;
  options.allowed = &allowed;
  options.allowed_words = 1;
  const kith_matrix query = {rows_.data(), 1, kDim, 0, KITH_F32};
  std::array<std::uint32_t, 2> ids{};
  ASSERT_EQ(kith_index_search(index_, &query, 2, &options, ids.data(), nullptr), KITH_OK);
  EXPECT_EQ(ids[0], 33u);
  EXPECT_EQ(ids[1], KITH_NO_ID);

  const std::vector<float> more = random_rows(3, 2);
  const kith_matrix added = described(more);
  std::array<std::uint32_t, 3> given{};
  ASSERT_EQ(kith_index_add_ids(index_, &added, nullptr, nullptr, given.data()), KITH_OK);
  EXPECT_EQ(given, (std::array<std::uint32_t, 3>{5, 17, 300}));
}

TEST_F(CIndex, MergeTakesInWhatAnotherHolds) {
  build(300, nullptr, nullptr);
  const std::vector<float> more = random_rows(40, 2);
  const kith_matrix rows = described(more);
  kith_index* other = nullptr;
  ASSERT_EQ(kith_index_build(&rows, nullptr, nullptr, &other), KITH_OK) << last_error();
  ASSERT_EQ(kith_index_merge(index_, &other, 1, 0, nullptr), KITH_OK) << last_error();
  kith_index_free(other);
  kith_index_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(kith_index_get_info(index_, &info), KITH_OK) << last_error();
  EXPECT_EQ(info.vectors, 340u);
  EXPECT_EQ(kith_index_contains(index_, 339), 1);
  const kith_index* self = index_;
  EXPECT_EQ(kith_index_merge(index_, &self, 1, 0, nullptr), KITH_INVALID_ARGUMENT);
  EXPECT_EQ(kith_index_merge(index_, nullptr, 1, 0, nullptr), KITH_INVALID_ARGUMENT);
}

TEST_F(CIndex, LabelsTravelIntoTheIndexAndOutliveIt) {
  const std::array<const char*, 3> names{"paris", "rome", "oslo"};
  kith_labels* labels = nullptr;
  ASSERT_EQ(kith_labels_from_strings(names.data(), names.size(), &labels), KITH_OK);
  build(3, nullptr, labels);
  kith_labels_free(labels);

  ASSERT_EQ(kith_index_labels(index_, &labels), KITH_OK) << last_error();
  kith_index_free(index_);
  index_ = nullptr;
  std::uint32_t row = 0;
  ASSERT_EQ(kith_labels_find(labels, "oslo", 3, &row), KITH_OK) << last_error();
  EXPECT_EQ(row, 2u);
  kith_labels_free(labels);
}

TEST_F(CIndex, RangeReturnsWhatLiesWithinTheRadius) {
  build(200);
  const kith_matrix query = {rows_.data(), 1, kDim, 0, KITH_F32};
  kith_ranges* ranges = nullptr;
  constexpr float kRadius = 6;
  ASSERT_EQ(kith_index_range(index_, &query, kRadius, nullptr, &ranges), KITH_OK) << last_error();
  const std::size_t* offsets = kith_ranges_offsets(ranges);
  ASSERT_GT(offsets[1], 0u);
  EXPECT_EQ(offsets[0], 0u);
  EXPECT_EQ(kith_ranges_ids(ranges)[0], 0u);
  for (std::size_t i = 0; i < offsets[1]; ++i) EXPECT_LE(kith_ranges_values(ranges)[i], kRadius);
  kith_ranges_free(ranges);
  kith_ranges_free(nullptr);
}

TEST_F(CIndex, GivesAVectorBackAndRefusesAnIdItLacks) {
  build(50);
  std::array<float, kDim> vector{};
  ASSERT_EQ(kith_index_vector(index_, 7, vector.data()), KITH_OK) << last_error();
  for (std::size_t j = 0; j < kDim; ++j) EXPECT_NEAR(vector[j], rows_[7 * kDim + j], 0.1f);
  EXPECT_EQ(kith_index_vector(index_, 50, vector.data()), KITH_INVALID_ARGUMENT);
}

TEST_F(CIndex, WhatIsImpossibleIsAnErrorNotACrash) {
  kith_build_options options = graph_options(KITH_L2);
  options.codec = "zip";
  rows_ = random_rows(10, 1);
  const kith_matrix rows = described(rows_);
  EXPECT_EQ(kith_index_build(&rows, nullptr, &options, &index_), KITH_INVALID_ARGUMENT);
  EXPECT_EQ(index_, nullptr);
  EXPECT_NE(last_error().find("zip"), std::string::npos);

  build(10);
  std::uint32_t id = 0;
  const kith_matrix narrow = {rows_.data(), 1, kDim - 1, 0, KITH_F32};
  EXPECT_EQ(kith_index_search(index_, &narrow, 1, nullptr, &id, nullptr), KITH_INVALID_ARGUMENT);
  EXPECT_EQ(kith_index_search(nullptr, &rows, 1, nullptr, &id, nullptr), KITH_INVALID_ARGUMENT);
  EXPECT_EQ(kith_index_get_info(nullptr, nullptr), KITH_INVALID_ARGUMENT);
  EXPECT_EQ(kith_index_save(index_, "/nowhere/at/all.kith", nullptr), KITH_IO);
  kith_index* opened = nullptr;
  EXPECT_EQ(kith_index_open("/nowhere/at/all.kith", 0, &opened), KITH_NOT_FOUND);
  EXPECT_EQ(opened, nullptr);
}

TEST_F(CIndex, ARaisedFlagCancelsTheBuild) {
  std::uint8_t cancel = 1;
  kith_control control{};
  control.struct_size = sizeof control;
  control.cancel = &cancel;
  kith_build_options options = graph_options(KITH_L2);
  options.control = &control;
  rows_ = random_rows(5000, 1);
  const kith_matrix rows = described(rows_);
  EXPECT_EQ(kith_index_build(&rows, nullptr, &options, &index_), KITH_CANCELLED);
  EXPECT_EQ(index_, nullptr);
}

TEST_F(CIndex, ConcurrentThreadsSearchOneHandle) {
  const kith_build_options options = graph_options(KITH_L2);
  build(2000, &options);
  std::array<std::size_t, 4> found{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < found.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t row = t; row < 400; row += found.size()) {
        found[t] += nearest_of_row(index_, row) == row ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t count : found) EXPECT_GT(count, 90u);
}

TEST_F(CIndex, SearchesAnIndexWhoseVectorsAreOnDiskAndSaysWhenTheyAreGone) {
  const std::string path = kith::test_path("two.kith"), disk = path + ".disk";
  rows_ = random_rows(200, 1);
  {
    const kith::MatrixView<const float> rows(rows_.data(), 200, kDim, kDim * sizeof(float));
    kith::BuildOptions options;
    options.codec = "lvq4";
    options.disk = "f32";
    options.disk_file = disk;
    kith::Index::build(rows, kith::Labels(), options).save(path);
  }
  ASSERT_EQ(kith_index_open(path.c_str(), 0, &index_), KITH_OK) << last_error();
  for (const std::size_t row : {0u, 17u, 199u}) EXPECT_EQ(nearest_of_row(index_, row), row);
  std::filesystem::resize_file(disk, 4096);
  const kith_matrix query = {rows_.data(), 1, kDim, 0, KITH_F32};
  std::uint32_t id = 0;
  EXPECT_EQ(kith_index_search(index_, &query, 1, nullptr, &id, nullptr), KITH_IO);
  EXPECT_NE(last_error().find(disk + ": cannot read"), std::string::npos) << last_error();
  std::filesystem::remove(disk);
  kith_index* again = nullptr;
  EXPECT_EQ(kith_index_open(path.c_str(), 0, &again), KITH_NOT_FOUND);
  EXPECT_NE(last_error().find("has vanished"), std::string::npos) << last_error();
  std::filesystem::remove(path);
}

}  // namespace

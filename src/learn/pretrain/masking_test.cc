#include "learn/pretrain/masking.h"

#include <gmock/gmock.h>
#include <set>

#include "kith/error.h"
#include "learn/pretrain/corpus.h"
#include "learn/pretrain/test_texts.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

class MaskingTest : public SmallLanguage {
 protected:
  void SetUp() override {
    SmallLanguage::SetUp();
    tokenizer_.emplace(Tokenizer::open(file("tokenizer.json")));
    TextSourceOptions source;
    source.files = {file("texts.txt")};
    corpus_.emplace(source, *tokenizer_, 64, Control{});
    std::vector<TokenSequence> texts;
    for (std::size_t i = 0; i < corpus_->pieces(); ++i) texts.push_back(corpus_->piece(i));
    tokens_ = pack_tokens(texts);
  }
  Masking masking(const MaskOptions& options = {}) const {
    return {*tokenizer_, corpus_->special(), options};
  }
  static std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
    const auto* at = tensor.data_ptr<std::int64_t>();
    return {at, at + tensor.numel()};
  }

  std::optional<Tokenizer> tokenizer_;
  std::optional<Corpus> corpus_;
  Tokens tokens_;
};

TEST_F(MaskingTest, ChoosesItsShareAndReplacesItAsBertDoes) {
  const Corruption hidden = masking().corrupt(tokens_, {0.25}, 1, 0).front();
  const auto ordinary = static_cast<double>(tokens_.count() - 2 * tokens_.sequences());
  const auto chosen = static_cast<double>(hidden.places.numel());
  EXPECT_NEAR(chosen / ordinary, 0.25, 0.05);
  const at::Tensor now = hidden.ids.index_select(0, hidden.places);
  const auto mask = static_cast<std::int64_t>(*tokenizer_->id("[MASK]"));
  const double masked = (now == mask).to(torch::kFloat64).mean().item<double>();
  const double kept = (now == hidden.targets).to(torch::kFloat64).mean().item<double>();
  EXPECT_NEAR(masked, 0.8, 0.04);
  EXPECT_NEAR(kept, 0.1, 0.04);
  EXPECT_TRUE(torch::equal(tokens_.ids.index_select(0, hidden.places), hidden.targets));
}

TEST_F(MaskingTest, LeavesAllOtherTokensAndTheSpecialOnes) {
  const Corruption hidden = masking().corrupt(tokens_, {0.4}, 2, 0).front();
  const std::vector<std::int64_t> places = numbers(hidden.places);
  const std::set<std::int64_t> chosen(places.begin(), places.end());
  const std::vector<std::int64_t> before = numbers(tokens_.ids), after = numbers(hidden.ids);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (chosen.contains(static_cast<std::int64_t>(i))) continue;
    EXPECT_EQ(before[i], after[i]);
  }
  for (std::int64_t s = 0; s < tokens_.sequences(); ++s) {
    EXPECT_FALSE(chosen.contains(tokens_.begin[s]));
    EXPECT_FALSE(chosen.contains(tokens_.begin[s + 1] - 1));
  }
}

TEST_F(MaskingTest, HidesWholeWords) {
  const Corruption hidden = masking({.mask = 1, .random = 0}).corrupt(tokens_, {0.3}, 3, 0).front();
  const std::vector<std::int64_t> places = numbers(hidden.places);
  const std::set<std::int64_t> chosen(places.begin(), places.end());
  std::size_t pieces = 0;
  for (std::int64_t i = 1; i < tokens_.count(); ++i) {
    const auto id = static_cast<std::uint32_t>(tokens_.ids[i].item<std::int64_t>());
    if (!tokenizer_->token(id)->starts_with("##")) continue;
    ++pieces;
    EXPECT_EQ(chosen.contains(i), chosen.contains(i - 1)) << i;
  }
  EXPECT_GT(pieces, 0u);
}

TEST_F(MaskingTest, AHigherRateHidesWhatALowerOneDoes) {
  const auto hidden = masking().corrupt(tokens_, {0.2, 0.4}, 4, 0);
  const std::vector<std::int64_t> low = numbers(hidden[0].places), high = numbers(hidden[1].places);
  EXPECT_LT(low.size(), high.size());
  EXPECT_THAT(high, testing::IsSupersetOf(low));
}

TEST_F(MaskingTest, OfATextFollowsFromItsNumberAlone) {
  const Masking masks = masking();
  const at::Tensor whole = masks.corrupt(tokens_, {0.3}, 5, 0).front().ids;
  const Tokens part = tokens_.slice(100, 50);
  const at::Tensor alone = masks.corrupt(part, {0.3}, 5, 100).front().ids;
  EXPECT_TRUE(torch::equal(alone, whole.narrow(0, tokens_.begin[100], part.count())));
  EXPECT_FALSE(torch::equal(masks.corrupt(part, {0.3}, 6, 100).front().ids, alone));
}

TEST_F(MaskingTest, HidesAtLeastOneWordOfEveryText) {
  const Corruption hidden = masking().corrupt(tokens_, {1e-6}, 6, 0).front();
  EXPECT_GE(hidden.places.numel(), tokens_.sequences());
}

TEST_F(MaskingTest, NeedsAMask) {
  TokenizerTrainer trainer({.type = TokenizerType::bpe, .vocabulary = 300, .min_frequency = 1});
  const std::vector<std::string_view> texts = {"a few words"};
  trainer.add(texts);
  const Tokenizer without = Tokenizer::parse(trainer.train().json, "without");
  if (without.id("<mask>") || without.id("[MASK]")) GTEST_SKIP() << "it has one";
  EXPECT_THROW(Masking(without, {}, {}), Error);
}

}  // namespace
}  // namespace kith::learn

// Texts that causal models write, beside the plain way: running all again for every token.
#include "encode/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "encode/test_models.h"
#include "encode/test_sequences.h"
#include "kith/encoder.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

using testing::HasSubstr;
using Ids = std::vector<std::uint32_t>;

constexpr std::uint32_t kNever = 0xffffffff;  // no token

class Generation : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    nlohmann::json more;
    if (name == "mistral") more = {{"sliding_window", 7}};
    checkpoint_ = name == "gpt2" ? tiny_gpt2() : tiny_llama(name, more);
    if (name == "qwen2") {  // output vectors of its own
      checkpoint_.add("lm_head.weight", {kVocabulary, 40}, 1);
      checkpoint_.config["tie_word_embeddings"] = false;
    }
    write_folder(folder_.file("model"), checkpoint_);
    ModelOptions options;
    options.generates = true;
    encoder_.emplace(Encoder::open(folder_.file("model"), options));
  }

  // Scores of the token behind `ids`, by the whole text's states.
  std::vector<float> scores(const Ids& ids) const {
    const TokenSequence sequence{.ids = ids, .types = {}};
    const Matrix<float> states = encoder_->hidden_states({&sequence, 1});
    const bool own = checkpoint_.has("lm_head.weight");
    const std::string table =
        own ? "lm_head.weight"
            : (checkpoint_.has("wte.weight") ? "wte.weight" : "embed_tokens.weight");
    std::vector<float> all(kVocabulary);
    for (std::size_t token = 0; token < kVocabulary; ++token) {
      for (std::size_t j = 0; j < states.cols(); ++j) {
        all[token] += states(states.rows() - 1, j) * checkpoint_[table][token * states.cols() + j];
      }
    }
    return all;
  }

  formats::TemporaryFolder folder_;
  Checkpoint checkpoint_;
  std::optional<Encoder> encoder_;
};

TEST_P(Generation, AtTemperature0IsTheLikeliestTokenAgainAndAgain) {
  std::vector<Ids> prompts;
  for (const std::size_t length : {1, 3, 12, 40}) prompts.push_back(random_ids(length, length));
  GenerateOptions options{.most = 12, .end = kNever, .temperature = 0};
  const std::vector<Ids> written = encoder_->generate(prompts, options);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    Ids text = prompts[p];
    for (const std::uint32_t token : written[p]) {
      const std::vector<float> all = scores(text);
      const float best = *std::ranges::max_element(all);
      // Rounding may decide between equals.
      EXPECT_NEAR(all[token], best, 1e-3 * (1 + std::abs(best))) << p;
      text.push_back(token);
    }
    EXPECT_EQ(written[p].size(), 12u);
  }
}

TEST_P(Generation, EndsWhereTheEndIsWritten) {
  const std::vector<Ids> prompts = {random_ids(5, 1), random_ids(9, 2)};
  GenerateOptions options{.most = 10, .end = kNever, .temperature = 0};
  const std::vector<Ids> whole = encoder_->generate(prompts, options);
  options.end = whole[0][4];
  const std::vector<Ids> ended = encoder_->generate(prompts, options);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const auto end = std::ranges::find(whole[p], options.end);
    EXPECT_EQ(ended[p], Ids(whole[p].begin(), end)) << p;
  }
}

TEST_P(Generation, FollowsFromSeedAndPromptWhateverIsBeside) {
  std::vector<Ids> prompts;
  for (std::uint64_t p = 0; p < 70; ++p) prompts.push_back(random_ids(3 + p % 9, p));
  GenerateOptions options{.most = 6, .end = kNever, .temperature = 20, .top_p = 0.9, .seed = 4};
  const std::vector<Ids> all = encoder_->generate(prompts, options);
  options.control.threads = 1;
  EXPECT_EQ(encoder_->generate(prompts, options), all);
  for (const std::size_t p : {0, 33, 69}) {
    EXPECT_EQ(encoder_->generate({&prompts[p], 1}, options)[0], all[p]) << p;
  }
  options.seed = 5;
  EXPECT_NE(encoder_->generate(prompts, options), all);
  const std::vector<Ids> twice = {prompts[0], prompts[0]};
  const std::vector<Ids> both = encoder_->generate(twice, options);
  EXPECT_NE(both[0], both[1]);
}

TEST_P(Generation, DrawsTokensAsOftenAsTheirScoresSay) {
  constexpr std::size_t kDraws = 3000;
  const Ids prompt = random_ids(6, 8);
  std::vector<float> all = scores(prompt);
  const float scale = 3 / *std::ranges::max_element(all);  // several likely ones
  const double temperature = 1 / scale;
  std::map<std::uint32_t, double> found;
  const std::vector<Ids> prompts(kDraws, prompt);
  GenerateOptions options{.most = 1, .end = kNever, .temperature = temperature};
  for (const Ids& each : encoder_->generate(prompts, options)) {
    if (!each.empty()) found[each[0]] += 1.0 / kDraws;
  }
  double sum = 0;
  for (const float score : all) sum += std::exp(score / temperature);
  for (std::uint32_t token = 0; token < kVocabulary; ++token) {
    EXPECT_NEAR(found[token], std::exp(all[token] / temperature) / sum, 0.035) << token;
  }
  options.top_p = 1e-6;
  const auto likeliest = static_cast<std::uint32_t>(std::ranges::max_element(all) - all.begin());
  EXPECT_EQ(encoder_->generate({&prompt, 1}, options)[0], Ids{likeliest});
}

TEST_P(Generation, RefusesWhatCannotBe) {
  const auto refused = [&](const Ids& prompt, std::size_t most) {
    try {
      encoder_->generate({&prompt, 1}, {.most = most, .end = 0});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  EXPECT_THAT(refused({}, 3), HasSubstr("0 tokens"));
  EXPECT_THAT(refused({kVocabulary}, 3), HasSubstr("id 97"));
  EXPECT_THAT(refused({5}, 5000), HasSubstr("5000 to write"));
  const Encoder plain = Encoder::open(folder_.file("model"));
  const Ids prompt = {5};
  EXPECT_THROW(plain.generate({&prompt, 1}, {}), Error);
}

INSTANTIATE_TEST_SUITE_P(Causal, Generation,
                         testing::Values("gpt2", "llama", "mistral", "qwen2", "qwen3"));

TEST(GenerationOf, ModelsThatLookBothWaysIsRefused) {
  formats::TemporaryFolder folder;
  write_folder(folder.file("model"), tiny_bert("bert"));
  ModelOptions options;
  options.generates = true;
  const Encoder bert = Encoder::open(folder.file("model"), options);
  const Ids prompt = {5};
  EXPECT_THROW(bert.generate({&prompt, 1}, {.most = 2}), Error);
}

}  // namespace
}  // namespace kith::encode

#include "learn/pretrain/language_objective.h"

#include "kith/error.h"
#include "learn/pretrain/corpus.h"
#include "learn/pretrain/language_head.h"
#include "learn/pretrain/test_texts.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

class LanguageObjectives : public SmallLanguage {
 protected:
  LanguageOptions options(const std::string& kind) const {
    LanguageOptions options;
    options.kind = kind;
    options.sizes = {{1, 8}, {2, 24}};
    options.future = {.layers = 1, .pseudo_tokens = 2, .ahead = 4};
    return options;
  }
  TextModel model(const std::string& kind) const {
    const bool causal = kind == "clm" || kind == "ftp";
    return {small(causal ? "gpt2" : "bert"), 5};
  }
  Tokens some(const TextModel& model, std::vector<std::uint32_t>* special) const {
    TextSourceOptions source;
    source.files = {file("texts.txt")};
    const Corpus corpus(source, model.tokenizer(), 64, {});
    *special = corpus.special();
    std::vector<TokenSequence> texts;
    for (std::size_t i = 0; i < 12; ++i) texts.push_back(corpus.piece(i));
    texts[3].ids = texts[3].ids.first(5);
    return pack_tokens(texts);
  }
};

TEST_F(LanguageObjectives, OfABatchAreTheWeightedMeansOfItsParts) {
  for (const char* kind : kObjectiveKinds) {
    const TextModel model = this->model(kind);
    std::vector<std::uint32_t> special;
    const Tokens tokens = some(model, &special);
    const auto objective = make_objective(model, special, options(kind), 1);
    const ForwardOptions forward{.seed = 9};
    const LanguageLoss whole = objective->loss(tokens, forward, 0);
    const LanguageLoss parts[] = {objective->loss(tokens.slice(0, 5), forward, 0),
                                  objective->loss(tokens.slice(5, 7), forward, 5)};
    ASSERT_EQ(whole.terms.size(), objective->terms()) << kind;
    for (std::size_t t = 0; t < whole.terms.size(); ++t) {
      double sum = 0, weight = 0;
      for (const LanguageLoss& part : parts) {
        sum += part.terms[t].mean.item<double>() * part.terms[t].weight;
        weight += part.terms[t].weight;
      }
      EXPECT_EQ(weight, whole.terms[t].weight) << kind;
      EXPECT_NEAR(sum / weight, whole.terms[t].mean.item<double>(), 1e-5) << kind;
    }
  }
}

TEST_F(LanguageObjectives, ReachAllThatIsTrainedButWhatTheyNeverRead) {
  for (const char* kind : kObjectiveKinds) {
    const TextModel model = this->model(kind);
    std::vector<std::uint32_t> special;
    const Tokens tokens = some(model, &special);
    const auto objective = make_objective(model, special, options(kind), 1);
    for (const auto& term : objective->loss(tokens, {.training = true, .seed = 1}, 0).terms) {
      term.mean.backward({}, true);
    }
    Parameters all = model.trained();
    all.add("head.", objective->parameters());
    for (const Parameter& each : all) {
      if (each.name == "head.future.start") continue;
      EXPECT_TRUE(each.value.grad().defined()) << kind << " " << each.name;
    }
  }
}

TEST_F(LanguageObjectives, OfTheNextTokenAreItsSurprise) {
  const TextModel model = this->model("clm");
  std::vector<std::uint32_t> special;
  const Tokens tokens = some(model, &special);
  const auto objective = make_objective(model, special, options("clm"), 1);
  const Transformer& transformer = model.transformer();
  const at::Tensor scores = transformer.states(tokens, transformer.layers())
                                .back()
                                .mm(transformer.parameters()["wte.weight"].t())
                                .log_softmax(1);
  double sum = 0, count = 0;
  for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
    for (std::int64_t i = tokens.begin[s]; i + 1 < tokens.begin[s + 1]; ++i, ++count) {
      sum -= scores[i][tokens.ids[i + 1].item<std::int64_t>()].item<double>();
    }
  }
  const LanguageLoss loss = objective->loss(tokens, {}, 0);
  EXPECT_EQ(loss.terms[0].weight, count);
  EXPECT_NEAR(loss.terms[0].mean.item<double>(), sum / count, 1e-5);
}

TEST_F(LanguageObjectives, OfFutureTokensWithoutDecayAreTheNextTokensSurprise) {
  const TextModel model = this->model("ftp");
  std::vector<std::uint32_t> special;
  const Tokens tokens = some(model, &special);
  LanguageOptions next = options("ftp");
  next.decay = 0;
  next.places = 1;
  const LanguageLoss loss = make_objective(model, special, next, 1)->loss(tokens, {}, 0);
  ASSERT_EQ(loss.ahead.size(), 4u);
  EXPECT_NEAR(loss.terms[0].mean.item<double>(), loss.ahead[0].first / loss.ahead[0].second, 1e-5);
  EXPECT_EQ(loss.ahead[0].second, tokens.count() - tokens.sequences());
}

TEST_F(LanguageObjectives, RefuseModelsThatDoNotFit) {
  const TextModel bert(small("bert"), 1), gpt(small("gpt2"), 1), llama(small("llama"), 1);
  EXPECT_THROW(make_objective(bert, {}, options("clm"), 1), Error);
  EXPECT_THROW(make_objective(gpt, {}, options("mlm"), 1), Error);
  LanguageOptions wrong = options("smae");
  wrong.sizes = {{1, 8}};
  EXPECT_THROW(make_objective(bert, {}, wrong, 1), Error);
  EXPECT_THROW(make_objective(bert, {}, options("words"), 1), Error);
  TextModelOptions both_ways = small("llama");
  both_ways.causal = false;
  EXPECT_THROW(make_objective(TextModel(both_ways, 1), {}, options("clm"), 1), Error);
}

TEST_F(LanguageObjectives, HeadsOfSMAEReadLeadingComponents) {
  const TextModel model(small("bert"), 1);
  const LanguageHead head = LanguageHead::masked(model, 1);
  const at::Tensor states = torch::randn({7, 24});
  at::Tensor padded = states.clone();
  padded.narrow(1, 10, 14).zero_();
  EXPECT_TRUE(
      torch::allclose(head.transform(states.narrow(1, 0, 10)), head.transform(padded), 1e-5, 1e-5));
}

}  // namespace
}  // namespace kith::learn

// Late-interaction models: what is trained, written, read again and run by the encoder.
#include <gmock/gmock.h>

#include "base/test_error.h"
#include "kith/maxsim.h"
#include "kith/text_encoder.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/optimiser.h"
#include "learn/train/test_recipes.h"
#include "learn/train/trainer.h"

namespace kith::learn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string_view> kTexts = {"mail reader number1, sound:", ",:", "chess",
                                              "a game of chess; a picture of a library: text"};

class LateInteractions : public TinyTrainings {
 protected:
  void SetUp() override {
    TinyTrainings::SetUp();
    source_.files = {file("pairs.jsonl")};
    source_.negatives_each = 2;
    examples_ = read_examples(source_);
  }

  TextModelOptions options(const std::string& type, const LateInteractionOptions& late) const {
    TextModelOptions options;
    options.architecture = architecture();
    options.architecture.type = type;
    options.late_interaction = late;
    if (type != "static") options.dim = 12;
    return options;
  }
  TextModel model(const LateInteractionOptions& late = {}) const {
    return TextModel(options("bert", late), 3);
  }

  TextBatch batch(const TextModel& model, const LossOptions& loss) const {
    const std::vector<std::uint32_t> rows = {0, 1, 2, 3, 4, 5, 6, 7};
    return make_batch(model, examples_, rows, source_, loss, {}, {});
  }

  at::Tensor gradients_of(const StepOptions& step, const LateInteractionOptions& late = {}) const {
    const TextModel trained = model(late);
    Objective(trained, {}, {}).step(batch(trained, {}), step);
    std::vector<at::Tensor> all;
    for (const Parameter& each : trained.trained()) {
      const at::Tensor own = each.value.grad();
      all.push_back((own.defined() ? own : torch::zeros_like(each.value)).flatten());
    }
    return torch::cat(all);
  }

  static double difference(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).norm() / b.norm()).item<double>();
  }

  // The largest difference of what the folder's encoder gives; it has to give as many.
  static double difference(const TextModel& model, const std::string& folder, TextRole role) {
    const bool query = role == TextRole::query;
    const auto& prompts = model.prompts();
    const auto prompt = prompts.find(query ? "query" : "document");
    const TokenSets own =
        model.embed_tokens(role, kTexts, prompt == prompts.end() ? "" : prompt->second, {});
    const EncodedTokens encoded =
        TextEncoder::open(folder).encode_tokens(kTexts, {.queries = query});
    const std::vector<std::uint64_t> begin(own.begin.begin(), own.begin.end());
    EXPECT_EQ(encoded.sets.offsets, begin);
    return (tensor_of(encoded.sets.vectors) - own.vectors).abs().max().item<double>();
  }

  SourceOptions source_;
  std::vector<Example> examples_;
};

const LateInteractionOptions kEverything{
    .query_tokens = 16, .document_tokens = 20, .query_expansion = true, .skip_punctuation = true};

TEST_F(LateInteractions, HaveTheTokenVectorsThatTheEncoderRuns) {
  int number = 0;
  for (const char* type : {"bert", "llama", "static"}) {
    for (const bool everything : {false, true}) {
      LateInteractionOptions late = everything ? kEverything : LateInteractionOptions();
      if (std::string(type) == "static") late.query_expansion = false;
      const TextModel made(options(type, late), 3);
      const std::string folder = file(type + std::to_string(number++));
      made.save(folder);
      TextModelOptions again;
      again.base = folder;
      const TextModel read(again, 9);
      for (const TextRole role : {TextRole::query, TextRole::document}) {
        EXPECT_LT(difference(made, folder, role), 1e-4) << folder;
        EXPECT_LT(difference(read, folder, role), 1e-4) << folder;
      }
    }
  }
}

TEST_F(LateInteractions, OfAStaticModelMayBeProjected) {
  TextModelOptions projected = options("static", {});
  projected.dim = 6;
  const TextModel made(projected, 3);
  made.save(file("projected"));
  EXPECT_EQ(TextEncoder::open(file("projected")).info().dim, 6u);
  EXPECT_LT(difference(made, file("projected"), TextRole::document), 1e-4);
}

TEST_F(LateInteractions, FillQueriesUpAndSkipPunctuationOfDocuments) {
  const TextModel made = model(kEverything);
  EXPECT_EQ(made.dim(), 12);
  const TokenSets queries = made.embed_tokens(TextRole::query, kTexts, "[Q] ", {});
  EXPECT_THAT(queries.begin, ElementsAre(0, 16, 32, 48, 64));
  const TokenSets documents = made.embed_tokens(TextRole::document, kTexts, "[D] ", {});
  EXPECT_EQ(documents.begin[2] - documents.begin[1], 3);  // [CLS] [D] [SEP], without ",:"
  EXPECT_LE(documents.begin[4] - documents.begin[3], 20);
  EXPECT_LT((documents.vectors.norm(2, 1) - 1).abs().max().item<double>(), 1e-5);
}

TEST_F(LateInteractions, AddMarkersToTheVocabularyOnce) {
  const TextModel made = model();
  EXPECT_TRUE(made.tokenizer().id("[Q] "));
  made.save(file("first"));
  TextModelOptions again;
  again.base = file("first");
  again.late_interaction.emplace();
  const TextModel read(again, 1);
  EXPECT_EQ(read.tokenizer().vocabulary_size(), made.tokenizer().vocabulary_size());
  EXPECT_EQ(read.dim(), 12);
  const std::vector<std::string_view> text = {"chess"};
  const auto ids = made.tokenize(TextRole::query, text, "[Q] ", 0, {}).encodings[0].ids;
  EXPECT_EQ(ids[1], *made.tokenizer().id("[Q] "));
  TextModelOptions own = options("bert", {});
  own.prompts = {{"query", "ask: "}};
  EXPECT_FALSE(TextModel(own, 1).tokenizer().id("[Q] "));
}

TEST_F(LateInteractions, ChunksAndThreadsGiveTheGradientsOfTheWholeBatch) {
  for (const LateInteractionOptions& late : {LateInteractionOptions(), kEverything}) {
    set_threads(1);
    const at::Tensor whole = gradients_of({}, late);
    EXPECT_GT(whole.norm().item<double>(), 0);
    for (const std::size_t threads : {1, 2, 3}) {
      set_threads(threads);
      for (const std::int64_t chunk : {0, 1, 3, 100}) {
        EXPECT_LT(difference(gradients_of({.chunk = chunk}, late), whole), 1e-4) << chunk;
      }
      EXPECT_TRUE(torch::equal(gradients_of({}, late), gradients_of({}, late))) << threads;
    }
  }
}

TEST_F(LateInteractions, OfEveryLossAreLoweredByTheirSteps) {
  for (const char* kind : {"info_nce", "margin_mse", "distillation"}) {
    LossOptions loss;
    loss.kind = kind;
    const TextModel trained = model();
    const Objective objective(trained, loss, {});
    const TextBatch some = batch(trained, loss);
    Optimiser optimiser({.learning_rate = 3e-3}, trained.trained());
    const double before = objective.evaluate(some, 1);
    EXPECT_NEAR(objective.step(some, {.chunk = 5}), before, 1e-4) << kind;
    for (int step = 0; step < 10; ++step) {
      optimiser.zero_gradients();
      objective.step(some, {.seed = 1});
      optimiser.step(1);
    }
    EXPECT_LT(objective.evaluate(some, 1), before) << kind;
  }
}

// The validation's rank is that of exact MaxSim over what the encoder gives.
TEST_F(LateInteractions, TrainToAFolderWhoseMaxSimFindsThePositives) {
  const Recipe recipe = this->recipe(
      "late", {"model.late_interaction.query_tokens=12", "model.dim=8", "train.steps=60",
               "validation.files=[\"" + file("pairs.jsonl") + "\"]"});
  const TrainSummary summary = train(recipe, false, two_threads());
  EXPECT_GT(summary.best_score, 0.5);
  const TextEncoder encoder = TextEncoder::open(file("late"));
  EXPECT_TRUE(encoder.info().by_token);
  EXPECT_EQ(encoder.info().dim, 8u);
  std::vector<std::string_view> queries, documents;
  for (const Example& example : examples_) {
    queries.push_back(example.query);
    documents.push_back(example.positive);
  }
  const EncodedTokens q = encoder.encode_tokens(queries, {.queries = true});
  const EncodedTokens d = encoder.encode_tokens(documents);
  const Neighbours found = exact_maxsim(d.sets, q.sets, {.k = 10});
  double sum = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    for (std::size_t rank = 0; rank < 10; ++rank) {
      if (found.ids(i, rank) == i) sum += 1 / static_cast<double>(rank + 1);
    }
  }
  EXPECT_NEAR(sum / static_cast<double>(queries.size()), summary.best_score, 0.02);
}

TEST_F(LateInteractions, AreRefusedWhereTheyCantBe) {
  const auto error = [&](const TextModelOptions& wrong) {
    return error_of([&] { TextModel(wrong, 1); });
  };
  TextModelOptions pooled = options("bert", {});
  pooled.pooling.emplace();
  EXPECT_THAT(error(pooled), HasSubstr("a late-interaction model has no pooling"));
  EXPECT_THAT(error(options("static", kEverything)),
              HasSubstr("query_expansion of a static model"));
  const TextModel made = model();
  EXPECT_THAT(error_of([&] { Objective(made, {.kind = "cosent"}, {}); }),
              HasSubstr("late interaction: loss 'cosent', expected one of info_nce, margin_mse"));
  EXPECT_THAT(error_of([&] { Objective(made, {}, {.kind = "1d"}); }),
              HasSubstr("late interaction: elastic '1d', expected none"));
  EXPECT_THAT(error_of([&] { made.embed(kTexts, "", {}); }), HasSubstr("none for a whole text"));
  made.save(file("made"));
  const TextEncoder encoder = TextEncoder::open(file("made"));
  EXPECT_THAT(error_of([&] { encoder.encode(kTexts); }), HasSubstr("none for a whole text"));
}

}  // namespace
}  // namespace kith::learn

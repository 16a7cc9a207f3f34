// Models whose dimensions have names: what is trained, written, read again and run by the encoder.
#include <gmock/gmock.h>

#include "base/test_error.h"
#include "kith/explanation.h"
#include "kith/text_encoder.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/concept_list.h"
#include "learn/train/test_recipes.h"
#include "learn/train/trainer.h"
#include "learn/weights/model_weights.h"

namespace kith::learn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string_view> kTexts = {"mail reader number1, sound:", "chess", "text",
                                              "a game of chess; a picture of a library: text"};

class NamedDimensions : public TinyTrainings {
 protected:
  void SetUp() override {
    TinyTrainings::SetUp();
    add_tags();
    source_ = {.name = "tagged",
               .files = {file("tagged.jsonl")},
               .query_concepts = "query_tags",
               .concepts = "tags",
               .negatives_each = 1};
    examples_ = read_examples(source_);
  }

  // A text is about the words that it has; every fifth positive has no list.
  void add_tags() const {
    std::string lines;
    std::size_t number = 0;
    std::istringstream pairs(formats::file_bytes(file("pairs.jsonl")));
    for (std::string line; std::getline(pairs, line); ++number) {
      auto json = nlohmann::json::parse(line);
      for (const auto& [side, field] : {std::pair("query", "query_tags"), {"positive", "tags"}}) {
        json[field] = nlohmann::json::array();
        if (number % 5 == 4) continue;
        for (const char* word : {"mail", "chess", "game", "library", "text", "sound"}) {
          if (json[side].get<std::string>().find(word) != std::string::npos) {
            json[field].push_back(std::string("about::") + word);
          }
        }
      }
      lines += json.dump() + "\n";
    }
    formats::write_bytes(file("tagged.jsonl"), lines);
  }

  TextModelOptions options(const std::string& type, const encode::ConceptSettings& settings) const {
    TextModelOptions options;
    options.architecture = architecture();
    options.architecture.type = type;
    options.normalize = true;
    ConceptOptions& concepts = options.concepts.emplace();
    concepts.settings = settings;
    concepts.concepts = {
        {"about::chess", 0.2}, {"about::mail", 0.1}, {"about::text", 0.4}, {"about::sound", 0.25}};
    return options;
  }

  Recipe tagged_recipe(const std::string& output, Overrides settings = {}) const {
    settings.insert(settings.begin(), {"data.0.files=[\"" + file("tagged.jsonl") + "\"]",
                                       "data.0.concepts=tags", "data.0.query_concepts=query_tags",
                                       "model.concepts.least=2", "model.concepts.most_share=0.9"});
    return recipe(output, settings);
  }

  SourceOptions source_;
  std::vector<Example> examples_;
};

TEST_F(NamedDimensions, AreThoseThatTheEncoderComputes) {
  int number = 0;
  for (const char* type : {"bert", "static"}) {
    for (const auto activation :
         {encode::ConceptActivation::relu, encode::ConceptActivation::sigmoid}) {
      for (const std::size_t top : {0U, 2U}) {
        const TextModel made(options(type, {.activation = activation, .top = top}), 3);
        const std::string folder = file("model" + std::to_string(number++));
        made.save(folder);
        const at::Tensor own = made.embed(kTexts, "", {});
        const TextEncoder encoder = TextEncoder::open(folder);
        EXPECT_THAT(encoder.concepts(),
                    ElementsAre("about::chess", "about::mail", "about::text", "about::sound"));
        EXPECT_EQ(encoder.info().dim, 4u);
        const at::Tensor run = tensor_of(encoder.encode(kTexts).vectors);
        EXPECT_LT((run - own).abs().max().item<double>(), 1e-4) << folder;
        EXPECT_GE(own.min().item<double>(), 0);
        EXPECT_NEAR((own.norm(2, 1) - 1).abs().max().item<double>(), 0, 1e-5);  // none is zero
        if (top > 0) {
          EXPECT_LE((own > 0).sum(1).max().item<std::int64_t>(), 2);
        }
        TextModelOptions again;
        again.base = folder;
        const TextModel read(again, 9);
        EXPECT_TRUE(torch::equal(read.embed(kTexts, "", {}), own)) << folder;
      }
    }
  }
}

TEST_F(NamedDimensions, StartFromWhatTheirNamesSay) {
  const TextModel made(options("static", {}), 3);
  const at::Tensor vectors = made.embed(std::vector<std::string_view>{"chess", "mail"}, "", {});
  EXPECT_EQ(vectors[0].argmax().item<std::int64_t>(), 0);
  EXPECT_EQ(vectors[1].argmax().item<std::int64_t>(), 1);
  EXPECT_EQ(words_of_name("use::text-editing"), "use text editing");
}

TEST_F(NamedDimensions, AddUpToTheRelevance) {
  TextModelOptions unscaled = options("static", {});
  unscaled.normalize = false;
  const TextModel made(unscaled, 3);
  const Matrix<float> x = matrix_of(made.embed(kTexts, "", {}));
  const Explanation why = explain({x.row(0), 4}, {x.row(3), 4});
  double sum = 0, relevance = 0;
  for (const Contribution& each : why.shared) sum += each.value;
  for (std::size_t j = 0; j < 4; ++j) relevance += double{x(0, j)} * x(3, j);
  EXPECT_NEAR(sum, relevance, 1e-9);
  EXPECT_NEAR(why.inner_product, relevance, 1e-9);
}

TEST_F(NamedDimensions, HaveGradientsThatAreTheirSlopes) {
  ConceptOptions concepts;
  concepts.concepts = {{"a", 0.2}, {"b", 0.5}, {"c", 0.1}};
  for (const auto activation :
       {encode::ConceptActivation::relu, encode::ConceptActivation::sigmoid}) {
    concepts.settings.activation = activation;
    const ConceptHead head(concepts, random_tensor({3, 4}, 1).to(torch::kFloat32));
    const Tensor wanted = random_tensor({5, 3}, 2);
    expect_gradients(
        [&](const std::vector<Tensor>& x) { return (head.vectors(x[0]) * wanted).sum(); },
        {random_tensor({5, 3}, 4)});
  }
}

TEST_F(NamedDimensions, LearnTheConceptsThatTextsWereGiven) {
  for (const char* type : {"bert", "static"}) {
    const std::string output = std::string("learned-") + type;
    const Recipe trained = tagged_recipe(
        output,
        {std::string("model.architecture.type=") + type, "train.steps=60", "train.dropout=0",
         "train.attention_dropout=0", "train.learning_rate=0.02", "loss.ranking_weight=0",
         "validation.files=[\"" + file("tagged.jsonl") + "\"]", "validation.concepts=tags"});
    const TrainSummary summary = train(trained, false, two_threads());
    EXPECT_LT(summary.last_loss, 0.7 * summary.first_loss) << type;
    EXPECT_THAT(summary.validations,
                testing::Contains(testing::Field(&ValidationLine::metric, "concept_f1_at_5")));
    const TextEncoder encoder = TextEncoder::open(file(output));
    EXPECT_THAT(encoder.concepts(), testing::Contains("about::chess"));
  }
}

TEST_F(NamedDimensions, TrainTheSameInChunksOnOneThreadAndAgain) {
  std::vector<std::vector<std::string>> weights;
  for (const char* name : {"a", "b"}) {
    const Recipe made = tagged_recipe(name, {"model.architecture.type=static"});
    train(made, false, two_threads());
    weights.push_back({formats::file_bytes(file(name) + "/1_Concepts/model.safetensors"),
                       formats::file_bytes(file(name) + "/1_Concepts/concepts.json")});
    EXPECT_NE(weights.back()[0], "");
  }
  EXPECT_EQ(weights[0], weights[1]);
  const auto gradients = [&](std::int64_t chunk) {
    const TextModel model(options("bert", {}), 3);
    const std::vector<std::uint32_t> rows = {0, 1, 2, 3, 4, 5, 6, 7};
    const TextBatch batch = make_batch(model, examples_, rows, source_, {}, {}, {});
    Objective(model, {}, {}).step(batch, {.chunk = chunk});
    std::vector<at::Tensor> all;
    for (const Parameter& each : model.trained()) all.push_back(each.value.grad().flatten());
    return torch::cat(all);
  };
  const at::Tensor whole = gradients(0), cached = gradients(3);
  EXPECT_LT(((whole - cached).norm() / whole.norm()).item<double>(), 1e-5);
}

TEST_F(NamedDimensions, MayLearnConceptsFirst) {
  const TextModel model(options("static", {}), 3);
  const std::vector<std::uint32_t> rows = {0, 1, 2, 3, 4, 5, 6, 7};
  LossOptions alone;
  alone.concepts.ranking = 0;
  const TextBatch batch = make_batch(model, examples_, rows, source_, {}, {}, {});
  const double first = Objective(model, {}, {}).step(batch, {.ranks = false});
  EXPECT_DOUBLE_EQ(first, Objective(model, alone, {}).step(batch, {}));
  EXPECT_LT(first, Objective(model, {}, {}).step(batch, {}));
  EXPECT_EQ(tagged_recipe("x", {"loss.ranking_after=7"}).sources[0].loss.concepts.ranking_after, 7);
}

TEST_F(NamedDimensions, AreCountedAmongTheExamplesOrGivenAsAList) {
  const std::vector<std::vector<Example>> sources = {
      {{.query_concepts = {"a", "b", "b"}, .concepts = {"a"}},
       {.concepts = {"a", "c"}},
       {.concepts = {"c"}},
       {}}};
  ConceptOptions counted{.least = 2, .most_share = 0.5};
  EXPECT_THAT(concepts_of(counted, sources), ElementsAre(encode::NamedConcept{"c", 0.5}));
  counted.least = 1;
  EXPECT_THAT(concepts_of(counted, sources),
              ElementsAre(encode::NamedConcept{"b", 0.25}, encode::NamedConcept{"c", 0.5}));
  counted.least = 9;
  EXPECT_THAT(error_of([&] { concepts_of(counted, sources); }), HasSubstr("none of 3"));
  EXPECT_THAT(error_of([&] { concepts_of({}, std::vector<std::vector<Example>>{{{}}}); }),
              HasSubstr("no example has any"));
  const auto with = [&](const std::string& lines) {
    formats::write_bytes(file("names.txt"), lines);
    return error_of([&] { concepts_of({.names = file("names.txt")}, sources); });
  };
  EXPECT_EQ(with("c\na\nb\n"), "");
  EXPECT_THAT(with("c\na\n"), HasSubstr("concept 'b' of an example"));
  EXPECT_THAT(with("c\na\nb\nc\n"), HasSubstr("line 4: concept 'c' twice"));
  EXPECT_THAT(with("c\na\nb\nd\n"), HasSubstr("'d' is in none"));
  EXPECT_THAT(with("c\n\na\nb\n"), HasSubstr("without a name"));
  std::string many;
  for (std::size_t i = 0; i <= encode::kMostConcepts; ++i) many += std::to_string(i) + "\n";
  EXPECT_THAT(with(many), HasSubstr("more than 65535 concepts"));
}

TEST_F(NamedDimensions, RefuseWhatDoesNotFit) {
  const TextModel made(options("static", {}), 3);
  made.save(file("made"));
  TextModelOptions again = options("static", {});
  again.base = file("made");
  EXPECT_THAT(error_of([&] { TextModel(again, 1); }), HasSubstr("part of the model"));
  TextModelOptions late = options("static", {});
  late.normalize.reset();
  late.late_interaction.emplace();
  EXPECT_THAT(error_of([&] { TextModel(late, 1); }), HasSubstr("late interaction"));
  EXPECT_THAT(error_of([&] { Objective(made, {}, {.kind = "1d"}); }), HasSubstr("elastic"));
  LossOptions nothing;
  nothing.concepts.weight = nothing.concepts.ranking = 0;
  EXPECT_THAT(error_of([&] { Objective(made, nothing, {}); }), HasSubstr("ranking_weight"));
  const Recipe untagged =
      tagged_recipe("x", {"data.0.concepts=none", "data.0.query_concepts=none"});
  EXPECT_THAT(error_of([&] { train(untagged, false, two_threads()); }),
              HasSubstr("no example has any"));
  EXPECT_THAT(error_of([&] { tagged_recipe("x", {"model.concepts.activation=tanh"}); }),
              HasSubstr("relu, sigmoid"));

  TextModelOptions other = options("static", {});
  other.concepts->concepts[1].name = "about::post";
  TextModel(other, 3).save(file("other"));
  EXPECT_THAT(
      error_of([&] {
        plain_vectors_of({read_model_weights(file("made")), read_model_weights(file("other"))});
      }),
      HasSubstr("different lists of concepts"));
}

}  // namespace
}  // namespace kith::learn

// Future token prediction: do states that must tell the next eight tokens move more smoothly along
// a text than those of a model that tells the next one, and do they classify texts better? Three
// small GPT-2s from scratch on the same texts in the same order: one with a decoder of two layers
// that writes the next eight tokens from one state, one of the same encoder alone, and one that has
// the decoder's layers in its encoder. Each seed has its own three. A common direction of all
// states makes any two look alike, so cosines are also taken after the mean over all is removed.
#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "learn/learn.h"
#include "papers/common/bases.h"
#include "papers/common/data.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/task_samples.h"
#include "papers/common/text_tasks.h"
#include "papers/common/token_states.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr const char* kSources[] = {"debian", "handbooks", "brown", "speeches", "novels"};
constexpr std::size_t kTokens = 128, kHeldOut = 20;  // of so many texts one isn't trained on
constexpr std::size_t kAhead = 8;

constexpr char kFuture[] = "future tokens", kPlain[] = "next token, as deep",
               kDeep[] = "next token, as many layers";
constexpr char kSmooth[] = "mean cosine of states, their mean removed",
               kRaw[] = "mean cosine of states as they are",
               kClasses[] = "accuracy, 16 texts a class", kBoundary[] = "where one text ends",
               kSurprise[] = "perplexity of held-out texts";
constexpr char kLast[] = "last state", kMean[] = "mean of states", kError[] = "tokens off, mean",
               kWithin[] = "within 3 tokens", kNext[] = "token 1";

struct Texts {
  std::string trained, held_out;          // files
  std::vector<std::string> descriptions;  // held out, for boundaries and smoothness
};

Texts texts_of(const Trial& trial) {
  std::vector<std::string> kept[2];
  Texts texts;
  if (trial.quick) {
    Random random(1);
    for (std::size_t i = 0; i < 200; ++i) {
      kept[i % kHeldOut == 0].push_back(made_up_text(i % 12, 30, random));
    }
    texts.descriptions = kept[1];
  } else {
    for (const char* source : kSources) {
      std::size_t number = 0;
      for (std::string& text : read_training_texts("texts", source, trial)) {
        const bool out = number++ % kHeldOut == 0;
        if (out && std::string(source) == "debian") texts.descriptions.push_back(text);
        kept[out].push_back(std::move(text));
      }
    }
  }
  for (const bool out : {false, true}) {
    std::string& path = out ? texts.held_out : texts.trained;
    path = data_path(trial, out ? "ftp-held-out" : "ftp-texts", {"texts"}, ".jsonl");
    // Validation reads the first ones: of all sources alike.
    Random random(2);
    for (std::size_t i = kept[out].size(); i > 1; --i) {
      std::swap(kept[out][i - 1], kept[out][random.below(i)]);
    }
    write_training_texts(path, kept[out]);
  }
  return texts;
}

std::string recipe(const Trial& trial, const Texts& texts, std::size_t layers,
                   const std::string& objective) {
  return fmt::format(R"(
[objective]
{}
[model.architecture]
type = "gpt2"
layers = {}
width = {}
heads = 4
max_tokens = {}
tokenizer = "{}"
[[data]]
files = ["{}"]
[validation]
files = ["{}"]
texts = {}
every = 1000000
[train]
steps = {}
batch = 16
tokens = {}
learning_rate = 1e-3
schedule = "cosine"
weight_decay = 0.1
dropout = 0.0
attention_dropout = 0.0
seed = {}
)",
                     objective, layers, trial.quick ? 16 : 128, kTokens, byte_tokenizer(trial),
                     texts.trained, texts.held_out, trial.quick ? 8 : 256, trial.quick ? 6 : 500,
                     kTokens, trial.seed);
}

constexpr char kFutureObjective[] =
    "kind = \"ftp\"\ndecoder_layers = 2\npseudo_tokens = 4\nahead = 8\ndecay = 0.8\nplaces = 0.25";

struct Model {
  const char* name;
  std::string folder;
};

std::vector<std::vector<std::uint32_t>> tokens_of(const TokenStates& model,
                                                  const std::vector<std::string>& texts,
                                                  std::size_t least, std::size_t most,
                                                  std::size_t count) {
  std::vector<std::vector<std::uint32_t>> all;
  for (const std::string& text : texts) {
    std::vector<std::uint32_t> ids = model.tokens(text);
    if (ids.size() < least) continue;
    ids.resize(std::min(ids.size(), most));
    all.push_back(std::move(ids));
    if (all.size() == count) break;
  }
  return all;
}

void measure_smoothness(const std::string& row, const TokenStates& model, const Texts& texts,
                        std::optional<std::size_t> layer, const Trial& trial, Results& results) {
  const auto tokens = tokens_of(model, texts.descriptions, 20, 96, 400);
  std::vector<Matrix<float>> states = model.states(tokens, layer, trial.control);
  const auto report = [&](const char* table) {
    for (const std::size_t distance : {1, 2, 4, 8, 16}) {
      results.add(table, row, std::to_string(distance) + " apart", cosine_apart(states, distance));
    }
  };
  report(kRaw);
  subtract(mean_state(states), states);
  report(kSmooth);
}

// Two descriptions one behind the other.
void measure_boundaries(const std::string& row, const TokenStates& model, const Texts& texts,
                        const Trial& trial, Results& results) {
  constexpr std::size_t kLength = 40, kWindow = 8, kNear = 3;
  const std::size_t least = trial.quick ? 12 : kLength;
  auto parts = tokens_of(model, texts.descriptions, least, kLength, 600);
  std::vector<std::vector<std::uint32_t>> joined;
  std::vector<std::size_t> truth;
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    truth.push_back(parts[i].size());
    joined.push_back(std::move(parts[i]));
    joined.back().insert(joined.back().end(), parts[i + 1].begin(), parts[i + 1].end());
  }
  std::vector<Matrix<float>> states = model.states(joined, {}, trial.control);
  subtract(mean_state(states), states);
  double off = 0, near = 0;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto found = static_cast<double>(likeliest_boundary(states[i], kWindow));
    const double error = std::abs(found - static_cast<double>(truth[i]));
    off += error / static_cast<double>(states.size());
    near += (error <= kNear ? 1.0 : 0.0) / static_cast<double>(states.size());
  }
  results.add(kBoundary, row, kError, off);
  results.add(kBoundary, row, kWithin, near);
}

std::vector<Task> classes_of(const Trial& trial) {
  std::vector<Task> tasks = {section_classes(trial, 1000)};
  if (trial.quick) return tasks;
  for (const char* name : {"spamassassin", "debtags"}) {
    tasks.push_back(some_tests(std::move(load_tasks(name, trial).front()), 1000, trial.seed));
  }
  return tasks;
}

void measure_classes(const std::string& row, const TokenStates& model,
                     const std::vector<Task>& tasks, std::optional<std::size_t> layer,
                     const Trial& trial, Results& results) {
  for (const bool last : {true, false}) {
    double sum = 0;
    for (const Task& task : tasks) {
      StateEmbedder states(row, model, last, layer);
      const double found = score(task, states, trial);
      results.add(kClasses, row, task.name + (last ? ", last" : ", mean"), found);
      sum += found;
    }
    results.add(kClasses, row, last ? kLast : kMean, sum / static_cast<double>(tasks.size()));
  }
}

void measure(const Trial& trial, Results& results) {
  trial.expect(6);
  const Texts texts = texts_of(trial);
  const std::vector<Task> classes = classes_of(trial);
  const std::vector<Model> models = {
      {kFuture, pretrained(trial, "ftp-future", recipe(trial, texts, 4, kFutureObjective))},
      {kPlain, pretrained(trial, "ftp-plain", recipe(trial, texts, 4, "kind = \"clm\""))},
      {kDeep, pretrained(trial, "ftp-deep", recipe(trial, texts, 6, "kind = \"clm\""))}};
  for (const Model& each : models) {
    const bool future = each.name == std::string(kFuture);
    trial.step();
    for (std::size_t k = 1; k <= kAhead; ++k) {
      // A model of the next token is always asked for it: as sure at every place.
      const std::string metric = future ? "perplexity_" + std::to_string(k) : "perplexity";
      results.add(kSurprise, each.name, "token " + std::to_string(k),
                  validation_score(each.folder, metric));
    }
    const TokenStates model(each.folder, kTokens);
    measure_smoothness(each.name, model, texts, {}, trial, results);
    measure_classes(each.name, model, classes, {}, trial, results);
    measure_boundaries(each.name, model, texts, trial, results);
    if (!future) {  // a last layer is drawn to the table of tokens; a middle one is not
      const std::string middle = std::string(each.name) + ", middle layer";
      measure_smoothness(middle, model, texts, model.layers() / 2, trial, results);
      measure_classes(middle, model, classes, model.layers() / 2, trial, results);
    }
    trial.step();
  }
}

std::vector<std::string> all_data() {
  return {"train/texts", "train/wordnet", "sections", "spamassassin", "debtags"};
}

Judgement both_above(const Results& results, const char* table, const char* column) {
  const Judgement parts[] = {
      above("- as deep", results.difference(table, kFuture, kPlain, column)),
      above("- as many layers", results.difference(table, kFuture, kDeep, column))};
  return all_of(parts);
}

constexpr double kCost = 1.08;

const Registration registration({
    .slug = "ftp",
    .title = "Future Token Prediction - Causal Language Modelling with Per-Token Semantic State "
             "Vector for Multi-Token Prediction",
    .authors = "Walker",
    .year = 2024,
    .source = "arXiv 2410.18160",
    .data = all_data(),
    .seeds = 3,
    .claims =
        {{"States of neighbouring tokens are more alike than those of models of the next token, "
          "the mean of all removed",
          "shown if the mean cosine of neighbours minus that of each other model's last layer is "
          "above 0, paired over seeds; refuted if it is below 0 for one",
          [](const Results& results) { return both_above(results, kSmooth, "1 apart"); }},
         {"A text's last state tells its class better",
          "shown if accuracy from the last state, mean of the tasks, minus that of each other "
          "model's last layer is above 0; refuted if it is below 0 for one",
          [](const Results& results) { return both_above(results, kClasses, kLast); }},
         {"The mean of states tells its class better", "as above, from the mean of a text's states",
          [](const Results& results) { return both_above(results, kClasses, kMean); }},
         {"States show better where one text ends and another begins",
          "shown if the share of boundaries found within 3 tokens, minus that of each other model, "
          "is above 0; refuted if it is below 0 for one",
          [](const Results& results) { return both_above(results, kBoundary, kWithin); }},
         {"All this costs little of the next token's perplexity",
          "shown if its logarithm exceeds that of the model as deep by less than log 1.08, refuted "
          "if by more",
          [](const Results& results) {
            std::vector<double> future, plain;
            for (const double p : results.values(kSurprise, kFuture, kNext)) {
              future.push_back(std::log(p));
            }
            for (const double p : results.values(kSurprise, kPlain, kNext)) {
              plain.push_back(std::log(p));
            }
            return below("difference of logarithms", paired_difference(future, plain),
                         std::log(kCost));
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

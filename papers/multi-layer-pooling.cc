// Pooling and attention of embedders made of language models: five designs on one base and the same
// data, and two controls that the paper lacks: the plain mean, and a weighted sum of layers, which
// tell more layers from more parameters. The base, a llama of 6 layers and 128 dimensions, is one
// for all seeds; all weights train (the paper's adapters would be larger than it). 27 small data
// sets of four families judge.
#include <string>
#include <vector>

#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/elastic_model.h"
#include "papers/common/paired_sets.h"
#include "papers/common/paper.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTokens = 64;  // of a text that is judged

struct Design {
  const char* name;
  const char* model;  // lines of the recipe's [model]
};
constexpr Design kDesigns[] = {
    {"1 causal, last token", "attention = \"causal\"\npooling = \"last\""},
    {"2 causal, trained, last layer",
     "attention = \"causal\"\npooling = {kind = \"last_layer\", tokens = \"last\", latents = 32}"},
    {"3 causal, trained, all layers",
     "attention = \"causal\"\npooling = {kind = \"multi_layer\", tokens = \"last\", latents = 32}"},
    {"4 both ways, trained, last layer",
     "attention = \"bidirectional\"\n"
     "pooling = {kind = \"last_layer\", tokens = \"all\", latents = 32}"},
    {"5 both ways, trained, all layers",
     "attention = \"bidirectional\"\n"
     "pooling = {kind = \"multi_layer\", tokens = \"mean\", latents = 32}"},
    {"both ways, mean", "attention = \"bidirectional\"\npooling = \"mean\""},
    {"both ways, weighted layers", "attention = \"bidirectional\"\npooling = \"weighted_layers\""},
};
constexpr const char* kFirst = kDesigns[0].name;
constexpr const char* kSecond = kDesigns[1].name;
constexpr const char* kThird = kDesigns[2].name;
constexpr const char* kFourth = kDesigns[3].name;
constexpr const char* kFifth = kDesigns[4].name;
constexpr const char* kWeighted = kDesigns[6].name;

void measure(const Trial& trial, Results& results) {
  trial.expect(2 * std::size(kDesigns));
  const std::vector<TextTask> tasks = text_tasks(trial);
  ContrastiveOptions options;
  options.base = tiny_lm(trial);
  options.data = data_table(debian_pairs(trial, 7), 1);
  options.batch = 64;
  options.steps = 100;
  for (const Design& design : kDesigns) {
    options.model = design.model;
    const std::string folder =
        trained(trial, "multi-layer-pooling", contrastive_recipe(options, trial));
    trial.step();
    ElasticModel model(folder, kTokens);
    for (const char* family : kFamilies) {
      double sum = 0, count = 0;
      for (const TextTask& each : tasks) {
        if (each.family != family) continue;
        const double found = score(each.task, model, trial);
        results.add(family, design.name, each.task.name, found);
        sum += found;
        ++count;
      }
      results.add("means of families", design.name, family, sum / count);
    }
    trial.step();
  }
}

// The comparisons of a family, which are corrected together.
std::vector<PairedSets> comparisons(const Results& results, const char* family) {
  std::vector<PairedSets> all = {compare_sets(results, family, kFifth, kFirst),
                                 compare_sets(results, family, kFifth, kFourth),
                                 compare_sets(results, family, kThird, kSecond),
                                 compare_sets(results, family, kFourth, kSecond),
                                 compare_sets(results, family, kFifth, kWeighted)};
  correct(all);
  return all;
}

constexpr std::size_t kBest = 0, kLayersBothWays = 1, kLayersCausal = 2, kAttention = 3,
                      kCrossAttention = 4;

// One of them in retrieval and in pairs, where the paper sees gains.
Judgement better_at_search(const Results& results, std::size_t which) {
  return all_better(
      {comparisons(results, kFamilies[0])[which], comparisons(results, kFamilies[1])[which]});
}

constexpr char kRule[] =
    "shown if both in retrieval and in pairs the mean over data sets is higher in every seed and "
    "Wilcoxon's p over them is below 0.05, as in the paper (beside it corrected by Holm for the "
    "family's five comparisons); refuted if it is lower so in one";

std::vector<std::string> all_data() {
  std::vector<std::string> names = text_task_data();
  names.insert(names.end(), {"train/debian", "train/texts"});
  return names;
}

const Registration registration({
    .slug = "multi-layer-pooling",
    .title = "Pooling And Attention: What Are Effective Designs For LLM-Based Embedding Models?",
    .authors = "Tang and Yang",
    .year = 2024,
    .source = "arXiv 2409.02727",
    .data = all_data(),
    .seeds = 3,
    .claims =
        {{"Attention both ways with a trained pooling of all layers (5) is better at retrieval and "
          "similarity than the last token of a causal model (1)",
          kRule, [](const Results& results) { return better_at_search(results, kBest); }},
         {"All layers are better than the last one, both ways (5 and 4)", kRule,
          [](const Results& results) { return better_at_search(results, kLayersBothWays); }},
         {"All layers are better than the last one, causal (3 and 2)", kRule,
          [](const Results& results) { return better_at_search(results, kLayersCausal); }},
         {"Attention both ways is better than causal, both with a trained pooling of the last "
          "layer "
          "(4 and 2)",
          kRule, [](const Results& results) { return better_at_search(results, kAttention); }},
         {"Cross-attention to layers (5) is better than their weighted sum, so that its gain is "
          "not "
          "that of the layers alone",
          kRule, [](const Results& results) { return better_at_search(results, kCrossAttention); }},
         {"In classification and clustering 5 is not better than 1",
          "refuted if the first claim's rule is met by one of these two families; shown if 5 is "
          "lower in both, by the mean over data sets, in every seed",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const char* family : {kFamilies[2], kFamilies[3]}) {
              const PairedSets found = comparisons(results, family)[kBest];
              Judgement part{Verdict::undecided, text(found)};
              if (all_better({found}).verdict == Verdict::shown) part.verdict = Verdict::refuted;
              if (found.difference < 0 && found.in_every_seed) part.verdict = Verdict::shown;
              parts.push_back(part);
            }
            return all_of(parts);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

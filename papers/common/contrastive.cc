#include "papers/common/contrastive.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "papers/common/hard_negatives.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {

std::string debian_pairs(const Trial& trial, std::size_t negatives) {
  std::string name = "debian-pairs";
  if (negatives > 0) name += fmt::format("-with-{}-negatives-{}", negatives, trial.seed);
  std::string path = data_path(trial, name, {"debian"}, ".jsonl");
  if (std::filesystem::exists(path)) return path;
  if (trial.quick) {
    Random random(trial.seed);
    write_pairs(path, made_up_pairs(random));
    return path;
  }
  std::vector<TrainingPair> pairs = read_pairs("debian", "debian-summary", trial);
  if (negatives > 0) {
    add_hard_negatives(pairs, {.each = negatives}, trial);
    // A batch has as many negatives as its pair with the fewest.
    std::erase_if(pairs,
                  [&](const TrainingPair& pair) { return pair.negatives.size() < negatives; });
  }
  write_pairs(path, pairs);
  return path;
}

std::string gloss_pairs(const Trial& trial) {
  std::string path = data_path(trial, "gloss-pairs", {"wordnet"}, ".jsonl");
  if (std::filesystem::exists(path)) return path;
  Random random(1);
  write_pairs(path,
              trial.quick ? made_up_pairs(random) : read_pairs("wordnet", "wordnet-gloss", trial));
  return path;
}

std::string data_table(const std::string& file, std::size_t negatives_each) {
  return fmt::format("[[data]]\nfiles = [\"{}\"]\nnegatives_each = {}\n", file, negatives_each);
}

std::string contrastive_recipe(const ContrastiveOptions& options, const Trial& trial) {
  return fmt::format(R"([model]
base = "{}"
{}
{}
{}
[loss]
temperature = 0.05
in_batch = {}
mask_equal = true
[train]
steps = {}
batch = {}
query_tokens = {}
document_tokens = {}
learning_rate = {}
warmup = 0.1
dropout = 0.0
attention_dropout = 0.0
seed = {}
)",
                     options.base, options.model, options.data, options.elastic, options.in_batch,
                     trial.quick ? 4 : options.steps, trial.quick ? 8 : options.batch,
                     options.query_tokens, options.document_tokens, options.learning_rate,
                     options.seed.value_or(trial.seed));
}

}  // namespace kith::papers

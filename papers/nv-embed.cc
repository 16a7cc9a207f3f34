// NV-Embed: does a language model embed better without its causal mask, with latent attention over
// its tokens, and trained in two stages? The base, a llama of 6 layers and 128 dimensions, is one
// for all seeds; all weights train (the paper's adapters would be larger than it), texts have no
// instructions. Batches are of 48 with one hard negative each, the paper's of 128 with seven; its
// seven are in the second stage here.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/random.h"
#include "datasets/held_out.h"
#include "datasets/wordnet.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/debian_packages.h"
#include "papers/common/elastic_model.h"
#include "papers/common/hard_negatives.h"
#include "papers/common/lexicographers.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTokens = 64;  // of a text that is judged
constexpr std::size_t kBatch = 48, kStage1 = 100, kStage2 = 60, kNegatives = 7;

// ---- Data of the second stage -------------------------------------------------------------------

struct LabelledText {
  std::string text, label;
};

// A text asks for its label among others.
std::vector<TrainingPair> label_pairs(const std::vector<LabelledText>& texts, std::uint64_t seed) {
  std::vector<std::string> labels;
  for (const LabelledText& each : texts) labels.push_back(each.label);
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::vector<TrainingPair> pairs;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    TrainingPair pair{texts[i].text, texts[i].label};
    Random random(seed, i);
    const std::size_t others = std::min(kNegatives, labels.size() - 1);
    while (pair.negatives.size() < others) {
      const std::string& other = labels[random.below(labels.size())];
      const bool there =
          std::find(pair.negatives.begin(), pair.negatives.end(), other) != pair.negatives.end();
      if (other != pair.positive && !there) pair.negatives.push_back(other);
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::vector<LabelledText> sections_of(const std::vector<DebianPackage>& packages) {
  std::vector<LabelledText> texts;
  for (const DebianPackage& each : packages) {
    if (each.section.empty()) continue;  // a few packages have none
    texts.push_back({each.summary + "\n" + each.text, each.section});
  }
  return texts;
}

// Glosses that are trained on and the names of their lexicographers' files.
std::vector<LabelledText> lexicographers_of(const Trial& trial) {
  const std::unordered_set<std::uint64_t> taught = trained_texts("wordnet", trial);
  datasets::Packages packages(trial.cache, trial.control, [](const std::string&) {});
  std::vector<LabelledText> texts;
  for (const auto& synsets : datasets::read_wordnet(packages)) {
    for (const datasets::Synset& each : synsets) {
      if (taught.contains(datasets::fingerprint(each.definition))) {
        texts.push_back({each.definition, kLexicographers[each.lexicographer]});
      }
    }
  }
  return texts;
}

// Packages that share four fifths of their tags, each asking for the other; BM25's hits that share
// at most half are negatives.
std::vector<TrainingPair> alike_pairs(const std::vector<DebianPackage>& packages,
                                      const Trial& trial) {
  constexpr double kAlike = 0.8, kUnlike = 0.5;
  constexpr std::size_t kDrawn = 20000, kCandidates = 40;
  std::vector<std::uint32_t> all(packages.size());
  std::unordered_map<std::string, const DebianPackage*> by_text;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    all[i] = i;
    by_text[packages[i].text] = &packages[i];
  }
  std::vector<TrainingPair> pairs;
  for (const PackagePair& each : draw_pairs(packages, all, kDrawn, trial.seed)) {
    if (each.score < kAlike) continue;
    const std::string &a = packages[each.first].text, &b = packages[each.second].text;
    pairs.push_back({a, b});
    pairs.push_back({b, a});
  }
  add_hard_negatives(pairs, {.first = 2, .last = kCandidates, .each = kCandidates}, trial);
  for (TrainingPair& pair : pairs) {
    std::erase_if(pair.negatives, [&](const std::string& text) {
      return shared_tags(*by_text.at(text), *by_text.at(pair.query)) > kUnlike;
    });
    pair.negatives.resize(std::min(pair.negatives.size(), kNegatives));
  }
  std::erase_if(pairs, [](const TrainingPair& pair) { return pair.negatives.size() < kNegatives; });
  return pairs;
}

// Files of pairs by what they are of.
std::map<std::string, std::string> stage2_files(const Trial& trial) {
  std::map<std::string, std::string> files;
  const auto keep = [&](const char* name, const auto& make) {
    const std::string path =
        data_path(trial, std::string(name) + "-pairs-" + std::to_string(trial.seed),
                  {"debian", "wordnet"}, ".jsonl");
    if (!std::filesystem::exists(path)) write_pairs(path, make());
    files[name] = path;
  };
  if (trial.quick) {
    for (const char* name : {"sections", "lexicographers", "tags"}) {
      keep(name, [&] {
        Random random(trial.seed);
        return made_up_pairs(random);
      });
    }
    return files;
  }
  const std::unordered_set<std::uint64_t> taught = trained_texts("debian", trial);
  std::vector<DebianPackage> packages = load_packages(trial);
  std::erase_if(packages, [&](const DebianPackage& each) {
    return each.tested || !taught.contains(datasets::fingerprint(each.text));
  });
  keep("sections", [&] { return label_pairs(sections_of(packages), trial.seed); });
  keep("lexicographers", [&] { return label_pairs(lexicographers_of(trial), trial.seed); });
  keep("tags", [&] { return alike_pairs(packages, trial); });
  return files;
}

// Retrieval and the others, a half each.
std::string all_sources(const Trial& trial, std::size_t retrieval_negatives) {
  std::string tables =
      data_table(debian_pairs(trial, kNegatives), retrieval_negatives) + "weight = 3\n";
  for (const auto& [name, file] : stage2_files(trial)) {
    tables += data_table(file, kNegatives) + "weight = 1\n";
  }
  return tables;
}

// ---- Models -------------------------------------------------------------------------------------

struct Judged {
  Task retrieval, sections, alike;
};

constexpr char kRank[] = "nDCG@10", kAccuracy[] = "accuracy", kAlike[] = "Spearman",
               kMean[] = "mean";

double report(const std::string& table, const std::string& row, const std::string& folder,
              const Judged& tasks, const Trial& trial, Results& results) {
  ElasticModel model(folder, kTokens);
  const double rank = score(tasks.retrieval, model, trial),
               accuracy = score(tasks.sections, model, trial),
               alike = score(tasks.alike, model, trial), mean = (rank + accuracy + alike) / 3;
  results.add(table, row, kRank, rank);
  results.add(table, row, kAccuracy, accuracy);
  results.add(table, row, kAlike, alike);
  results.add(table, row, kMean, mean);
  trial.step();
  return mean;
}

constexpr char kDesigns[] = "designs", kMasks[] = "mean over poolings", kStages[] = "stages";
constexpr const char* kAttentions[] = {"causal", "bidirectional"};
constexpr const char* kPoolings[] = {"last", "mean", "latent", "self_attention"};
constexpr char kOneStage[] = "one stage of all data, negatives in the batch",
               kTwoStages[] = "two stages", kFirstStage[] = "the first stage alone";

std::string design(const std::string& attention, const std::string& pooling) {
  return attention + ", " + pooling;
}

ContrastiveOptions first_stage(const Trial& trial, const std::string& attention,
                               const std::string& pooling) {
  ContrastiveOptions options;
  options.base = tiny_lm(trial);
  options.model = "attention = \"" + attention + "\"\npooling = {kind = \"" + pooling + "\"" +
                  (pooling == "latent" ? ", latents = 32}" : "}");
  options.data = data_table(debian_pairs(trial, kNegatives), 1);
  options.batch = kBatch;
  options.steps = kStage1;
  return options;
}

std::string nv_embed(const ContrastiveOptions& options, const Trial& trial) {
  std::string folder = trained(trial, "nv-embed", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

// Causal or not, by four poolings. Returns the folder of the paper's design.
std::string measure_designs(const Judged& tasks, const Trial& trial, Results& results) {
  std::string last;
  for (const char* attention : kAttentions) {
    double sum = 0;
    for (const char* pooling : kPoolings) {
      const std::string folder = nv_embed(first_stage(trial, attention, pooling), trial);
      sum += report(kDesigns, design(attention, pooling), folder, tasks, trial, results);
      if (std::string(pooling) == "latent") last = folder;
    }
    results.add(kMasks, attention, kMean, sum / std::size(kPoolings));
  }
  for (const char* pooling : kPoolings) {
    double sum = 0;
    for (const char* attention : kAttentions) {
      sum += results.values(kDesigns, design(attention, pooling), kMean).back();
    }
    results.add(kMasks, pooling, kMean, sum / std::size(kAttentions));
  }
  return last;
}

// The second stage goes on from the first without negatives in the batch; the one stage takes as
// many steps in all.
void measure_stages(const std::string& first, const Judged& tasks, const Trial& trial,
                    Results& results) {
  ContrastiveOptions second;
  second.base = first;
  second.data = all_sources(trial, kNegatives);
  second.batch = kBatch;
  second.steps = kStage2;
  second.query_tokens = 40;  // what is classified asks
  second.in_batch = false;
  ContrastiveOptions mixed = first_stage(trial, "bidirectional", "latent");
  mixed.data = all_sources(trial, 1);
  mixed.steps = kStage1 + kStage2;
  mixed.query_tokens = second.query_tokens;
  report(kStages, kFirstStage, first, tasks, trial, results);
  report(kStages, kTwoStages, nv_embed(second, trial), tasks, trial, results);
  report(kStages, kOneStage, nv_embed(mixed, trial), tasks, trial, results);
}

void measure(const Trial& trial, Results& results) {
  constexpr std::size_t kModels = std::size(kAttentions) * std::size(kPoolings) + 2;
  trial.expect(2 * kModels + 1);
  const Judged tasks{debian_retrieval(trial), section_classes(trial), debtags_similarity(trial)};
  const std::string first = measure_designs(tasks, trial, results);
  measure_stages(first, tasks, trial, results);
}

constexpr double kNothing = 0.01, kNoLoss = -0.01;

const Registration registration({
    .slug = "nv-embed",
    .title = "NV-Embed: Improved Techniques for Training LLMs as Generalist Embedding Models",
    .authors = "Lee, Roy, Xu, Raiman, Shoeybi, Catanzaro and Ping",
    .year = 2024,
    .source = "arXiv 2405.17428",
    .data = {"debian", "sections", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Attention both ways embeds better than causal attention",
          "shown if the mean of retrieval, classification and similarity, over four poolings, "
          "minus "
          "that of causal attention is above 0, refuted if below",
          [](const Results& results) {
            return above("both ways - causal",
                         results.difference(kMasks, kAttentions[1], kAttentions[0], kMean));
          }},
         {"The mean of tokens is better than the last one",
          "shown if the mean of the three tasks, over both kinds of attention, minus that of the "
          "last token is above 0, refuted if below",
          [](const Results& results) {
            return above("mean - last", results.difference(kMasks, "mean", "last", kMean));
          }},
         {"Latent attention is better than the mean",
          "shown if the mean of the three tasks, both ways, minus that of mean pooling is above 0, "
          "refuted if below",
          [](const Results& results) {
            return above("latent - mean",
                         results.difference(kDesigns, design(kAttentions[1], "latent"),
                                            design(kAttentions[1], "mean"), kMean));
          }},
         {"Self-attention over tokens adds nothing to their mean",
          "shown if the mean of the three tasks, both ways, minus that of mean pooling is below "
          "0.01, refuted if above",
          [](const Results& results) {
            return below("self-attention - mean",
                         results.difference(kDesigns, design(kAttentions[1], "self_attention"),
                                            design(kAttentions[1], "mean"), kMean),
                         kNothing);
          }},
         {"A second stage without negatives in the batch is better than one stage with all data: "
          "classes gain, retrieval loses nothing",
          "shown if accuracy minus that of the one stage is above 0 and nDCG@10 minus its is above "
          "-0.01, refuted if one is below",
          [](const Results& results) {
            const Judgement parts[] = {
                above("accuracy", results.difference(kStages, kTwoStages, kOneStage, kAccuracy)),
                above("nDCG@10", results.difference(kStages, kTwoStages, kOneStage, kRank),
                      kNoLoss)};
            return all_of(parts);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

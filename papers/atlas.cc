// aTLAS: are models of single tasks put together better when each tensor of each has a learned
// multiple of its own? Eight tasks of eight classes: sections of Debian's archive, five facets of
// its packages' tags, WordNet's lexicographers' files and genres of the Brown corpus. A text's
// class is the one whose name is nearest to it. One encoder, a BERT of 4 layers and 128 dimensions,
// embeds texts and names, so that names move with what is trained, where the paper's stay; base and
// all else are each seed's. Searches look at texts of each task that its model was not trained on,
// by which a searched multiple is chosen, too. They take few steps, a hundred for the paper's
// thousands, each of the learning rate that lets a multiple get from 0 to about 1 in these.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/data.h"
#include "papers/common/debian_packages.h"
#include "papers/common/elastic_model.h"
#include "papers/common/first_layers.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTokens = 32, kNameTokens = 8;
constexpr std::size_t kClasses = 8;
constexpr std::size_t kShots[] = {1, 4, 16};  // examples of a class

// ---- Tasks --------------------------------------------------------------------------------------

struct Part {
  TextPart texts;
  std::vector<Label> labels;
};

struct Skill {
  std::string name;
  TextPart classes;  // their names
  Part train, validation, test;
};

// Of each class so many texts, from place `first` of those in the order.
Part some_of_each(const TextPart& texts, const std::vector<Label>& labels,
                  const std::vector<std::uint32_t>& order, std::size_t classes, std::size_t first,
                  std::size_t each) {
  Part part;
  part.texts.name = "texts";
  std::vector<std::size_t> seen(classes);
  for (const std::uint32_t i : order) {
    if (labels[i] >= classes) continue;
    const std::size_t place = seen[labels[i]]++;
    if (place < first || place >= first + each) continue;
    part.texts.texts.push_back(texts.texts[i]);
    part.labels.push_back(labels[i]);
  }
  return part;
}

// The largest classes, with about as many texts of each: what is told apart is what texts are
// about, not how frequent that is.
Skill skill_of(const std::string& name, const Task& task, const Trial& trial) {
  constexpr std::size_t kTrain = 150, kValidation = 20, kTest = 40;
  const auto& all = std::get<ClassificationTask>(task.content);
  std::vector<std::size_t> counts(all.labels.size());
  for (const Label label : all.train_labels) ++counts[label];
  std::vector<Label> largest(counts.size());
  std::iota(largest.begin(), largest.end(), Label{0});
  std::ranges::stable_sort(largest, [&](Label a, Label b) { return counts[a] > counts[b]; });
  std::vector<Label> number(counts.size());  // among the largest
  Skill skill;
  skill.name = name;
  skill.classes.name = "classes";
  for (std::size_t place = 0; place < largest.size(); ++place) {
    number[largest[place]] = static_cast<Label>(place);
    if (place >= kClasses) continue;
    std::string words = all.labels[largest[place]];
    for (char& c : words) {
      if (c == '-' || c == '_' || c == ':') c = ' ';
    }
    skill.classes.texts.push_back(words);
  }
  const auto take = [&](const TextPart& texts, std::vector<Label> labels, std::uint64_t seed,
                        std::size_t first, std::size_t each) {
    for (Label& label : labels) label = number[label];
    return some_of_each(texts, labels, random_permutation(texts.texts.size(), seed),
                        skill.classes.texts.size(), first, each);
  };
  skill.validation = take(all.train, all.train_labels, trial.seed, 0, kValidation);
  skill.train = take(all.train, all.train_labels, trial.seed, kValidation, kTrain);
  skill.test = take(all.test, all.test_labels, trial.seed, 0, kTest);
  return skill;
}

// What a facet has in Debian's tags where nobody has decided yet.
constexpr std::string_view kOpen = "TODO";

// Packages with a single tag of a facet ("use::editing").
Task facet_classes(const std::vector<DebianPackage>& packages, const std::string& facet) {
  ClassificationTask classes;
  std::map<std::string, Label> numbers;
  for (const DebianPackage& package : packages) {
    std::vector<std::string> own;
    for (const std::string& tag : package.tags) {
      if (tag.starts_with(facet + "::")) own.push_back(tag.substr(facet.size() + 2));
    }
    if (own.size() != 1 || own.front() == kOpen) continue;
    const auto next = static_cast<Label>(numbers.size());
    const auto [at, fresh] = numbers.emplace(own.front(), next);
    if (fresh) classes.labels.push_back(own.front());
    TextPart& part = package.tested ? classes.test : classes.train;
    part.texts.push_back(package.summary + "\n" + package.text);
    (package.tested ? classes.test_labels : classes.train_labels).push_back(at->second);
  }
  Task task;
  task.content = std::move(classes);
  return task;
}

std::vector<Skill> skills_of(const Trial& trial) {
  constexpr std::array kFacets = {"implemented-in", "works-with", "use", "uitoolkit"};
  std::vector<Skill> skills;
  if (trial.quick) {
    Random random(trial.seed);
    for (const char* name : {"red", "green", "blue"}) {
      skills.push_back(skill_of(name, made_up_classes(name, 4, random, 400), trial));
    }
    return skills;
  }
  skills.push_back(skill_of("section", load_tasks("sections", trial).front(), trial));
  skills.push_back(skill_of("role", load_tasks("debtags", trial).front(), trial));
  const std::vector<DebianPackage> packages = load_packages(trial);
  for (const char* facet : kFacets) {
    skills.push_back(skill_of(facet, facet_classes(packages, facet), trial));
  }
  skills.push_back(skill_of("lexicographer", lexicographer_classes(trial), trial));
  for (const Task& task : load_tasks("brown", trial)) {
    if (std::holds_alternative<ClassificationTask>(task.content)) {
      skills.push_back(skill_of("genre", task, trial));
    }
  }
  return skills;
}

double accuracy(const Skill& skill, const Part& part, Embedder& model, const Trial& trial) {
  const auto embedded = [&](const TextPart& texts) {
    return embed_all(model, texts, trial.control);
  };
  const Neighbours nearest =
      cosine_truth(embedded(skill.classes), embedded(part.texts), 1, trial.control);
  double right = 0;
  for (std::size_t i = 0; i < part.labels.size(); ++i) {
    right += nearest.ids(i, 0) == part.labels[i] ? 1 : 0;
  }
  return right / static_cast<double>(part.labels.size());
}

// ---- Training -----------------------------------------------------------------------------------

// A text asks for its class among all of its task.
std::vector<TrainingPair> pairs_of(const Skill& skill, const Part& part) {
  std::vector<TrainingPair> pairs;
  for (std::size_t i = 0; i < part.labels.size(); ++i) {
    TrainingPair pair{part.texts.texts[i], skill.classes.texts[part.labels[i]]};
    for (const std::string& other : skill.classes.texts) {
      if (other != pair.positive) pair.negatives.push_back(other);
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::string kept(const Trial& trial, const std::string& name,
                 const std::vector<TrainingPair>& pairs) {
  std::string path = data_path(trial, fmt::format("atlas-{}-{}", name, trial.seed),
                               {"debian", "wordnet"}, ".jsonl");
  write_pairs(path, pairs);
  return path;
}

std::string base_of(const Trial& trial) {
  ContrastiveOptions options;
  options.base = first_layers(trial, tiny_bert(trial), trial.quick ? 2 : 4);
  options.model = "pooling = \"mean\"";
  options.data = data_table(debian_pairs(trial)) + data_table(gloss_pairs(trial));
  options.steps = 200;
  options.batch = 64;
  std::string folder = trained(trial, "atlas-base", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

std::string fine_tuned(const Trial& trial, const std::string& base, const std::string& file,
                       std::size_t steps, std::size_t batch) {
  ContrastiveOptions options;
  options.base = base;
  options.data = data_table(file, kClasses - 1);
  options.steps = steps;
  options.batch = batch;
  options.query_tokens = kTokens;
  options.document_tokens = kNameTokens;
  options.in_batch = false;
  std::string folder = trained(trial, "atlas", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

struct Search {
  std::size_t steps, batch;  // of each source
  double learning_rate;
  std::string more = {};  // keys of [search]
};

std::string probe_of(const Trial& trial, const std::string& name, const std::string& sources,
                     const Search& search) {
  std::string path = data_path(trial, fmt::format("atlas-probe-{}-{}", name, trial.seed),
                               {"debian", "wordnet"}, ".toml");
  write_recipe(
      path, fmt::format("{}[loss]\ntemperature = 0.05\nin_batch = false\n[train]\n"
                        "batch = {}\nquery_tokens = {}\ndocument_tokens = {}\nseed = {}\n"
                        "[search]\nsteps = {}\nlearning_rate = {}\n{}",
                        sources, trial.quick ? 4 : search.batch, kTokens, kNameTokens, trial.seed,
                        trial.quick ? 4 : search.steps, search.learning_rate, search.more));
  return path;
}

// Models that were trained on a task each, from one base.
struct Vectors {
  std::string base;
  std::vector<std::string> models;
};

// Opens what is merged and removes it when it was judged.
void with_merged(const Trial& trial, const Vectors& vectors, const std::string& probe,
                 std::optional<double> scale, const std::function<void(ElasticModel&)>& judge) {
  learn::MergeRequest request;
  request.models = vectors.models;
  request.base = vectors.base;
  request.method = scale ? "arithmetic" : "atlas";
  request.scale = scale;
  request.probe = probe;
  const std::string folder = merged(trial, "atlas", request).folder;
  {
    ElasticModel model(folder, kTokens);
    judge(model);
  }
  std::filesystem::remove_all(folder);
}

// ---- Addition -----------------------------------------------------------------------------------

constexpr char kAdded[] = "accuracy, all tasks in one model", kMean[] = "mean",
               kRelative[] = "mean, relative to own models", kScale[] = "searched multiple";
constexpr char kBase[] = "base", kSearched[] = "sum, searched multiple",
               kIsotropic[] = "a learned multiple for each model", kAtlas[] = "aTLAS",
               kOwn[] = "own model for each task";

void report_added(const std::string& row, const std::vector<Skill>& skills,
                  const std::vector<double>& own,
                  const std::function<double(std::size_t skill)>& test, Results& results) {
  double mean = 0, relative = 0;
  const auto count = static_cast<double>(skills.size());
  for (std::size_t i = 0; i < skills.size(); ++i) {
    const double found = test(i);
    results.add(kAdded, row, skills[i].name, found);
    mean += found / count;
    relative += found / own[i] / count;
  }
  results.add(kAdded, row, kMean, mean);
  results.add(kAdded, row, kRelative, relative);
}

void measure_addition(const std::vector<Skill>& skills, const Vectors& vectors, const Trial& trial,
                      Results& results) {
  std::vector<double> own;
  for (std::size_t i = 0; i < skills.size(); ++i) {
    ElasticModel model(vectors.models[i], kTokens);
    own.push_back(accuracy(skills[i], skills[i].test, model, trial));
  }
  const auto report = [&](const char* row, ElasticModel& model) {
    report_added(
        row, skills, own,
        [&](std::size_t i) { return accuracy(skills[i], skills[i].test, model, trial); }, results);
  };
  ElasticModel base(vectors.base, kTokens);
  report(kBase, base);

  constexpr std::size_t kPoints = 20;  // and 0
  double best = -1, scale = 0;
  for (std::size_t point = 0; point <= kPoints; point += trial.quick ? kPoints / 2 : 1) {
    const double tried = static_cast<double>(point) / kPoints;
    with_merged(trial, vectors, "", tried, [&](ElasticModel& model) {
      double sum = 0;
      for (const Skill& each : skills) sum += accuracy(each, each.validation, model, trial);
      if (sum > best) std::tie(best, scale) = std::pair(sum, tried);
    });
  }
  trial.step();
  with_merged(trial, vectors, "", scale, [&](ElasticModel& model) { report(kSearched, model); });
  results.add(kScale, kSearched, "multiple", scale);

  std::string sources;
  for (const Skill& each : skills) {
    sources +=
        data_table(kept(trial, each.name + "-seen", pairs_of(each, each.validation)), kClasses - 1);
  }
  const auto learned = [&](const char* row, const std::string& name, const std::string& more) {
    const Search search{.steps = 100, .batch = 16, .learning_rate = 0.01, .more = more};
    with_merged(trial, vectors, probe_of(trial, name, sources, search), {},
                [&](ElasticModel& model) { report(row, model); });
    trial.step();
  };
  learned(kIsotropic, "isotropic", "isotropic = true\n");
  learned(kAtlas, "add", "");
  report_added(
      kOwn, skills, own, [&](std::size_t i) { return own[i]; }, results);
}

// ---- Negation -----------------------------------------------------------------------------------

constexpr char kNegated[] = "accuracy, one task unlearned", kTarget[] = "that task",
               kOthers[] = "the others";
constexpr char kSearchedBelow[] = "searched multiple below 0";
constexpr double kControl = 0.95;  // of what the base knows of the others has to stay

struct Unlearned {
  double target, others;
};

// The model of a task unlearns it; all others say what has to stay. The fewest right answers on
// held-out texts decide, as long as the others keep enough.
class Negation {
 public:
  Negation(const std::vector<Skill>& skills, std::size_t target, const Vectors& vectors,
           const Trial& trial)
      : skills_(skills), target_(target), trial_(trial), vectors_{vectors.base, {}} {
    vectors_.models = {vectors.models[target]};
    ElasticModel model(vectors.base, kTokens);
    base_seen_ = judged(model, &Skill::validation);
    base_ = judged(model, &Skill::test);
  }
  Unlearned base() const { return base_; }

  Unlearned searched() const {
    constexpr std::size_t kPoints = 10;
    std::vector<std::optional<double>> scales;
    for (std::size_t point = 1; point <= kPoints; point += trial_.quick ? kPoints : 1) {
      scales.emplace_back(-static_cast<double>(point) / kPoints);
    }
    return best(std::vector<std::string>(scales.size()), scales);
  }
  // A search is the beginning of a longer one.
  Unlearned learned() const {
    const Skill& target = skills_[target_];
    std::vector<TrainingPair> control;
    for (const Skill& each : skills_) {
      if (&each == &target) continue;
      for (TrainingPair& pair : pairs_of(each, each.validation)) control.push_back(std::move(pair));
    }
    const std::string sources =
        data_table(kept(trial_, target.name + "-seen", pairs_of(target, target.validation)),
                   kClasses - 1) +
        "name = \"target\"\n" +
        data_table(kept(trial_, target.name + "-control", control), kClasses - 1);
    std::vector<std::string> probes;
    for (const std::size_t steps : {20, 40, 80}) {
      probes.push_back(probe_of(
          trial_, fmt::format("negate-{}-{}", target.name, steps), sources,
          {.steps = steps, .batch = 16, .learning_rate = 0.01, .more = "forget = [\"target\"]\n"}));
    }
    return best(probes, std::vector<std::optional<double>>(probes.size()));
  }

 private:
  Unlearned judged(ElasticModel& model, Part Skill::*part) const {
    Unlearned found{0, 0};
    for (std::size_t i = 0; i < skills_.size(); ++i) {
      const double right = accuracy(skills_[i], skills_[i].*part, model, trial_);
      if (i == target_) found.target = right;
      if (i != target_) found.others += right / static_cast<double>(skills_.size() - 1);
    }
    return found;
  }
  // The base, where no candidate keeps enough.
  Unlearned best(const std::vector<std::string>& probes,
                 const std::vector<std::optional<double>>& scales) const {
    Unlearned chosen = base_;
    double least = base_seen_.target;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      with_merged(trial_, vectors_, probes[i], scales[i], [&](ElasticModel& model) {
        const Unlearned seen = judged(model, &Skill::validation);
        if (seen.others < kControl * base_seen_.others || seen.target >= least) return;
        least = seen.target;
        chosen = judged(model, &Skill::test);
      });
    }
    return chosen;
  }

  const std::vector<Skill>& skills_;
  std::size_t target_;
  const Trial& trial_;
  Vectors vectors_;
  Unlearned base_seen_{}, base_{};
};

void measure_negation(const std::vector<Skill>& skills, const Vectors& vectors, const Trial& trial,
                      Results& results) {
  std::map<std::string, Unlearned> means;
  for (std::size_t target = 0; target < skills.size(); ++target) {
    const Negation negation(skills, target, vectors, trial);
    const auto add = [&](const char* row, const Unlearned& found) {
      Unlearned& mean = means[row];
      mean.target += found.target / static_cast<double>(skills.size());
      mean.others += found.others / static_cast<double>(skills.size());
    };
    add(kBase, negation.base());
    add(kSearchedBelow, negation.searched());
    add(kAtlas, negation.learned());
    trial.step();
  }
  for (const char* row : {kBase, kSearchedBelow, kAtlas}) {
    results.add(kNegated, row, kTarget, means.at(row).target);
    results.add(kNegated, row, kOthers, means.at(row).others);
  }
}

// ---- Few examples -------------------------------------------------------------------------------

constexpr char kFew[] = "accuracy on a task that only the others' models help with";
constexpr char kZeroShot[] = "base, no example", kProbe[] = "logistic regression on the base",
               kTuned[] = "base, fine-tuned on the examples";

std::string shots_name(std::size_t shots) { return fmt::format("{} of a class", shots); }

// By the judge's logistic regression, trained on these very examples.
double linear_probe(const Skill& skill, const Part& shots, std::size_t each, ElasticModel& base,
                    const Trial& trial) {
  ClassificationTask task;
  task.train = shots.texts;
  task.train.name = "train";
  task.test = skill.test.texts;
  task.test.name = "test";
  task.labels = skill.classes.texts;
  task.train_labels = shots.labels;
  task.test_labels = skill.test.labels;
  task.samples_per_label = each;
  Task whole;
  whole.name = skill.name;
  whole.content = std::move(task);
  JudgeOptions options;
  options.seed = trial.seed;
  options.experiments = 1;
  options.resamples = 0;
  options.control = trial.control;
  return judge_task(whole, base, options).main_score;
}

void measure_few(const std::vector<Skill>& skills, const Vectors& vectors, const Trial& trial,
                 Results& results) {
  constexpr std::size_t kSteps = 50, kBatch = 32;
  for (const std::size_t each : kShots) {
    std::map<std::string, double> means;
    for (std::size_t target = 0; target < skills.size(); ++target) {
      const Skill& skill = skills[target];
      std::vector<std::uint32_t> order(skill.train.labels.size());
      std::iota(order.begin(), order.end(), 0u);  // at random already
      const Part shots = some_of_each(skill.train.texts, skill.train.labels, order,
                                      skill.classes.texts.size(), 0, each);
      const std::string file =
          kept(trial, fmt::format("{}-{}", skill.name, each), pairs_of(skill, shots));
      const std::size_t batch = std::min(kBatch, shots.labels.size());
      const auto add = [&](const char* row, double found) {
        means[row] += found / static_cast<double>(skills.size());
      };
      const auto test = [&](ElasticModel& model) {
        return accuracy(skill, skill.test, model, trial);
      };
      ElasticModel base(vectors.base, kTokens);
      add(kZeroShot, test(base));
      ElasticModel features(vectors.base, kTokens);
      add(kProbe, linear_probe(skill, shots, each, features, trial));
      ElasticModel tuned(fine_tuned(trial, vectors.base, file, kSteps, batch), kTokens);
      add(kTuned, test(tuned));
      // The target's own model would know more than the examples.
      Vectors others = vectors;
      others.models.erase(others.models.begin() + static_cast<std::ptrdiff_t>(target));
      const std::string probe = probe_of(trial, fmt::format("few-{}-{}", skill.name, each),
                                         data_table(file, kClasses - 1),
                                         {.steps = kSteps,
                                          .batch = batch,
                                          .learning_rate = 0.1,
                                          .more = "schedule = \"cosine\"\n"});
      with_merged(trial, others, probe, {}, [&](ElasticModel& model) { add(kAtlas, test(model)); });
    }
    for (const char* row : {kZeroShot, kProbe, kTuned, kAtlas}) {
      results.add(kFew, row, shots_name(each), means.at(row));
    }
  }
}

void measure(const Trial& trial, Results& results) {
  const std::vector<Skill> skills = skills_of(trial);
  trial.expect(4 + skills.size() * (2 + std::size(kShots)));
  Vectors vectors{base_of(trial), {}};
  for (const Skill& each : skills) {
    const std::string file = kept(trial, each.name, pairs_of(each, each.train));
    vectors.models.push_back(fine_tuned(trial, vectors.base, file, 60, 32));
  }
  measure_addition(skills, vectors, trial, results);
  measure_negation(skills, vectors, trial, results);
  measure_few(skills, vectors, trial, results);
}

constexpr double kNear = 0.02, kNoLoss = -0.01;

const Registration registration({
    .slug = "atlas",
    .title = "Knowledge Composition using Task Vectors with Learned Anisotropic Scaling",
    .authors = "Zhang, Albert, Rodriguez-Opazo, van den Hengel and Abbasnejad",
    .year = 2024,
    .source = "arXiv 2407.02880",
    .data = {"brown", "debian", "debtags", "sections", "train/debian", "train/texts",
             "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Models of all tasks in one are better with a learned multiple for every tensor than "
          "with "
          "the best one for all",
          "shown if the mean accuracy minus that of the sum with a searched multiple is above 0, "
          "refuted if below",
          [](const Results& results) {
            return above("aTLAS - searched", results.difference(kAdded, kAtlas, kSearched, kMean));
          }},
         {"That is for the tensors, not for learning: it is better than a learned multiple for "
          "each "
          "model",
          "shown if the mean accuracy minus that with one learned multiple a model is above 0, "
          "refuted if below",
          [](const Results& results) {
            return above("aTLAS - one a model",
                         results.difference(kAdded, kAtlas, kIsotropic, kMean));
          }},
         {"A learned multiple for each model adds little to the searched one",
          "shown if its mean accuracy minus that with the searched multiple is below 0.02, refuted "
          "if above",
          [](const Results& results) {
            return below("one a model - searched",
                         results.difference(kAdded, kIsotropic, kSearched, kMean), kNear);
          }},
         {"It unlearns a task more thoroughly than a searched multiple below 0, at no cost to the "
          "others",
          "shown if the accuracy on that task, mean of the tasks, minus that with the searched "
          "multiple is below 0 and that on the others minus its is above -0.01; refuted if the "
          "first is above or the second below",
          [](const Results& results) {
            const Judgement parts[] = {
                below("that task", results.difference(kNegated, kAtlas, kSearchedBelow, kTarget)),
                above("the others", results.difference(kNegated, kAtlas, kSearchedBelow, kOthers),
                      kNoLoss)};
            return all_of(parts);
          }},
         {"From one example of each class, other tasks' models put together are better than the "
          "base without any",
          "shown if the accuracy, mean of the tasks, minus that of the base is above 0, refuted if "
          "below",
          [](const Results& results) {
            return above("aTLAS - base",
                         results.difference(kFew, kAtlas, kZeroShot, shots_name(1)));
          }},
         {"They are better than fine-tuning on one example of each class",
          "shown if the accuracy minus that of the fine-tuned base is above 0, refuted if below",
          [](const Results& results) {
            return above("aTLAS - fine-tuned",
                         results.difference(kFew, kAtlas, kTuned, shots_name(1)));
          }},
         {"That lead gets smaller with more examples",
          "shown if the lead over fine-tuning with one example minus that with sixteen is above 0, "
          "refuted if below",
          [](const Results& results) {
            const auto lead = [&](std::size_t shots) {
              const auto atlas = results.values(kFew, kAtlas, shots_name(shots));
              const auto tuned = results.values(kFew, kTuned, shots_name(shots));
              std::vector<double> leads;
              for (std::size_t s = 0; s < atlas.size(); ++s) leads.push_back(atlas[s] - tuned[s]);
              return leads;
            };
            return above("lead with 1 - with 16", paired_difference(lead(1), lead(16)));
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

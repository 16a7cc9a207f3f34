// LongEmbed: which way of taking longer texts than a model was trained on finds most, with learned
// positions and with rotary ones, and does tuning the new positions help? Two models of 4 layers
// and 128 dimensions that take 128 tokens, trained to find the text that a passage was put into,
// are asked about texts of up to 1,024: of two hundred sentences that are all the same but for a
// passkey, of novels with a paragraph about a package, and of speeches that a sentence was taken
// out of, which asks by its longer words. Passages of tests are in no text that is trained on;
// novels and speeches are.
#include <fmt/format.h>

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "datasets/long_texts.h"
#include "kith/context.h"
#include "kith/judge.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/data.h"
#include "papers/common/first_layers.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kTrained = 128, kLayers = 4;
constexpr std::size_t kAllLengths[] = {64, 128, 256, 512, 1024};
constexpr char kLearned[] = "learned positions", kRotary[] = "rotary positions";
constexpr char kMean[] = "mean", kLong[] = "beyond 128";
constexpr char kCut[] = "cut", kPcw[] = "chunks (pcw)", kGp[] = "grouped (gp)",
               kRp[] = "recurrent (rp)", kPi[] = "interpolated (pi)", kNtk[] = "ntk",
               kSelf[] = "selfextend", kTunedPi[] = "interpolated, tuned",
               kTunedRp[] = "recurrent, tuned";

// Of tests; a quick trial has no longest ones.
std::span<const std::size_t> lengths_of(const Trial& trial) {
  const std::span<const std::size_t> all(kAllLengths);
  return trial.quick ? all.first(all.size() - 1) : all;
}

struct Way {
  const char* row;
  Extension extension;
};
constexpr Way kWays[] = {{kCut, Extension::none},       {kPcw, Extension::pcw},
                         {kGp, Extension::gp},          {kRp, Extension::rp},
                         {kPi, Extension::pi},          {kNtk, Extension::ntk},
                         {kSelf, Extension::selfextend}};

// ---- Texts --------------------------------------------------------------------------------------

using datasets::Needle;

// Running text of training sources.
std::string running_text(const char* source, const Trial& trial) {
  std::string all;
  if (trial.quick) {
    Random random(trial.seed);
    for (std::size_t i = 0; i < 100; ++i) all += made_up_text(i % 12, 20, random) + ". ";
    return all;
  }
  for (const std::string& text : read_training_texts("texts", source, trial)) all += text + "\n";
  return all;
}

// Short descriptions of packages and the first paragraphs about them.
std::vector<Needle> package_needles(const std::vector<TrainingPair>& pairs, std::size_t most,
                                    std::uint64_t seed) {
  constexpr std::size_t kMostWords = 50, kFewestWords = 8;
  std::vector<Needle> needles;
  std::vector<TrainingPair> all = pairs;
  Random random(seed);
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
  for (const TrainingPair& each : all) {
    const std::string paragraph = each.positive.substr(0, each.positive.find('\n'));
    const std::size_t words = datasets::split_words(paragraph).size();
    if (needles.size() == most) break;
    if (words >= kFewestWords && words <= kMostWords) needles.push_back({each.query, paragraph});
  }
  return needles;
}

// Packages that are trained on, or those that `kith data debian` tests.
std::vector<Needle> packages_of(bool training, std::size_t most, const Trial& trial) {
  std::vector<TrainingPair> pairs;
  if (trial.quick) {
    Random random(trial.seed + (training ? 1 : 0));
    pairs = made_up_pairs(random);
  } else if (training) {
    pairs = read_pairs("debian", "debian-summary", trial);
  } else {
    const Task task = load_tasks("debian", trial).front();
    const auto& retrieval = std::get<RetrievalTask>(task.content);
    for (std::size_t q = 0; q < retrieval.queries.texts.size(); ++q) {
      const std::uint32_t answer = retrieval.judgements[q].front().document;
      pairs.push_back({retrieval.queries.texts[q], retrieval.corpus.texts[answer]});
    }
  }
  return package_needles(pairs, most, trial.seed);
}

// Of texts as long as the model takes, a quarter of which tell passkeys.
std::string training_file(const Trial& trial) {
  std::string path =
      data_path(trial, fmt::format("long-texts-{}", trial.seed), {"debian", "texts"}, ".jsonl");
  if (std::filesystem::exists(path)) return path;
  const std::size_t count = trial.quick ? 60 : 12000, fewest = 60;
  const std::string novels = running_text("novels", trial);
  const std::vector<std::string_view> words = datasets::split_words(novels);
  std::vector<TrainingPair> pairs;
  Random random(trial.seed, 1);
  const auto add = [&](const Needle& needle, bool key) {
    const std::size_t length = fewest + random.below(datasets::words_of(kTrained) - fewest + 1);
    const std::uint64_t seed = random.next();
    const std::string filler =
        key ? datasets::garbage(length) : datasets::excerpt(words, length, seed);
    pairs.push_back({needle.query, datasets::with_passage(filler, needle.passage, length, seed)});
  };
  for (const Needle& each : packages_of(true, count * 3 / 4, trial)) add(each, false);
  for (const Needle& each : datasets::passkeys(count / 4, true, trial.seed)) add(each, true);
  write_pairs(path, pairs);
  return path;
}

// A sentence's longer words ask for the rest of the text that it was taken out of.
Task sentence_task(const std::string& running, std::size_t tokens, const Trial& trial) {
  constexpr std::size_t kFewestWords = 12, kLetters = 5;
  const std::vector<std::string_view> words = datasets::split_words(running);
  RetrievalTask task;
  task.corpus.name = "corpus";
  task.queries.name = "queries";
  for (std::size_t i = 0; i < datasets::kLongTexts; ++i) {
    Random random(trial.seed, tokens + i);
    const std::string text = datasets::excerpt(words, datasets::words_of(tokens), random.next());
    const std::vector<std::string_view> own = datasets::split_words(text);
    std::size_t from = random.below(own.size()), to = 0;
    while (from > 0 && !own[from - 1].ends_with('.')) --from;
    for (to = from + 1; to < own.size() && !own[to - 1].ends_with('.');) ++to;
    std::string query, rest;
    for (std::size_t w = 0; w < own.size(); ++w) {
      const bool taken = w >= from && w < to;
      if (taken && own[w].size() < kLetters) continue;
      (taken ? query : rest) += std::string(own[w]) + " ";
    }
    task.corpus.ids.push_back(fmt::format("text:{}", i));
    task.corpus.texts.push_back(rest.empty() ? text : rest);
    const bool long_enough = to - from >= kFewestWords && !query.empty();
    if (!long_enough || task.queries.texts.size() == datasets::kLongTextQueries) continue;
    task.queries.ids.push_back(fmt::format("query:{}", i));
    task.queries.texts.push_back(query);
    task.judgements.push_back({{static_cast<std::uint32_t>(i), 1}});
  }
  Task made;
  made.name = "sentence";
  made.content = std::move(task);
  return made;
}

struct Judged {
  std::vector<Task> passkeys, needles;  // by length
  Task sentences;                       // of the longest
};

Judged judged(const Trial& trial) {
  const std::string speeches = running_text("speeches", trial);
  return {datasets::passkey_tasks(lengths_of(trial), trial.seed),
          datasets::needle_tasks(lengths_of(trial), speeches,
                                 packages_of(false, datasets::kLongTexts, trial), trial.seed),
          sentence_task(speeches, lengths_of(trial).back(), trial)};
}

// ---- Models -------------------------------------------------------------------------------------

std::string model(const Trial& trial, const std::string& base, const std::string& settings,
                  const std::string& positions = {}) {
  const bool tuned = !positions.empty();
  ContrastiveOptions options;
  options.base = base;
  options.model = settings + positions;
  options.data = data_table(training_file(trial));
  options.steps = tuned ? 150 : 250;
  options.batch = 64;
  options.query_tokens = 24;
  options.document_tokens = kTrained;
  options.learning_rate = tuned ? "5e-3" : "1e-3";  // of rows that few tokens of a batch stand at
  std::string folder = trained(trial, "longembed", contrastive_recipe(options, trial));
  trial.step();
  return folder;
}

double found(const Task& task, const std::string& folder, const ContextOptions& context,
             const Trial& trial) {
  ModelVectors model(folder, {.context = context});
  JudgeOptions options;
  options.resamples = 0;
  options.depth = 10;
  options.control = trial.control;
  const TaskResult result = judge_task(task, model, options);
  for (const auto& [name, value] : result.scores) {
    if (name == "recall_at_1") return value;
  }
  return 0;
}

void report(const std::string& table, const std::string& row, const std::string& folder,
            const ContextOptions& context, const Judged& tasks, const Trial& trial,
            Results& results) {
  double all = 0, beyond = 0, keys = 0, needles = 0;
  std::size_t longer = 0;
  const std::span<const std::size_t> lengths = lengths_of(trial);
  const auto count = static_cast<double>(lengths.size());
  for (std::size_t l = 0; l < lengths.size(); ++l) {
    const double key = found(tasks.passkeys[l], folder, context, trial);
    const double needle = found(tasks.needles[l], folder, context, trial);
    const double both = (key + needle) / 2;
    results.add(table, row, std::to_string(lengths[l]), both);
    keys += key / count;
    needles += needle / count;
    all += both / count;
    if (lengths[l] <= kTrained) continue;
    beyond += both;
    ++longer;
  }
  results.add(table, row, kMean, all);
  results.add(table, row, kLong, beyond / static_cast<double>(longer));
  results.add(table, row, "passkey", keys);
  results.add(table, row, "needle", needles);
  results.add(table, row, "sentence", found(tasks.sentences, folder, context, trial));
  trial.step();
}

void report_ways(const std::string& table, const std::string& folder, const Judged& tasks,
                 const Trial& trial, Results& results) {
  const bool rotary = table == kRotary;
  for (const auto& [row, extension] : kWays) {
    const bool rotary_only = extension == Extension::ntk || extension == Extension::selfextend;
    if (rotary_only && !rotary) continue;
    ContextOptions context;
    if (extension != Extension::none)
      context = {.tokens = lengths_of(trial).back(), .extension = extension};
    report(table, row, folder, context, tasks, trial, results);
  }
}

void measure(const Trial& trial, Results& results) {
  trial.expect(4 + 5 + 7 + 2);
  const Judged tasks = judged(trial);
  const std::string mean = "pooling = \"mean\"\n";
  const auto base = [&](const std::string& folder) {
    return trial.quick ? folder : first_layers(trial, folder, kLayers);
  };
  const std::string learned = model(trial, base(tiny_bert(trial)), mean);
  report_ways(kLearned, learned, tasks, trial, results);
  for (const auto& [row, kind] : {std::pair(kTunedPi, "interpolated"), {kTunedRp, "recurrent"}}) {
    const std::string longer = fmt::format("[model.positions]\ntokens = {}\nkind = \"{}\"\n",
                                           lengths_of(trial).back(), kind);
    report(kLearned, row, model(trial, learned, "", longer), {}, tasks, trial, results);
  }
  const std::string rotary =
      model(trial, base(tiny_lm(trial)), mean + "attention = \"bidirectional\"\n");
  report_ways(kRotary, rotary, tasks, trial, results);
}

Judgement better(const Results& results, const char* table, const char* a, const char* b,
                 const char* column, double bound = 0) {
  return above(fmt::format("{} - {}", a, b), results.difference(table, a, b, column), bound);
}

const Registration registration({
    .slug = "longembed",
    .title = "LongEmbed: Extending Embedding Models for Long Context Retrieval",
    .authors = "Zhu, Wang, Yang, Song, Wu, Wei and Li",
    .year = 2024,
    .source = "arXiv 2404.12096",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Without training some way finds more in longer texts than cutting them, for either kind "
          "of positions",
          "shown if of learned positions pcw, gp, rp or pi, and of rotary ones any, minus cutting "
          "is "
          "above 0 at 512 tokens; refuted if all are below for one kind",
          [](const Results& results) {
            std::vector<Judgement> kinds;
            for (const char* table : {kLearned, kRotary}) {
              std::vector<Judgement> ways;
              for (const auto& [row, extension] : kWays) {
                const bool there = !results.values(table, row, "512").empty();
                if (extension == Extension::none || !there) continue;
                ways.push_back(better(results, table, row, kCut, "512"));
              }
              kinds.push_back(any_of(ways));
            }
            return all_of(kinds);
          }},
         {"Tuned interpolated positions find more than interpolated ones, and than any way without "
          "training",
          "shown if the accuracy over lengths beyond 128 minus that of pi, pcw, gp and rp is above "
          "0 "
          "for all; refuted if below for one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const char* other : {kPi, kPcw, kGp, kRp}) {
              parts.push_back(better(results, kLearned, kTunedPi, other, kLong));
            }
            return all_of(parts);
          }},
         {"Tuning between the trained positions is better than behind them",
          "shown if tuned interpolated minus tuned recurrent positions is above 0 over lengths "
          "beyond 128, refuted if below",
          [](const Results& results) {
            return better(results, kLearned, kTunedPi, kTunedRp, kLong);
          }},
         {"Of rotary positions selfextend and ntk find more than gp and pi",
          "shown if selfextend minus gp, selfextend minus pi, ntk minus gp and ntk minus pi are "
          "above 0 over lengths beyond 128; refuted if one is below",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const char* a : {kSelf, kNtk}) {
              for (const char* b : {kGp, kPi}) {
                parts.push_back(better(results, kRotary, a, b, kLong));
              }
            }
            return all_of(parts);
          }},
         {"Extended rotary positions find more than extended learned ones without training",
          "shown if the accuracy of selfextend over lengths beyond 128 minus that of learned "
          "positions by gp, rp and pi is above 0; refuted if below for one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const char* other : {kGp, kRp, kPi}) {
              parts.push_back(above(fmt::format("selfextend - {}", other),
                                    paired_difference(results.values(kRotary, kSelf, kLong),
                                                      results.values(kLearned, other, kLong))));
            }
            return all_of(parts);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

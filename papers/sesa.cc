// SESA: can the dimensions of a text's vector bear the names of concepts that people gave to texts,
// and still rank as well as dimensions without names? Concepts are debtags, which volunteers gave
// to packages; relevant to a package is one that it depends on or recommends, to be found among 100
// of its section. Nothing of what is asked or sought was trained on, nor its source's packages; the
// tags of what is tested are used to judge alone.
//
// The method is known to us by its abstract: the encoder (a mean of tokens' vectors for the
// paper's recurrent network), the activation and the weights of the losses are ours.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kith/error.h"
#include "kith/explanation.h"
#include "kith/judge.h"
#include "kith/text_encoder.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/data.h"
#include "papers/common/debian_packages.h"
#include "papers/common/explicit_semantics.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kWidth = 128, kLeastLists = 50, kTop = 5, kTopReasons = 3;
constexpr char kPlain[] = "which of 100 a package depends on",
               kMasked[] = "the same, its name left out of what asks", kSpace[] = "the space";
constexpr char kWords[] = "TF-IDF", kUntrained[] = "ESA", kLatent[] = "latent two-tower",
               kFirst[] = "SESA, stage 1 alone", kBoth[] = "SESA",
               kShuffled[] = "SESA, names shuffled";
constexpr char kMrr[] = "MRR", kRecall[] = "recall@10", kArea[] = "AUC", kF1[] = "concept F1@5",
               kActive[] = "active concepts", kAgreement[] = "agreement of reasons";

using Tags = std::vector<std::string>;

// ---- Texts --------------------------------------------------------------------------------------

struct Data {
  RerankingTask plain, masked;       // the one that is sought stands first among its candidates
  std::map<std::string, Tags> tags;  // by text
  std::string pairs;                 // a file
};

std::string whole_text(const DebianPackage& package) {
  return package.summary + "\n" + package.text;
}

Data packages(const Trial& trial) {
  Data data;
  for (Task& task : load_tasks("depends", trial)) {
    (task.name == "depends-masked" ? data.masked : data.plain) =
        std::get<RerankingTask>(std::move(task.content));
  }
  for (const DebianPackage& each : load_packages(trial)) data.tags[whole_text(each)] = each.tags;
  data.pairs = trial.cache + "/data/depends/pairs.jsonl";
  return data;
}

// A text's tags are its topic, and whether that is odd.
Data made_up(const Trial& trial) {
  constexpr std::size_t kTopics = 12, kWordsEach = 20, kTaught = 300, kQueries = 40, kOthers = 19;
  Random random(trial.seed);
  const auto tags_of = [](std::size_t topic) {
    return Tags{"topic::" + std::to_string(topic), topic % 2 == 0 ? "is::even" : "is::odd"};
  };
  const auto text_of = [&](std::size_t topic) { return made_up_text(topic, kWordsEach, random); };
  Data data;
  std::vector<TrainingPair> pairs;
  for (std::size_t i = 0; i < kTaught; ++i) {
    const std::size_t topic = i % kTopics;
    pairs.push_back({.query = text_of(topic),
                     .positive = text_of(topic),
                     .negatives = {text_of(topic + 1), text_of(topic + 2)},
                     .query_tags = tags_of(topic),
                     .tags = tags_of(topic)});
  }
  data.pairs = data_path(trial, "sesa-pairs", {}, ".jsonl");
  write_pairs(data.pairs, pairs);
  const auto add = [&](TextPart& part, std::size_t topic) {
    part.texts.push_back(text_of(topic));
    data.tags[part.texts.back()] = tags_of(topic);
    return static_cast<std::uint32_t>(part.texts.size() - 1);
  };
  for (std::size_t q = 0; q < kQueries; ++q) {
    add(data.plain.queries, q % kTopics);
    auto& list = data.plain.candidates.emplace_back();
    list.push_back({add(data.plain.documents, q % kTopics), 1});
    for (std::size_t i = 1; i <= kOthers; ++i) {
      list.push_back({add(data.plain.documents, (q + 1 + i % (kTopics - 1)) % kTopics), 0});
    }
  }
  data.plain.queries.name = "queries";
  data.plain.documents.name = "documents";
  data.masked = data.plain;
  return data;
}

// ---- What is measured ---------------------------------------------------------------------------

struct Vectors {
  Matrix<float> queries, documents;
};

using Scores = std::vector<std::vector<double>>;  // of each query's candidates

Scores scores_of(const RerankingTask& task, const Vectors& vectors) {
  const auto dot = [](const float* a, const float* b, std::size_t n) {
    return std::inner_product(a, a + n, b, 0.0, std::plus<>(),
                              [](float x, float y) { return double{x} * y; });
  };
  const std::size_t dim = vectors.queries.cols();
  Scores scores;
  for (std::size_t q = 0; q < task.candidates.size(); ++q) {
    const float* query = vectors.queries.row(q);
    auto& own = scores.emplace_back();
    for (const JudgedDocument& each : task.candidates[q]) {
      const float* document = vectors.documents.row(each.document);
      const double lengths = std::sqrt(dot(query, query, dim) * dot(document, document, dim));
      own.push_back(lengths > 0 ? dot(query, document, dim) / lengths : 0);
    }
  }
  return scores;
}

// Those that score as much as the one that is sought stand before it.
void report_ranking(const char* table, const char* row, const Scores& scores, Results& results) {
  constexpr std::size_t kFirstOnes = 10;
  double mrr = 0, recall = 0, area = 0;
  for (const std::vector<double>& own : scores) {
    double before = 0, equal = 0;
    for (std::size_t i = 1; i < own.size(); ++i) {
      before += own[i] >= own[0] ? 1 : 0;
      equal += own[i] == own[0] ? 1 : 0;
    }
    mrr += 1 / (1 + before);
    recall += before < kFirstOnes ? 1 : 0;
    area += 1 - (before - equal / 2) / static_cast<double>(own.size() - 1);
  }
  const auto queries = static_cast<double>(scores.size());
  results.add(table, row, kMrr, mrr / queries);
  results.add(table, row, kRecall, recall / queries);
  results.add(table, row, kArea, area / queries);
}

// What of a text's tags are names.
std::set<std::string> known(const Data& data, const std::string& text, const Tags& names) {
  std::set<std::string> known;
  const auto found = data.tags.find(text);
  if (found == data.tags.end()) return known;
  for (const std::string& tag : found->second) {
    if (std::ranges::find(names, tag) != names.end()) known.insert(tag);
  }
  return known;
}

// 2 hits / (5 + tags) of a document's five strongest dimensions, the mean over those with tags.
double concept_f1(const Data& data, const Matrix<float>& documents, const Tags& names) {
  double sum = 0, count = 0;
  for (std::size_t d = 0; d < documents.rows(); ++d) {
    const std::set<std::string> truth = known(data, data.plain.documents.texts[d], names);
    if (truth.empty()) continue;
    const std::span<const float> own(documents.row(d), documents.cols());
    double hits = 0;
    for (const Contribution& each : explain(own, own, kTop).shared) {
      hits += truth.contains(names[each.dimension]) ? 1 : 0;
    }
    sum += 2 * hits / (static_cast<double>(kTop) + static_cast<double>(truth.size()));
    ++count;
  }
  return sum / count;
}

// Of the three dimensions that add most to a query's likeness to what it seeks, the share that are
// tags of both; of pairs that have a tag in common.
double agreement(const Data& data, const Vectors& vectors, const Tags& names) {
  const RerankingTask& task = data.plain;
  double sum = 0, count = 0;
  for (std::size_t q = 0; q < task.candidates.size(); ++q) {
    const std::uint32_t sought = task.candidates[q][0].document;
    const std::set<std::string> a = known(data, task.queries.texts[q], names),
                                b = known(data, task.documents.texts[sought], names);
    const auto in_both = [&](const std::string& name) {
      return a.contains(name) && b.contains(name);
    };
    if (std::ranges::none_of(a, in_both)) continue;
    const Explanation why = explain({vectors.queries.row(q), names.size()},
                                    {vectors.documents.row(sought), names.size()}, kTopReasons);
    for (const Contribution& each : why.shared) sum += in_both(names[each.dimension]) ? 1 : 0;
    ++count;
  }
  return sum / (count * static_cast<double>(kTopReasons));
}

void report_space(const char* row, const Data& data, const Vectors& vectors, const Tags& names,
                  Results& results) {
  const Matrix<float>& documents = vectors.documents;
  double active = 0;
  for (std::size_t d = 0; d < documents.rows(); ++d) {
    active += static_cast<double>(std::count_if(documents.row(d), documents.row(d) + names.size(),
                                                [](float x) { return x > 0; }));
  }
  results.add(kSpace, row, kF1, concept_f1(data, documents, names));
  results.add(kSpace, row, kActive, active / static_cast<double>(documents.rows()));
  results.add(kSpace, row, kAgreement, agreement(data, vectors, names));
}

// ---- What ranks ---------------------------------------------------------------------------------

// Every text that is trained on, once, with its tags.
std::map<std::string, Tags> taught_texts(const Data& data) {
  std::map<std::string, Tags> texts;
  for (TrainingPair& pair : read_tagged_pairs(data.pairs)) {
    texts.emplace(std::move(pair.query), std::move(pair.query_tags));
    texts.emplace(std::move(pair.positive), std::move(pair.tags));
  }
  return texts;
}

// A concept's text is all that is trained on and has it, one behind the other.
class Untrained {
 public:
  Untrained(const std::map<std::string, Tags>& taught, const Tags& names)
      : words_(texts_of(taught)), semantics_(concepts_of(taught, names)), dim_(names.size()) {}

  Scores by_words(const RerankingTask& task) const {
    const auto weighed = [&](const TextPart& part) {
      std::vector<WeighedWords> all;
      for (const std::string& text : part.texts) all.push_back(words_(text));
      return all;
    };
    const std::vector<WeighedWords> queries = weighed(task.queries),
                                    documents = weighed(task.documents);
    Scores scores(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      for (const JudgedDocument& each : task.candidates[q]) {
        scores[q].push_back(cosine(queries[q], documents[each.document]));
      }
    }
    return scores;
  }

  Vectors by_concepts(const RerankingTask& task) const {
    const auto rows_of = [&](const TextPart& part) {
      Matrix<float> rows(part.texts.size(), dim_);
      for (std::size_t i = 0; i < part.texts.size(); ++i) {
        const std::vector<float> row = semantics_.vector(words_(part.texts[i]));
        std::copy(row.begin(), row.end(), rows.row(i));
      }
      return rows;
    };
    return {rows_of(task.queries), rows_of(task.documents)};
  }

 private:
  static std::vector<std::string> texts_of(const std::map<std::string, Tags>& taught) {
    std::vector<std::string> texts;
    for (const auto& each : taught) texts.push_back(each.first);
    return texts;
  }
  static std::vector<std::string> concepts_of(const std::map<std::string, Tags>& taught,
                                              const Tags& names) {
    std::map<std::string, std::size_t> places;
    for (const std::string& name : names) places.emplace(name, places.size());
    std::vector<std::string> texts(names.size());
    for (const auto& [text, tags] : taught) {
      for (const std::string& tag : tags) {
        const auto place = places.find(tag);
        if (place != places.end()) texts[place->second] += text + "\n";
      }
    }
    return texts;
  }

  WordWeights words_;
  ExplicitSemantics semantics_;
  std::size_t dim_;
};

// Both towers are one encoder. `model` and `loss`: further lines of the recipe.
std::string tower(const Data& data, const std::string& model, const std::string& source,
                  const std::string& loss, const Trial& trial) {
  return trained(
      trial, "sesa",
      fmt::format("[model]\nnormalize = true\n{}\n{}{}\n[loss]\ntemperature = 0.1\n{}\n"
                  "[train]\nepochs = {}\nbatch = {}\nquery_tokens = 128\ndocument_tokens = 128\n"
                  "learning_rate = 0.05\nweight_decay = 0\ndropout = 0\nseed = {}\n",
                  model, data_table(data.pairs, 2), source, loss, trial.quick ? 2 : 3,
                  trial.quick ? 32 : 128, trial.seed));
}

std::string from_scratch(const Trial& trial, const std::string& more) {
  return fmt::format("{}[model.architecture]\ntype = \"static\"\nwidth = {}\ntokenizer = \"{}\"\n",
                     more, trial.quick ? 16 : kWidth, wordpiece_tokenizer(trial));
}

Vectors vectors_of(const std::string& folder, const RerankingTask& task, const Trial& trial) {
  ModelVectors model(folder);
  return {embed_all(model, task.queries, trial.control),
          embed_all(model, task.documents, trial.control)};
}

// ---- Measured -----------------------------------------------------------------------------------

Tags shuffled(Tags names, std::uint64_t seed) {
  Random random(seed);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    std::swap(names[i], names[i + random.below(names.size() - i)]);
  }
  return names;
}

struct Models {
  std::string latent, first, both;
};

Models train(const Data& data, const Trial& trial) {
  const std::string concepts = fmt::format("[model.concepts]\nleast = {}\nmost_share = {}\n",
                                           kLeastLists, trial.quick ? 0.6 : 0.3);
  const std::string lists = "concepts = \"tags\"\nquery_concepts = \"query_tags\"\n";
  Models models;
  models.latent = tower(data, from_scratch(trial, ""), "", "", trial);
  trial.step();
  models.first = tower(data, from_scratch(trial, concepts), lists,
                       "ranking_weight = 0\nconcept_weight = 1", trial);
  trial.step();
  models.both = tower(data, fmt::format("base = \"{}\"\n", models.first), lists,
                      "ranking_weight = 1\nconcept_weight = 0.5", trial);
  trial.step();
  return models;
}

void measure(const Trial& trial, Results& results) {
  constexpr std::size_t kModels = 3;
  trial.expect(kModels + 2);
  const Data data = trial.quick ? made_up(trial) : packages(trial);
  const Models models = train(data, trial);
  const Tags names = TextEncoder::open(models.both).concepts();
  const Untrained untrained(taught_texts(data), names);
  for (const char* table : {kPlain, kMasked}) {
    const bool plain = table == std::string(kPlain);
    const RerankingTask& task = plain ? data.plain : data.masked;
    const auto ranked = [&](const char* row, const Vectors& vectors) {
      report_ranking(table, row, scores_of(task, vectors), results);
    };
    report_ranking(table, kWords, untrained.by_words(task), results);
    ranked(kLatent, vectors_of(models.latent, task, trial));
    const Vectors by_words = untrained.by_concepts(task),
                  first = vectors_of(models.first, task, trial),
                  both = vectors_of(models.both, task, trial);
    ranked(kUntrained, by_words);
    ranked(kFirst, first);
    ranked(kBoth, both);
    if (plain) {
      report_space(kUntrained, data, by_words, names, results);
      report_space(kFirst, data, first, names, results);
      report_space(kBoth, data, both, names, results);
      report_space(kShuffled, data, both, shuffled(names, trial.seed), results);
    }
    trial.step();
  }
}

Judgement ranks_above(const Results& results, const char* other, double bound = 0) {
  return above(fmt::format("{} - {}", kBoth, other), results.difference(kPlain, kBoth, other, kMrr),
               bound);
}

const Registration registration({
    .slug = "sesa",
    .title = "SESA: Supervised Explicit Semantic Analysis",
    .authors = "Bogdanova and Yazdani",
    .year = 2017,
    .source = "arXiv 1708.03246",
    .data = {"depends", "debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Supervised concepts rank better than those without training, and than words",
          "shown if MRR of SESA minus that of ESA and of TF-IDF is above 0 for both; refuted if "
          "below for one",
          [](const Results& results) {
            const Judgement parts[] = {ranks_above(results, kUntrained),
                                       ranks_above(results, kWords)};
            return all_of(parts);
          }},
         {"Names cost little: the ranking is nearly that of dimensions without any",
          "shown if MRR of SESA minus that of the latent two-tower is above -0.03; refuted if "
          "below",
          [](const Results& results) {
            constexpr double kLittle = -0.03;
            return ranks_above(results, kLatent, kLittle);
          }},
         {"Learning to rank leaves the names their meaning",
          "shown if concept F1@5 of SESA minus half that of stage 1 alone is above 0; refuted if "
          "below",
          [](const Results& results) {
            const auto a = results.values(kSpace, kBoth, kF1),
                       b = results.values(kSpace, kFirst, kF1);
            std::vector<double> left;
            for (std::size_t i = 0; i < a.size(); ++i) left.push_back(a[i] - b[i] / 2);
            return above("SESA - half of stage 1", estimate(left));
          }},
         {"The concepts that a match is explained by are tags of both packages far oftener than "
          "chance has it",
          "shown if agreement of reasons of SESA minus that with names shuffled is above 0.2; "
          "refuted if below",
          [](const Results& results) {
            constexpr double kFar = 0.2;
            return above("SESA - shuffled",
                         results.difference(kSpace, kBoth, kShuffled, kAgreement), kFar);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

// The Cosine Adapter: can a small network that reads a query's vector say which of its hits are
// relevant, so that one threshold serves all queries? Queries are descriptions of packages,
// relevant are packages that share at least 0.6 of their tags; of many queries none of the first
// hundred hits is. Vectors are of a static embedding that was trained on other things (which long
// description belongs to a short one). Thresholds come from validation queries, all figures from
// others; packages of one source are on one side.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "datasets/split.h"
#include "judge/nearest.h"
#include "kith/judge.h"
#include "kith/relevance.h"
#include "kith/relevance_metrics.h"
#include "papers/common/data.h"
#include "papers/common/debian_packages.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/static_embedding.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr std::size_t kWidth = 256, kHits = 100;
constexpr double kAlike = 0.6, kRecall = 0.95;
constexpr char kTable[] = "hits of test queries";
constexpr char kRaw[] = "cosine", kShare[] = "share of the best hit's cosine",
               kLogistic[] = "one logistic curve for all",
               kBest[] = "offset that knows the answers";
constexpr char kArea[] = "PR-AUC", kPrecision[] = "precision", kKept[] = "recall",
               kFiltered[] = "left out", kEmpty[] = "queries without hits",
               kError[] = "calibration error";

// ---- Texts --------------------------------------------------------------------------------------

struct Judged {
  TextPart documents;
  std::array<RetrievalTask, 3> tasks;  // training, validation, test; corpora are left out
};
enum Part : std::uint8_t { training, validation, testing };

Judged made_up(const Trial& trial) {
  Random random(trial.seed);
  const Task made = made_up_similarity(random);  // pairs, of which those of one topic are alike
  const auto& pairs = std::get<StsTask>(made.content);
  Judged judged;
  judged.documents.name = "corpus";
  for (const std::string& text : pairs.second.texts) {
    judged.documents.ids.push_back("d" + std::to_string(judged.documents.ids.size()));
    judged.documents.texts.push_back(text);
  }
  for (std::size_t i = 0; i < pairs.first.texts.size(); ++i) {
    RetrievalTask& task = judged.tasks[i % 3];
    task.queries.ids.push_back("q" + std::to_string(i));
    task.queries.texts.push_back(pairs.first.texts[i]);
    task.judgements.push_back(
        {{static_cast<std::uint32_t>(i), pairs.scores[i] > 0.5 ? 1 : 0},
         {static_cast<std::uint32_t>((i + 1) % pairs.first.texts.size()), 1}});
  }
  return judged;
}

Judged packages(const Trial& trial) {
  constexpr std::size_t kPackages = 15000, kFewestTags = 3;
  constexpr std::array<std::size_t, 3> kMost = {6000, 1000, 2000};
  constexpr double kTested = 0.25, kValidated = 0.15;
  std::vector<DebianPackage> all = load_packages(trial);
  std::erase_if(all, [](const DebianPackage& each) { return each.tags.size() < kFewestTags; });
  std::vector<DebianPackage> some;
  for (const std::uint32_t i : random_sample(all.size(), kPackages, trial.seed)) {
    some.push_back(std::move(all[i]));
  }
  Judged judged;
  judged.documents.name = "corpus";
  for (const DebianPackage& each : some) {
    judged.documents.ids.push_back(each.id);
    judged.documents.texts.push_back(each.summary + "\n" + each.text);
  }
  for (std::uint32_t q = 0; q < some.size(); ++q) {
    const std::string& source = some[q].source;
    const Part part = datasets::in_test(source, kTested, trial.seed)             ? testing
                      : datasets::in_test(source, kValidated, trial.seed + 1000) ? validation
                                                                                 : training;
    RetrievalTask& task = judged.tasks[part];
    if (task.queries.ids.size() == kMost[part]) continue;
    task.queries.ids.push_back(some[q].id);
    task.queries.texts.push_back(judged.documents.texts[q]);
    auto& list = task.judgements.emplace_back();
    for (std::uint32_t d = 0; d < some.size(); ++d) {
      if (d != q && shared_tags(some[q], some[d]) >= kAlike) list.push_back({d, 1});
    }
  }
  return judged;
}

// ---- Hits ---------------------------------------------------------------------------------------

struct Hits {
  Matrix<float> queries;
  std::vector<double> cosines;
  std::vector<std::uint8_t> relevant;
  std::vector<std::size_t> begin = {0};

  FilteredHits with(const std::vector<double>& scores) const { return {scores, relevant, begin}; }
};

Hits hits_of(const Judged& judged, Part part, const Matrix<float>& documents, Embedder& model,
             const Trial& trial) {
  const RetrievalTask& task = judged.tasks[part];
  TextPart queries = task.queries;
  queries.name = "queries";
  Hits hits;
  hits.queries = embed_all(model, queries, trial.control);
  const Neighbours found =
      judge::nearest_by_cosine(documents, hits.queries, kHits + 1, trial.control);
  for (std::size_t q = 0; q < found.queries(); ++q) {
    for (std::size_t i = 0; i < found.k() && hits.cosines.size() < hits.begin.back() + kHits; ++i) {
      const Id id = found.ids(q, i);
      if (id == kNoId) break;
      if (judged.documents.ids[id] == queries.ids[q]) continue;
      hits.cosines.push_back(customary(Metric::cosine, found.distances(q, i)));
      const auto& list = task.judgements[q];
      hits.relevant.push_back(std::ranges::any_of(
          list, [&](const JudgedDocument& each) { return each.document == id && each.grade > 0; }));
    }
    hits.begin.push_back(hits.cosines.size());
  }
  return hits;
}

// A score for every hit, from its query's number, its cosine and the query's first cosine.
template <class Score>
std::vector<double> scores_of(const Hits& hits, const Score& score) {
  std::vector<double> scores;
  for (std::size_t q = 0; q + 1 < hits.begin.size(); ++q) {
    const std::size_t first = hits.begin[q];
    for (std::size_t i = first; i < hits.begin[q + 1]; ++i) {
      scores.push_back(score(q, hits.cosines[i], hits.cosines[first]));
    }
  }
  return scores;
}

// Where a query's hits are best cut, by F1: below all where none is relevant.
std::vector<double> best_cuts(const Hits& hits) {
  std::vector<double> cuts;
  for (std::size_t q = 0; q + 1 < hits.begin.size(); ++q) {
    double all = 0, seen = 0, best = 0, cut = 2;
    for (std::size_t i = hits.begin[q]; i < hits.begin[q + 1]; ++i) all += hits.relevant[i];
    for (std::size_t i = hits.begin[q]; i < hits.begin[q + 1]; ++i) {
      seen += hits.relevant[i];
      const double f1 = 2 * seen / (static_cast<double>(i - hits.begin[q] + 1) + all);
      if (f1 <= best) continue;
      best = f1;
      cut = hits.cosines[i];
    }
    cuts.push_back(cut);
  }
  return cuts;
}

void report(const std::string& row, const Hits& tested, const std::vector<double>& validation,
            const Hits& validated, const std::vector<double>& scores, bool probabilities,
            Results& results) {
  const double threshold = score_relevance(validated.with(validation), kRecall).threshold;
  const RelevanceScores found = score_relevance(tested.with(scores), kRecall, threshold);
  results.add(kTable, row, kArea, found.pr_auc);
  results.add(kTable, row, kPrecision, found.precision);
  results.add(kTable, row, kKept, found.recall);
  results.add(kTable, row, kFiltered, found.filtered);
  results.add(kTable, row, kEmpty, found.empty);
  if (probabilities) results.add("calibration", row, kError, found.calibration_error);
}

std::string write_training(const Judged& judged, const Trial& trial) {
  std::string folder =
      data_path(trial, "relevance-" + std::to_string(trial.seed), {"debian"}, "-task");
  if (std::filesystem::exists(folder + "/task.json")) return folder;
  RetrievalTask task = judged.tasks[training];
  task.queries.name = "queries";
  task.corpus = judged.documents;
  Task whole;
  whole.name = "relevance";
  whole.content = std::move(task);
  write_task(whole, folder);
  return folder;
}

void measure(const Trial& trial, Results& results) {
  trial.expect(std::size(kRelevanceMappings) + 2);
  const Judged judged = trial.quick ? made_up(trial) : packages(trial);
  const std::string folder = static_embedding(trial, trial.quick ? 32 : kWidth);
  trial.step();
  ModelVectors model(folder);
  const Matrix<float> documents = embed_all(model, judged.documents, trial.control);
  const Hits validated = hits_of(judged, validation, documents, model, trial),
             tested = hits_of(judged, testing, documents, model, trial);

  const auto both = [&](const std::string& row, bool probabilities, const auto& score) {
    report(row, tested, scores_of(validated, score), validated, scores_of(tested, score),
           probabilities, results);
  };
  both(kRaw, false, [](std::size_t, double cosine, double) { return cosine; });
  both(kShare, false, [](std::size_t, double cosine, double best) { return cosine / best; });
  const LogisticFit logistic = fit_logistic(validated.with(validated.cosines));
  both(kLogistic, true, [&](std::size_t, double cosine, double) { return logistic(cosine); });
  trial.step();

  const std::string task = write_training(judged, trial);
  for (const char* mapping : kRelevanceMappings) {
    const std::string adapter_folder = trained_relevance(
        trial, "relevance",
        fmt::format("[data]\ntask = \"{}\"\nmodel = \"{}\"\ndepth = {}\n[adapter]\n"
                    "mapping = \"{}\"\n[train]\nepochs = 5\nlearning_rate = 1e-3\nseed = {}\n",
                    task, folder, kHits, mapping, trial.seed));
    const RelevanceAdapter adapter = RelevanceAdapter::open(adapter_folder + "/relevance.kith");
    const auto curves_of = [&](const Hits& hits) {
      std::vector<RelevanceCurve> curves;
      for (std::size_t q = 0; q < hits.queries.rows(); ++q) {
        curves.push_back(hits.begin[q] == hits.begin[q + 1] ? RelevanceCurve()
                                                            : adapter.curve(hits.queries.row(q)));
      }
      return curves;
    };
    const auto relevances = [&](const Hits& hits) {
      const std::vector<RelevanceCurve> curves = curves_of(hits);
      return scores_of(
          hits, [&](std::size_t q, double cosine, double) { return curves[q].relevance(cosine); });
    };
    report(std::string("adapter, ") + mapping, tested, relevances(validated), validated,
           relevances(tested), true, results);
    trial.step();
  }
  const std::vector<double> cuts[] = {best_cuts(validated), best_cuts(tested)};
  const auto known = [&](const Hits& hits, const std::vector<double>& own) {
    return scores_of(hits, [&](std::size_t q, double cosine, double) { return cosine - own[q]; });
  };
  report(kBest, tested, known(validated, cuts[0]), validated, known(tested, cuts[1]), false,
         results);
}

constexpr char kLinear[] = "adapter, linear";

const Registration registration({
    .slug = "cosine-adapter",
    .title = "Relevance Filtering for Embedding-based Retrieval",
    .authors = "Rossi, Lin, Liu, Yang, Lee, Magnani and Liao",
    .year = 2024,
    .source = "CIKM 2024, arXiv 2408.04887",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Relevance that depends on the query tells relevant hits from others better than cosines",
          "shown if PR-AUC of the linear adapter minus that of the cosine is above 0",
          [](const Results& results) {
            return above("linear - cosine", results.difference(kTable, kLinear, kRaw, kArea));
          }},
         {"At a threshold that keeps 95 % of relevant hits of validation queries, more of what is "
          "kept is relevant",
          "shown if precision of the linear adapter minus that of the cosine is above 0 and its "
          "recall minus the cosine's above -0.02; refuted if one is below",
          [](const Results& results) {
            constexpr double kNoLoss = -0.02;
            const Judgement parts[] = {
                above("precision", results.difference(kTable, kLinear, kRaw, kPrecision)),
                above("recall", results.difference(kTable, kLinear, kRaw, kKept), kNoLoss)};
            return all_of(parts);
          }},
         {"Its relevance is nearer to the share of relevant hits than one curve for all queries",
          "shown if the calibration error of the linear adapter minus that of the one curve is "
          "below 0",
          [](const Results& results) {
            return below("linear - one curve",
                         results.difference("calibration", kLinear, kLogistic, kError));
          }},
         {"The power mapping is the best",
          "shown if PR-AUC of power minus that of each other mapping is above 0 for all; refuted "
          "if "
          "below for one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const char* mapping : {"offset", "linear", "sqrt", "quadratic"}) {
              parts.push_back(above(std::string("power - ") + mapping,
                                    results.difference(kTable, "adapter, power",
                                                       std::string("adapter, ") + mapping, kArea)));
            }
            return all_of(parts);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

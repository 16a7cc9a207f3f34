// MUVERA: does one long vector for a document's many find, by its inner product with a query's,
// what MaxSim ranks first, among fewer candidates than a search with each of the query's vectors
// does? The vectors are a late-interaction encoder's that was trained on short and long
// descriptions of packages: other long ones are documents, other short ones ask for them. Beside it
// stand the mean of a text's vectors, the candidates of its vectors' nearest ones (ColBERT's first
// stage) and PLAID's.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/cpu_time.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/kmeans.h"
#include "codec/token_store.h"
#include "index/maxsim.h"
#include "index/plaid.h"
#include "index/token_candidates.h"
#include "kith/exact.h"
#include "kith/fde.h"
#include "kith/maxsim.h"
#include "kith/text_encoder.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/data.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/paper.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr char kTable[] = "candidates for the document of largest MaxSim",
               kSeeds[] = "five encodings of one collection, 5,120 dimensions",
               kExact[] = "exact MaxSim", kCarved[] = "exact MaxSim, queries carved at 0.7",
               kMean[] = "mean of the vectors", kTokens[] = "nearest vectors, each set once",
               kRepeated[] = "nearest vectors, sets repeated", kPlaid[] = "PLAID";
constexpr std::size_t kShown[] = {1, 10, 100, 500};
constexpr double kRecalls[] = {0.8, 0.9, 0.95};
constexpr float kCarve = 0.7f;

struct Shape {
  const char* name;
  std::size_t repetitions, planes, inner, final_dim = 0;
};
constexpr Shape kShapes[] = {
    {"1,280", 20, 3, 8}, {"2,560", 20, 4, 8}, {"5,120", 20, 5, 8}, {"10,240", 20, 5, 16}};
constexpr Shape kProjected = {"10,240 of (40,6,d)", 40, 6, 0, 10240};

std::string row_of(const char* name, bool fill, const char* more = "") {
  return fmt::format("encoding of {}{}{}", name, fill ? ", filled" : "", more);
}
std::string recall_column(std::size_t candidates) { return fmt::format("recall@{}", candidates); }
std::string candidates_column(double recall) { return fmt::format("for {}", recall); }

// ---- The encoder and its vectors ---------------------------------------------------------------

std::string encoder(const Trial& trial) {
  ContrastiveOptions options;
  options.base = tiny_bert(trial);
  options.model =
      fmt::format("dim = {}\n[model.late_interaction]\nquery_tokens = 32\ndocument_tokens = {}\n",
                  trial.quick ? 16 : 128, trial.quick ? 32 : 64);
  options.data = data_table(debian_pairs(trial));
  options.steps = 250;
  options.batch = 64;
  options.query_tokens = 0;
  options.document_tokens = 0;
  options.learning_rate = "5e-4";
  return trained(trial, "muvera", contrastive_recipe(options, trial));
}

struct Sets {
  VectorSetRows documents, queries;
  Neighbours truth;  // of each query the document of largest MaxSim
};

Sets sets_of(const Trial& trial) {
  const std::size_t most = trial.quick ? 300 : 10000, tests = trial.quick ? 40 : 300;
  Random random(trial.seed);
  const Task task =
      trial.quick ? made_up_retrieval(random, most) : load_tasks("debian", trial).front();
  const auto& retrieval = std::get<RetrievalTask>(task.content);
  const TextEncoder model = TextEncoder::open(encoder(trial));
  const auto encode = [&](const std::vector<std::string>& texts, std::size_t count, bool queries) {
    const auto drawn = random_permutation(texts.size(), trial.seed);
    std::vector<std::string_view> some;
    for (std::size_t i = 0; i < std::min(count, texts.size()); ++i) some.push_back(texts[drawn[i]]);
    TokenEncodeOptions options;
    options.queries = queries;
    options.control = without_progress(trial.control);
    return model.encode_tokens(some, options).sets;
  };
  Sets sets{encode(retrieval.corpus.texts, most, false),
            encode(retrieval.queries.texts, tests, true),
            {}};
  sets.truth = exact_maxsim(sets.documents, sets.queries, {.k = 1, .control = trial.control});
  return sets;
}

// ---- What is measured of a way to find candidates ----------------------------------------------

// Finds candidates of all queries, best first, at most so many of each; those of query q begin at
// offsets[q].
using Search = std::function<RangeNeighbours(std::size_t most)>;

RangeNeighbours lists_of(const Neighbours& found) {
  RangeNeighbours lists;
  for (std::size_t q = 0; q < found.queries(); ++q) {
    for (std::size_t i = 0; i < found.k() && found.ids(q, i) != kNoId; ++i) {
      lists.ids.push_back(found.ids(q, i));
    }
    lists.offsets.push_back(lists.ids.size());
  }
  return lists;
}

// How many candidates of each query must be looked at until the best document is met, ascending;
// all documents and one where it isn't met.
std::vector<std::size_t> needed(const RangeNeighbours& lists, const Sets& sets) {
  std::vector<std::size_t> all;
  for (std::size_t q = 0; q < sets.queries.view().size(); ++q) {
    const auto begin = lists.ids.begin() + static_cast<std::ptrdiff_t>(lists.offsets[q]);
    const auto end = lists.ids.begin() + static_cast<std::ptrdiff_t>(lists.offsets[q + 1]);
    const auto place = std::find(begin, end, sets.truth.ids(q, 0));
    all.push_back(place == end ? sets.documents.view().size() + 1
                               : static_cast<std::size_t>(place - begin) + 1);
  }
  std::ranges::sort(all);
  return all;
}

double recall(const std::vector<std::size_t>& needed, std::size_t candidates) {
  const auto within = std::ranges::upper_bound(needed, candidates) - needed.begin();
  return static_cast<double>(within) / static_cast<double>(needed.size());
}

// The fewest candidates in which that share of queries has the best document; at most all.
std::size_t candidates_for(double wanted, const std::vector<std::size_t>& needed,
                           std::size_t documents) {
  const auto count =
      static_cast<std::size_t>(std::ceil(wanted * static_cast<double>(needed.size())));
  return std::min(needed[count - 1], documents);
}

// MaxSim of each query with its first candidates, as it ranks them: CPU seconds.
double ranking_seconds(const RangeNeighbours& lists, std::size_t most, const Sets& sets,
                       const TokenRows& tokens) {
  const double before = cpu_seconds();
  const VectorSetsView queries = sets.queries;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const PackedQueries packed(queries.slice(q, 1));
    MaxSimScorer scorer(packed);
    float score = 0;
    const std::size_t end = std::min(lists.offsets[q] + most, lists.offsets[q + 1]);
    for (std::size_t i = lists.offsets[q]; i < end; ++i) {
      const Id id = lists.ids[i];
      scorer.score(tokens, sets.documents.offsets[id], sets.documents.view().length(id), &score);
    }
  }
  return cpu_seconds() - before;
}

class Comparison {
 public:
  Comparison(const Trial& trial, const Sets& sets, Results& results)
      : trial_(trial),
        sets_(sets),
        results_(results),
        tokens_(TokenStore::build(sets.documents.vectors, {.codec = "f16"})) {}

  const Sets& sets() const { return sets_; }
  std::size_t documents() const { return sets_.documents.view().size(); }

  void add_found(const std::string& row, const std::vector<std::size_t>& needed) {
    for (const std::size_t n : kShown) {
      results_.add(kTable, row, recall_column(n), recall(needed, n));
    }
    for (const double wanted : kRecalls) {
      results_.add(kTable, row, candidates_column(wanted),
                   static_cast<double>(candidates_for(wanted, needed, documents())));
    }
  }
  // `bytes`: of a document, beside the vectors that MaxSim ranks by.
  void add_cost(const std::string& row, double seconds, double bytes) {
    const auto queries = static_cast<double>(sets_.queries.view().size());
    results_.add(kTable, row, "ms/query at 0.9", 1000 * seconds / queries);
    results_.add(kTable, row, "bytes/document", bytes);
  }

  // Finds and ranks as many candidates as recall 0.9 takes, on one thread; the median of three.
  void add(const std::string& row, const Search& search, double bytes) {
    const auto all = needed(search(documents()), sets_);
    add_found(row, all);
    const std::size_t most = candidates_for(0.9, all, documents());
    std::vector<double> seconds;
    for (int round = 0; round < 3; ++round) {
      const double before = cpu_seconds();
      const RangeNeighbours lists = search(most);
      const double found = cpu_seconds() - before;
      seconds.push_back(found + ranking_seconds(lists, most, sets_, *tokens_));
    }
    std::ranges::sort(seconds);
    add_cost(row, seconds[1], bytes);
    trial_.step();
  }

  // Of all vectors as they are stored for ranking.
  double token_bytes(double each) const {
    return each *
           static_cast<double>(sets_.documents.vectors.rows() * sets_.documents.vectors.cols()) /
           static_cast<double>(documents());
  }

 private:
  const Trial& trial_;
  const Sets& sets_;
  Results& results_;
  std::unique_ptr<TokenStore> tokens_;
};

// ---- The ways ----------------------------------------------------------------------------------

Control one_thread(const Trial& trial) {
  Control control = without_progress(trial.control);
  control.threads = 1;
  return control;
}

Neighbours nearest(const Matrix<float>& base, const Matrix<float>& queries, std::size_t k,
                   const Trial& trial) {
  return exact_search(base, queries, {.k = k, .metric = Metric::ip, .control = one_thread(trial)});
}

void compare_exact(Comparison& comparison, const Trial& trial, Results& results) {
  const Sets& sets = comparison.sets();
  const auto time = [&](const VectorSetsView& queries, std::size_t k) {
    const double before = cpu_seconds();
    Neighbours found = exact_maxsim(sets.documents, queries, {k, one_thread(trial)});
    return std::pair(std::move(found), cpu_seconds() - before);
  };
  const double stored = comparison.token_bytes(sizeof(float) / 2.0);
  const auto [whole, seconds] = time(sets.queries, 1);
  comparison.add_found(kExact, needed(lists_of(whole), sets));
  comparison.add_cost(kExact, seconds, stored);
  const VectorSetRows carved = carve(sets.queries, kCarve);
  const auto [fewer, carved_seconds] = time(carved, comparison.documents());
  comparison.add_found(kCarved, needed(lists_of(fewer), sets));
  comparison.add_cost(kCarved, time(carved, 1).second, stored);
  const auto count = static_cast<double>(sets.queries.view().size());
  const auto each = [&](const VectorSetsView& some) {
    return static_cast<double>(some.total()) / count;
  };
  results.add("vectors of a text", "documents", "mean number",
              static_cast<double>(sets.documents.view().total()) /
                  static_cast<double>(comparison.documents()));
  results.add("vectors of a text", "queries", "mean number", each(sets.queries));
  results.add("vectors of a text", "queries, carved at 0.7", "mean number", each(carved));
  trial.step();
}

Matrix<float> means(const VectorSetRows& sets) {
  Matrix<float> rows(sets.view().size(), sets.vectors.cols());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t v = sets.offsets[i]; v < sets.offsets[i + 1]; ++v) {
      for (std::size_t j = 0; j < rows.cols(); ++j) rows(i, j) += sets.vectors(v, j);
    }
  }
  normalise(rows);
  return rows;
}

void compare_means(Comparison& comparison, const Trial& trial) {
  const Matrix<float> base = means(comparison.sets().documents);
  comparison.add(
      kMean,
      [&](std::size_t most) {
        return lists_of(nearest(base, means(comparison.sets().queries), most, trial));
      },
      static_cast<double>(base.cols() * sizeof(float)));
}

// Each of a query's vectors finds its nearest ones among those of all documents.
void compare_tokens(Comparison& comparison, const Trial& trial) {
  constexpr std::size_t kDepth = 300;  // nearest vectors of each: more takes memory, and finds all
  const Sets& sets = comparison.sets();
  const VectorSetsView queries = sets.queries;
  const double bytes = comparison.token_bytes(sizeof(float));
  for (const bool distinct : {true, false}) {
    const auto lists = [&](std::size_t depth) {
      const Neighbours found = nearest(sets.documents.vectors, sets.queries.vectors, depth, trial);
      return token_candidates(found, queries, sets.documents.offsets, distinct);
    };
    const RangeNeighbours all = lists(std::min(kDepth, sets.documents.vectors.rows()));
    const std::vector<std::size_t> found = needed(all, sets);
    const std::size_t most = candidates_for(0.9, found, comparison.documents());
    // About as many ranks as the candidates take.
    const double each = static_cast<double>(queries.total()) / static_cast<double>(queries.size());
    const auto depth = static_cast<std::size_t>(std::ceil(static_cast<double>(most) / each));
    const std::string row = distinct ? kTokens : kRepeated;
    comparison.add_found(row, found);
    const double before = cpu_seconds();
    const RangeNeighbours again = lists(std::clamp<std::size_t>(depth, 1, kDepth));
    const double seconds = cpu_seconds() - before;
    const auto tokens = TokenStore::build(sets.documents.vectors, {.codec = "f16"});
    comparison.add_cost(row, seconds + ranking_seconds(all, most, sets, *tokens), bytes);
    trial.step();
  }
}

void compare_plaid(Comparison& comparison, const Trial& trial) {
  const Sets& sets = comparison.sets();
  TokenStoreOptions options;
  options.codec = "residual2";
  options.seed = trial.seed;
  options.control = without_progress(trial.control);
  const auto tokens = TokenStore::build(sets.documents.vectors, options);
  const Plaid plaid(*tokens, sets.documents.offsets);
  double bytes = 0;
  for (const auto& [part, size] : tokens->bytes()) bytes += static_cast<double>(size);
  comparison.add(
      kPlaid,
      [&](std::size_t most) {
        // The paper's for 1,000 hits, where so many are wanted; a quarter of the sets is left.
        const bool few = most <= 256;
        PlaidOptions search{.probes = few ? std::size_t{2} : std::size_t{4},
                            .threshold = few ? 0.45f : 0.4f,
                            .candidates = few ? std::size_t{1024} : 4 * most,
                            .control = one_thread(trial)};
        return plaid.candidates(sets.queries, search);
      },
      bytes / static_cast<double>(comparison.documents()));
}

FdeEncoder encoder_of(const Shape& shape, bool fill, std::size_t dim, std::uint64_t seed) {
  FdeOptions options;
  options.repetitions = shape.repetitions;
  options.planes = shape.planes;
  options.inner_dim = std::min(shape.inner, dim);
  options.final_dim = shape.final_dim;
  options.fill_empty = fill;
  options.seed = seed;
  return {dim, options};
}

Matrix<float> encoded(const FdeEncoder& encoder, const Sets& sets, const Trial& trial) {
  return encoder.encode_documents(sets.documents, without_progress(trial.control));
}

void compare_encodings(Comparison& comparison, const Trial& trial, const Shape& shape, bool fill) {
  const Sets& sets = comparison.sets();
  const FdeEncoder encoder = encoder_of(shape, fill, sets.documents.vectors.cols(), trial.seed);
  const Matrix<float> base = encoded(encoder, sets, trial);
  comparison.add(
      row_of(shape.name, fill),
      [&](std::size_t most) {
        return lists_of(
            nearest(base, encoder.encode_queries(sets.queries, one_thread(trial)), most, trial));
      },
      static_cast<double>(base.cols() * sizeof(float)));
}

// Groups of 8 dimensions as the nearest of 256 centroids, one byte each (PQ-256-8); what is stored
// is replaced by what it stands for.
void quantise(Matrix<float>& rows, const Trial& trial) {
  constexpr std::size_t kGroup = 8, kCentroids = 256, kSample = 4096;
  const auto drawn = random_permutation(rows.rows(), trial.seed);
  for (std::size_t at = 0; at < rows.cols(); at += kGroup) {
    throw_if_cancelled(trial.control);
    Matrix<float> part(rows.rows(), kGroup), sample(std::min(kSample, rows.rows()), kGroup);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      std::copy_n(rows.row(i) + at, kGroup, part.row(i));
    }
    for (std::size_t i = 0; i < sample.rows(); ++i) {
      std::copy_n(part.row(drawn[i]), kGroup, sample.row(i));
    }
    KMeansOptions options;
    options.clusters = kCentroids;
    options.seed = trial.seed;
    options.control = one_thread(trial);
    const Matrix<float> centres = kmeans(sample, options);
    const Neighbours own =
        exact_search(centres, part, {.k = 1, .metric = Metric::l2, .control = one_thread(trial)});
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      std::copy_n(centres.row(own.ids(i, 0)), kGroup, rows.row(i) + at);
    }
  }
}

constexpr char kCodes[] = ", PQ-256-8";

// What is found by product codes alone; their scan isn't timed, as whole vectors stand for them.
void compare_codes(Comparison& comparison, const Trial& trial, const Shape& shape,
                   Results& results) {
  const Sets& sets = comparison.sets();
  const FdeEncoder encoder = encoder_of(shape, true, sets.documents.vectors.cols(), trial.seed);
  Matrix<float> base = encoded(encoder, sets, trial);
  quantise(base, trial);
  const std::string row = row_of(shape.name, true, kCodes);
  const Neighbours found =
      nearest(base, encoder.encode_queries(sets.queries), comparison.documents(), trial);
  comparison.add_found(row, needed(lists_of(found), sets));
  results.add(kTable, row, "bytes/document", static_cast<double>(base.cols()) / 8);
  trial.step();
}

// How far encodings of other random numbers differ in what they find of the same sets.
void compare_seeds(Comparison& comparison, const Trial& trial, Results& results) {
  const Sets& sets = comparison.sets();
  for (const bool fill : {true, false}) {
    std::vector<double> recalls;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const FdeEncoder encoder =
          encoder_of(kShapes[2], fill, sets.documents.vectors.cols(), 100 * trial.seed + seed);
      const Neighbours found =
          nearest(encoded(encoder, sets, trial), encoder.encode_queries(sets.queries), 100, trial);
      recalls.push_back(recall(needed(lists_of(found), sets), 100));
    }
    const std::string row = fill ? "filled" : "not filled";
    results.add(kSeeds, row, "mean recall@100", estimate(recalls).mean);
    results.add(kSeeds, row, "standard deviation", standard_deviation(recalls));
    trial.step();
  }
}

void measure(const Trial& trial, Results& results) {
  trial.expect(1 + 1 + 1 + 2 + 1 + 2 * std::size(kShapes) + 2 + 2 + 2);
  const Sets sets = sets_of(trial);
  trial.step();
  Comparison comparison(trial, sets, results);
  compare_exact(comparison, trial, results);
  compare_means(comparison, trial);
  compare_tokens(comparison, trial);
  compare_plaid(comparison, trial);
  for (const bool fill : {true, false}) {
    for (const Shape& shape : kShapes) compare_encodings(comparison, trial, shape, fill);
  }
  for (const bool fill : {true, false}) compare_encodings(comparison, trial, kProjected, fill);
  for (const Shape& shape : {kShapes[2], kShapes[3]}) {
    compare_codes(comparison, trial, shape, results);
  }
  compare_seeds(comparison, trial, results);
}

// ---- Claims ------------------------------------------------------------------------------------

Judgement fewer_than(const Results& results, const std::string& than, bool fill) {
  std::vector<Judgement> parts;
  for (const Shape& shape : {kShapes[2], kShapes[3]}) {
    parts.push_back(above(shape.name, results.difference(kTable, than, row_of(shape.name, fill),
                                                         candidates_column(0.9))));
  }
  return all_of(parts);
}

Judgement grows(const Results& results) {
  std::vector<Judgement> parts;
  for (const bool fill : {true, false}) {
    for (std::size_t s = 1; s < std::size(kShapes); ++s) {
      parts.push_back(above(
          fmt::format("{} - {}{}", kShapes[s].name, kShapes[s - 1].name, fill ? ", filled" : ""),
          results.difference(kTable, row_of(kShapes[s].name, fill),
                             row_of(kShapes[s - 1].name, fill), recall_column(10))));
    }
  }
  return all_of(parts);
}

const Registration registration({
    .slug = "muvera",
    .title = "MUVERA: Multi-Vector Retrieval via Fixed Dimensional Encodings",
    .authors = "Dhulipala, Hadian, Jayaram, Lee and Mirrokni",
    .year = 2024,
    .source = "NeurIPS 2024, arXiv 2405.19504",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Larger encodings find more",
          "shown if recall@10 of 2,560 dimensions minus that of 1,280, of 5,120 minus that of "
          "2,560 and of 10,240 minus that of 5,120 is above 0, filled and not; refuted if below "
          "for one",
          grows},
         {"Filled encodings of 5,120 dimensions or more need fewer candidates than the nearest "
          "vectors' sets",
          "shown if the candidates for recall 0.9 of the nearest vectors, each set once, minus "
          "those of 5,120 and of 10,240 dimensions are above 0; refuted if below for one",
          [](const Results& results) { return fewer_than(results, kTokens, true); }},
         {"So do those that aren't filled",
          "shown if the same of encodings that aren't filled is above 0; refuted if below for one",
          [](const Results& results) { return fewer_than(results, kTokens, false); }},
         {"They need fewer than the mean of the vectors",
          "shown if the candidates for recall 0.9 of the mean minus those of 5,120 and of 10,240 "
          "dimensions are above 0, filled and not; refuted if below for one",
          [](const Results& results) {
            const Judgement parts[] = {fewer_than(results, kMean, true),
                                       fewer_than(results, kMean, false)};
            return all_of(parts);
          }},
         {"Filling empty cells finds more",
          "shown if recall@100 filled minus not filled is above 0 for 5,120 and 10,240 dimensions; "
          "refuted if below for one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const Shape& shape : {kShapes[2], kShapes[3]}) {
              parts.push_back(above(
                  shape.name, results.difference(kTable, row_of(shape.name, true),
                                                 row_of(shape.name, false), recall_column(100))));
            }
            return all_of(parts);
          }},
         {"What is found depends little on the random numbers",
          "shown if the standard deviation of recall@100 over five encodings of 5,120 dimensions "
          "of one collection is below 0.02, filled and not; refuted if above for one",
          [](const Results& results) {
            const Judgement parts[] = {
                below("filled", results.mean(kSeeds, "filled", "standard deviation"), 0.02),
                below("not filled", results.mean(kSeeds, "not filled", "standard deviation"),
                      0.02)};
            return all_of(parts);
          }},
         {"10,240 dimensions that are a projection of many more find more than those without",
          "shown if recall@100 of (40,6,d) projected to 10,240 dimensions minus that of (20,5,16) "
          "is above 0, both filled",
          [](const Results& results) {
            return above("projected - not",
                         results.difference(kTable, row_of(kProjected.name, true),
                                            row_of("10,240", true), recall_column(100)));
          }},
         {"Product codes of a 32nd of the bytes lose less than 0.02 of recall",
          "shown if recall@100 of whole encodings minus that of PQ-256-8 is below 0.02 for 5,120 "
          "and 10,240 dimensions, filled; refuted if above for one",
          [](const Results& results) {
            std::vector<Judgement> parts;
            for (const Shape& shape : {kShapes[2], kShapes[3]}) {
              parts.push_back(
                  below(shape.name,
                        results.difference(kTable, row_of(shape.name, true),
                                           row_of(shape.name, true, kCodes), recall_column(100)),
                        0.02));
            }
            return all_of(parts);
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

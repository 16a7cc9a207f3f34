// BiDR: are candidates found better by product codes that learned from pairs of queries and
// answers, and put in order better by whole vectors that learned from these very candidates?
// Short descriptions of packages ask for long ones. The models are static embeddings of 128
// dimensions, a code has 16 bytes; the paper's are RoBERTa with 96. All start as there: codes from
// a trained dense model and k-means, the whole vectors of stage 2 from an untrained one. The dense
// model of the baselines goes on for as many steps, on the same negatives, as the one that learns
// codes. Stage 2 draws a negative among the 40 nearest candidates of a query, which takes 0.9 GB of
// memory, the paper among 200, which would take 2.9; its batches of nearest negatives, of walks and
// of snowballs differ in nothing but which queries share one. Rates and steps were chosen by MRR@10
// of pairs held out of the training ones, never by the test queries.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/copy_rows.h"
#include "base/random.h"
#include "codec/codebooks.h"
#include "codec/learned_rotation.h"
#include "kith/exact.h"
#include "kith/index.h"
#include "kith/ranking_metrics.h"
#include "kith/text_encoder.h"
#include "kith/trained_codebooks.h"
#include "kith/verifier.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/paper.h"
#include "papers/common/static_embedding.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"
#include "simd/matmul.h"

namespace kith::papers {
namespace {

constexpr std::size_t kWidth = 128, kParts = 16, kBits = 8;
constexpr std::size_t kQueries = 2000, kDocuments = 30000;
constexpr std::size_t kCandidates = 1000, kFewCandidates = 100;  // that are verified
constexpr std::size_t kMined = 40;                               // of a query, to draw from
constexpr std::size_t kBatch = 1024, kStage1 = 100, kStage2 = 200, kUnify = 200;

constexpr char kTable[] = "long descriptions by short ones";
constexpr char kExact[] = "dense, exact", kMeans[] = "k-means codes, dense verifies",
               kTurned[] = "OPQ codes, dense verifies",
               kLearned[] = "learned codes, dense verifies",
               kDrawn[] = "learned codes, stage 2 on nearest negatives",
               kWalk[] = "learned codes, stage 2 by random walks",
               kSnowball[] = "learned codes, stage 2 by snowballs",
               kUnified[] = "the same, one query vector for both",
               kHard[] = "codes learned on nearest negatives, stage 2 by snowballs";
constexpr char kFound100[] = "candidates' R@100", kFound1000[] = "candidates' R@1000",
               kFinal10[] = "R@10", kFinal100[] = "R@100", kMrr[] = "MRR@10",
               kFew[] = "R@10 of 100 verified", kMemory[] = "bytes in memory/document",
               kRead[] = "bytes read/query";

// ---- Training -----------------------------------------------------------------------------------

std::string untrained(const Trial& trial) {
  return fmt::format("[model.architecture]\ntype = \"static\"\nwidth = {}\ntokenizer = \"{}\"\n",
                     kWidth, wordpiece_tokenizer(trial));
}
std::string base(const std::string& folder) {
  return fmt::format("[model]\nbase = \"{}\"\n", folder);
}
const std::string kCodes = fmt::format(
    "[codes]\nparts = {}\nbits = {}\nweight = 1\ndense_weight = 1\nreconstruction = 0\n", kParts,
    kBits);

// Pairs with a negative of BM25's each.
std::string pairs(const Trial& trial) { return data_table(debian_pairs(trial, 1), 1); }

// The same pairs with a query's nearest candidates, of which each batch draws one.
std::string mined_pairs(const std::string& by, const char* batches, const Trial& trial) {
  return fmt::format(
      "{}batches = \"{}\"\n[data.mine]\nby = [\"{}\"]\nfirst = 1\nlast = {}\ncount = {}\n"
      "max_ratio = 1000\n",  // none is left out
      data_table(debian_pairs(trial, 1)), batches, by, kMined, kMined);
}

std::string train(const std::string& tables, std::size_t steps, const char* learning_rate,
                  const Trial& trial) {
  std::string folder = trained(
      trial, "bidr",
      fmt::format("{}[loss]\ntemperature = 0.05\nmask_equal = true\n[train]\nsteps = {}\n"
                  "batch = {}\nquery_tokens = 32\ndocument_tokens = 128\nlearning_rate = {}\n"
                  "warmup = 0.1\nweight_decay = 0\ndropout = 0\nseed = {}\n",
                  tables, trial.quick ? 6 : steps, trial.quick ? 16 : kBatch, learning_rate,
                  trial.seed));
  trial.step();
  return folder;
}

constexpr char kRate[] = "0.01", kFurtherRate[] = "0.002";

struct Folders {
  std::string dense, codes, drawn, walk, snowball, unified, hard_codes, hard_snowball;
};

Folders train_all(const Trial& trial) {
  const std::string first = static_embedding(trial, kWidth);
  trial.step();
  Folders folders;
  folders.dense = train(base(first) + pairs(trial), kStage1, kFurtherRate, trial);
  folders.codes = train(base(first) + pairs(trial) + kCodes, kStage1, kFurtherRate, trial);
  const auto stage2 = [&](const std::string& codes, const char* batches) {
    return train(untrained(trial) + mined_pairs("codes:" + codes, batches, trial), kStage2, kRate,
                 trial);
  };
  folders.drawn = stage2(folders.codes, "drawn");
  folders.walk = stage2(folders.codes, "walk");
  folders.snowball = stage2(folders.codes, "snowball");
  folders.unified =
      train(base(folders.snowball) + mined_pairs("codes:" + folders.codes, "snowball", trial) +
                "[documents]\nmodels = " + toml_list({folders.codes, folders.snowball}) + "\n",
            kUnify, kFurtherRate, trial);
  folders.hard_codes = train(base(first) + mined_pairs("model", "drawn", trial) + kCodes, kStage1,
                             kFurtherRate, trial);
  folders.hard_snowball = stage2(folders.hard_codes, "snowball");
  return folders;
}

// ---- Searching ----------------------------------------------------------------------------------

struct Vectors {
  Matrix<float> documents, queries;  // of length 1
};

Matrix<float> embedded(const std::string& folder, const std::vector<std::string>& texts,
                       const Trial& trial) {
  TextEncodeOptions options;
  options.normalize = true;
  options.control = trial.control;
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return TextEncoder::open(folder).encode(views, options).vectors;
}

Vectors vectors_of(const std::string& folder, const RetrievalTask& task, const Trial& trial) {
  return {embedded(folder, task.corpus.texts, trial), embedded(folder, task.queries.texts, trial)};
}

// Codes in memory.
struct Tier {
  Neighbours candidates;
  double bytes = 0;  // of a document
};

BuildOptions plain_options(const Trial& trial) {
  BuildOptions options;
  options.metric = Metric::cosine;
  options.index = "flat";
  options.codec = fmt::format("vq{}x{}", kParts, kBits);
  options.seed = trial.seed;
  options.control = trial.control;
  return options;
}

Tier first_tier(const Matrix<float>& documents, const Matrix<float>& queries,
                const BuildOptions& options) {
  const Index index = Index::build(documents.view(), Labels(), options);
  SearchOptions search;
  search.control = options.control;
  Tier tier{index.search(queries.view(), std::min(kCandidates, documents.rows()), search)};
  for (const auto& [part, size] : index.info().bytes) {
    if (part != "primary.codes") continue;
    tier.bytes = static_cast<double>(size) / static_cast<double>(documents.rows());
  }
  return tier;
}

Tier learned_tier(const std::string& folder, const Matrix<float>& documents,
                  const Matrix<float>& queries, const Trial& trial) {
  BuildOptions options = plain_options(trial);
  options.codebooks =
      std::make_shared<const TrainedCodebooks>(TrainedCodebooks::open(folder + "/codebooks.kith"));
  return first_tier(documents, queries, options);
}

// A rotation for which codes of kParts parts err least (Ge et al., 2013, as of opqN): the engine's
// own has codewords of four bits.
Matrix<float> learned_turn(const Matrix<float>& documents, const Trial& trial) {
  constexpr std::size_t kSample = 10000;
  constexpr int kTurns = 6;
  const Matrix<float> sample =
      copy_rows(documents, random_sample(documents.rows(), kSample, trial.seed));
  Matrix<float> turned(sample.rows(), sample.cols()), decoded(sample.rows(), sample.cols());
  Matrix<float> rotation = allocate_directions(sample, kParts, trial.control);
  std::vector<std::uint32_t> code(kParts);
  for (int turn = 0; turn < kTurns; ++turn) {
    simd::matmul(sample, rotation, turned);
    Codebooks books(sample.cols(), kParts, static_cast<int>(kBits));
    books.learn(turned, trial.seed, trial.control);
    for (std::size_t i = 0; i < sample.rows(); ++i) {
      books.encode(turned.row(i), code.data());
      books.decode(code.data(), decoded.row(i));
    }
    rotation = procrustes(sample, decoded, trial.control);
  }
  return rotation;
}

// Cosines stay, codes err less.
Vectors turned(const Vectors& vectors, const Trial& trial) {
  const Matrix<float> rotation = learned_turn(vectors.documents, trial);
  Vectors result{Matrix<float>(vectors.documents.rows(), kWidth),
                 Matrix<float>(vectors.queries.rows(), kWidth)};
  simd::matmul(vectors.documents, rotation, result.documents);
  simd::matmul(vectors.queries, rotation, result.queries);
  return result;
}

// Whole vectors on disk, as long as the verifier is there.
Verifier second_tier(const std::string& name, const Matrix<float>& documents, const Trial& trial) {
  VerifierOptions options;
  options.metric = Metric::cosine;
  options.file =
      data_path(trial, fmt::format("bidr-{}-{}", name, trial.seed), {"debian"}, ".verify");
  options.seed = trial.seed;
  options.control = trial.control;
  std::filesystem::create_directories(std::filesystem::path(options.file).parent_path());
  return Verifier::build(documents.view(), options);
}

// ---- Judging ------------------------------------------------------------------------------------

// Means over queries; of `recall` one a cutoff.
struct Scores {
  std::vector<double> recall;
  double mrr = 0;  // at the first cutoff
};

Scores judged(const RetrievalTask& task, const Neighbours& found,
              const std::vector<std::size_t>& cutoffs) {
  Scores mean{std::vector<double>(cutoffs.size())};
  const auto count = static_cast<double>(found.queries());
  for (std::size_t q = 0; q < found.queries(); ++q) {
    std::unordered_map<Id, int> grades;
    std::vector<int> wanted, ranked;
    for (const JudgedDocument& each : task.judgements[q]) {
      grades.emplace(each.document, each.grade);
      wanted.push_back(each.grade);
    }
    for (std::size_t i = 0; i < found.k() && found.ids(q, i) != kNoId; ++i) {
      const auto grade = grades.find(found.ids(q, i));
      ranked.push_back(grade == grades.end() ? 0 : grade->second);
    }
    const RankingScores scores = score_ranking(ranked, wanted, cutoffs);
    for (std::size_t c = 0; c < cutoffs.size(); ++c) mean.recall[c] += scores.recall[c] / count;
    mean.mrr += scores.mrr.front() / count;
  }
  return mean;
}

Neighbours first_of(const Neighbours& found, std::size_t k) {
  Neighbours some(found.queries(), std::min(k, found.k()));
  for (std::size_t q = 0; q < some.queries(); ++q) {
    std::copy_n(found.ids.row(q), some.k(), some.ids.row(q));
    std::copy_n(found.distances.row(q), some.k(), some.distances.row(q));
  }
  return some;
}

// What both tiers find, of a row of the table.
void report(const char* row, const RetrievalTask& task, const Neighbours& candidates,
            const Neighbours& verified, const Neighbours& verified_few, double memory, double read,
            Results& results) {
  const Scores tier = judged(task, candidates, {kFewCandidates, kCandidates}),
               last = judged(task, verified, {10, 100});
  results.add(kTable, row, kFound100, tier.recall[0]);
  results.add(kTable, row, kFound1000, tier.recall[1]);
  results.add(kTable, row, kFinal10, last.recall[0]);
  results.add(kTable, row, kFinal100, last.recall[1]);
  results.add(kTable, row, kMrr, last.mrr);
  results.add(kTable, row, kFew, judged(task, verified_few, {10}).recall[0]);
  results.add(kTable, row, kMemory, memory);
  results.add(kTable, row, kRead, read);
}

void report_exact(const RetrievalTask& task, const Vectors& vectors, const Trial& trial,
                  Results& results) {
  ExactOptions options;
  options.k = kCandidates;
  options.metric = Metric::cosine;
  options.control = trial.control;
  const Neighbours found = exact_search(vectors.documents, vectors.queries, options);
  report(kExact, task, found, found, found, kWidth * sizeof(float), 0, results);
  trial.step();
}

// What a query reads that comes alone: of many at once some want the same.
double bytes_read(const Verifier& verifier, const Neighbours& candidates,
                  const Matrix<float>& queries) {
  constexpr std::size_t kAsked = 20;
  const std::size_t before = verifier.info().disk.read_bytes;
  for (std::size_t q = 0; q < kAsked; ++q) {
    Neighbours own(1, candidates.k());
    std::copy_n(candidates.ids.row(q), own.k(), own.ids.row(0));
    verifier.rerank(queries.view().slice(q, 1), own, 1);
  }
  return static_cast<double>(verifier.info().disk.read_bytes - before) / kAsked;
}

void report_tiers(const char* row, const RetrievalTask& task, const Tier& tier,
                  const Verifier& verifier, const Matrix<float>& queries, const Trial& trial,
                  Results& results) {
  constexpr std::size_t kDepth = 100;
  RerankOptions options;
  options.control = trial.control;
  const Neighbours verified = verifier.rerank(queries.view(), tier.candidates, kDepth, options);
  const Neighbours few =
      verifier.rerank(queries.view(), first_of(tier.candidates, kFewCandidates), kDepth, options);
  report(row, task, tier.candidates, verified, few, tier.bytes,
         bytes_read(verifier, tier.candidates, queries), results);
  trial.step();
}

void measure(const Trial& trial, Results& results) {
  constexpr std::size_t kModels = 9, kRows = 9;
  trial.expect(kModels + kRows);
  const Folders folders = train_all(trial);
  const Task whole = debian_retrieval(trial, kQueries, kDocuments);
  const auto& task = std::get<RetrievalTask>(whole.content);

  // Both tiers of one dense model, and its tier on disk behind codes of another.
  const Vectors dense = vectors_of(folders.dense, task, trial);
  const Verifier of_dense = second_tier("dense", dense.documents, trial);
  const auto by_dense = [&](const char* row, const Tier& tier) {
    report_tiers(row, task, tier, of_dense, dense.queries, trial, results);
  };
  report_exact(task, dense, trial, results);
  by_dense(kMeans, first_tier(dense.documents, dense.queries, plain_options(trial)));
  const Vectors rotated = turned(dense, trial);
  by_dense(kTurned, first_tier(rotated.documents, rotated.queries, plain_options(trial)));
  const Vectors codes = vectors_of(folders.codes, task, trial);
  const Tier learned = learned_tier(folders.codes, codes.documents, codes.queries, trial);
  by_dense(kLearned, learned);

  // Stage 2 behind candidates by codes.
  const auto by_second = [&](const char* row, const Tier& tier, const std::string& folder) {
    const Vectors second = vectors_of(folder, task, trial);
    const Verifier verifier = second_tier("second", second.documents, trial);
    report_tiers(row, task, tier, verifier, second.queries, trial, results);
  };
  by_second(kDrawn, learned, folders.drawn);
  by_second(kWalk, learned, folders.walk);
  by_second(kSnowball, learned, folders.snowball);
  const Matrix<float> unified = embedded(folders.unified, task.queries.texts, trial);
  const Verifier of_snowball =
      second_tier("second", embedded(folders.snowball, task.corpus.texts, trial), trial);
  report_tiers(kUnified, task, learned_tier(folders.codes, codes.documents, unified, trial),
               of_snowball, unified, trial, results);
  const Vectors hard = vectors_of(folders.hard_codes, task, trial);
  by_second(kHard, learned_tier(folders.hard_codes, hard.documents, hard.queries, trial),
            folders.hard_snowball);
}

Judgement better(const Results& results, const char* row, const char* than, const char* column,
                 double bound = 0) {
  return above(fmt::format("{} of {} - {}", column, row, than),
               results.difference(kTable, row, than, column), bound);
}

// Of learned codes against both kinds that know of no queries.
Judgement codes_find_more(const Results& results, const char* column) {
  const Judgement parts[] = {better(results, kLearned, kMeans, column),
                             better(results, kLearned, kTurned, column)};
  return all_of(parts);
}

const Registration registration({
    .slug = "bidr",
    .title = "Progressively Optimized Bi-Granular Document Representation for Scalable Embedding "
             "Based Retrieval",
    .authors = "Xiao, Liu, Han et al.",
    .year = 2022,
    .source = "WWW 2022, arXiv 2201.05409",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"Codes learned from pairs find more answers among their first 100 than those of k-means "
          "and of OPQ, at equal bytes",
          "shown if R@100 of candidates minus that of either is above 0; refuted if one is below",
          [](const Results& results) { return codes_find_more(results, kFound100); }},
         {"And among their first 1000",
          "shown if R@1000 of candidates minus that of either is above 0; refuted if one is below",
          [](const Results& results) { return codes_find_more(results, kFound1000); }},
         {"Batches by snowballs are better than random ones with the same negatives",
          "shown if R@10 of what stage 2 verifies minus that of random batches is above 0; refuted "
          "if below",
          [](const Results& results) { return better(results, kSnowball, kDrawn, kFinal10); }},
         {"And so are those by random walks", "the same of random walks",
          [](const Results& results) { return better(results, kWalk, kDrawn, kFinal10); }},
         {"Both stages find more than one dense model with OPQ codes",
          "shown if R@10 of learned codes and stage 2 by snowballs minus that of OPQ codes that "
          "the "
          "dense model verifies is above 0; refuted if below",
          [](const Results& results) { return better(results, kSnowball, kTurned, kFinal10); }},
         {"One query vector for both tiers costs less than 0.01",
          "shown if its R@10 minus that of two is above -0.01; refuted if below",
          [](const Results& results) {
            return better(results, kUnified, kSnowball, kFinal10, -0.01);
          }},
         {"Codes that learn on the model's nearest negatives, not BM25's, make both stages worse",
          "shown if R@10 with BM25's negatives in stage 1 minus that with nearest ones is above 0, "
          "stage 2 by snowballs after either; refuted if below",
          [](const Results& results) { return better(results, kSnowball, kHard, kFinal10); }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

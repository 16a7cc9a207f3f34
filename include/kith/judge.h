// How good embeddings are at a task, by the protocols, metrics and names of MTEB (Muennighoff et
// al., 2023; Enevoldsen et al., "MMTEB", 2025). Part of libkith-encode.
//
//   const kith::Task task = kith::read_task("debian");
//   kith::ReadyVectors mine("mine", {{"corpus", "base.npy"}, {"queries", "queries.npy"}});
//   const kith::TaskResult result = kith::judge_task(task, mine);
//   std::puts(kith::mteb_json(result).c_str());
//
// The same seed gives the same result for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kith/control.h"
#include "kith/encoder.h"
#include "kith/fusion.h"
#include "kith/matrix.h"
#include "kith/significance.h"
#include "kith/suite.h"

namespace kith {

class TextEncoder;

// Texts in, vectors out: what is judged. An implementation need not be thread-safe.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual std::string name() const = 0;
  // One vector for each of the part's texts numbered in `which`, in that order; of the same length
  // for all parts of a task. The part's name says what the texts are for, so that a model can put
  // the right prompt before them. Protocols that sample ask for few of many texts.
  virtual Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                              const Control& control) = 0;
};

// The vectors of all of a part's texts. Throws what the embedder throws.
Matrix<float> embed_all(Embedder& embedder, const TextPart& part, const Control& control);

// Vectors that were made before, a file a part, in any format that read_vectors knows. Where a file
// has labels and the part has ids, rows are found by them; else row i belongs to text i.
class ReadyVectors : public Embedder {
 public:
  // Parts' names and their files.
  ReadyVectors(std::string name, std::map<std::string, std::string> files);
  // A folder that holds a file PART.EXTENSION for each part; called as the folder is, unless a name
  // is given. Throws not_found without the folder.
  static ReadyVectors in_folder(const std::string& folder, std::string name = {});

  std::string name() const override { return name_; }
  // Throws not_found for a part without a file, invalid_argument for another number of rows than
  // texts or an id without a row, each naming the file.
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  std::string name_;
  std::map<std::string, std::string> files_;
};

// A model folder. A query gets the model's prompt called "query", what queries are sought among the
// one called "document" or "passage", where the model has them (the names that
// sentence-transformers gives them); all else the model's default prompt. A text without a token
// that the model knows gets zeros.
class ModelVectors : public Embedder {
 public:
  // Throws as TextEncoder::open does.
  explicit ModelVectors(const std::string& folder, const ModelOptions& options = {});
  ~ModelVectors() override;

  std::string name() const override { return name_; }  // the folder's
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  std::string name_;
  std::unique_ptr<TextEncoder> model_;
};

struct JudgeOptions {
  std::uint64_t seed = 42;       // MTEB's
  std::size_t experiments = 10;  // of classification and clustering: MTEB's number
  std::size_t resamples = 1000;  // for the interval; 0: none
  double level = 0.95;
  // Documents that a retrieval returns, MTEB's number.
  std::size_t depth = 1000;
  Control control = {};
};

struct TaskResult {
  std::string task, type, language, system;
  std::string main_metric;  // of MTEB: "ndcg_at_10", "accuracy" ...
  double main_score = 0;
  std::vector<std::pair<std::string, double>> scores;  // by MTEB's names
  // What the main score is made of, for intervals and comparisons: `units` queries, texts, pairs or
  // experiments. `values`, where the main score is their mean, has one a unit; else it is empty.
  std::size_t units = 0;
  std::vector<double> values;
  Statistic statistic;
  Interval interval;  // of the main score
  double seconds = 0;
};

// Throws what the embedder throws; invalid_argument for vectors of different lengths or values
// that aren't finite; cancelled. The cosine of a zero vector with anything is 0; a
// retrieval neither finds it nor finds anything for it.
TaskResult judge_task(const Task& task, Embedder& embedder, const JudgeOptions& options = {});

// BM25 with kith's defaults (text_index.h), the yardstick of retrieval and reranking. Throws
// unsupported for other tasks.
bool has_bm25(const Task& task);
TaskResult judge_bm25(const Task& task, const JudgeOptions& options = {});

// judge_task's result and, of a retrieval, beside it that of the system's ranking fused with
// BM25's, to `options.depth` documents of each; called SYSTEM+BM25. Weights, where `fusion` has
// some, are the system's and BM25's. Throws what fuse throws, of any task, too.
std::vector<TaskResult> judge_hybrid(const Task& task, Embedder& embedder,
                                     const JudgeOptions& options = {},
                                     const FusionOptions& fusion = {});

// `a` less `b` on the same task: by permutation where both main scores are means, else by the
// bootstrap. Throws invalid_argument for results of different tasks.
PairedDifference compare(const TaskResult& a, const TaskResult& b,
                         const JudgeOptions& options = {});

// One JSON object in the form of MTEB's result files (TASK.json). NaN becomes null.
std::string mteb_json(const TaskResult& result);

}  // namespace kith

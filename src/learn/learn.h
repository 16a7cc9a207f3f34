// What the tool asks of libkith-learn, which it loads for verbs that learn: functions without
// LibTorch in sight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kith/control.h"

namespace kith::learn {

// Which of several processes that train together this is.
struct ProcessPlace {
  std::size_t rank = 0, count = 1;
  // How they meet: by a new file, on one machine, or else by the first one's address and port.
  std::string file = {}, address = {};
  std::uint16_t port = 0;
};

// Errors that hold this only say that another process is gone, whose own error tells why.
inline constexpr char kLostOthers[] = "lost the others";

struct TrainRequest {
  std::string recipe;                 // a TOML file
  std::vector<std::string> settings;  // "train.steps=100", which overrule it
  bool restart = false;               // forgets an interrupted run's checkpoint
  ProcessPlace place = {};
  Control control;
};

// One line of what a training measures, as its log holds it.
struct TrainLine {
  std::int64_t step = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0;
};
struct ValidationLine {
  std::int64_t step = 0;
  std::string metric;
  double score = 0;
};

struct TrainSummary {
  std::string output;
  std::int64_t steps = 0, first_step = 0;  // taken in all; where this run went on
  std::int64_t parameters = 0, trained = 0;
  std::int64_t candidates = 0;           // that a query is told apart from at a step
  double first_loss = 0, last_loss = 0;  // means over a twentieth of the steps
  std::vector<TrainLine> lines;
  std::vector<ValidationLine> validations;
  // The validation metric that decides which weights are kept; empty: nothing was held out.
  std::string metric;
  double best_score = 0;
  std::int64_t best_step = 0;
  double tokens_per_second = 0, cpu_seconds = 0;
};

// What trained codecs' folders hold, read without this library; and codewords, kCodebooksFile.
inline constexpr char kListsFile[] = "lists.kith", kBinariserFile[] = "binariser.kith";

struct MergeRequest {
  std::vector<std::string> models;  // folders
  std::string base;                 // the folder they were trained from; empty: unknown
  // "average", "arithmetic", "slerp" or "ties"; without a base an average alone.
  // "self-positioning", "atlas" and "fisher" look at data, too.
  std::string method = "average";
  std::string probe;            // a TOML file that says at which
  std::vector<double> weights;  // one a model; empty: 1 each. Not for ties and searches
  std::optional<double> scale;  // of what is added to the base; empty: 1
  std::optional<double> top;    // of ties: percent of values that stay; empty: 20
  bool rescale = false;         // of ties: to the mean length of the trimmed vectors
  std::string output;           // a new folder
  Control control;
};

struct MergeSummary {
  std::string output, base_hash;  // the hash is empty without a base
  std::int64_t tensors = 0, parameters = 0;
  // Of task vectors, or of the weights where there is no base. NaN with a vector of length 0.
  std::vector<double> norms;
  std::vector<std::vector<double>> angles;  // degrees
  // Of the vectors in the result; empty for ties and fisher, the means over tensors for atlas.
  std::vector<double> coefficients;
  double norm = 0;  // of what was added to the base, or of the result's weights
  double first_loss = 0, last_loss = 0;  // of a search: means over a tenth of its steps
};

struct Registry {
  TrainSummary (*train)(const TrainRequest& request) = nullptr;
  // Of a language model; without a recipe's file, of settings alone.
  TrainSummary (*pretrain)(const TrainRequest& request) = nullptr;
  // Of a relevance adapter.
  TrainSummary (*train_relevance)(const TrainRequest& request) = nullptr;
  // Of an inverted file's centres and codewords.
  TrainSummary (*train_codec)(const TrainRequest& request) = nullptr;
  MergeSummary (*merge)(const MergeRequest& request) = nullptr;
};

// The one entry of libkith-learn.so, which fills the registry.
using RegisterEntry = void (*)(Registry& registry);
inline constexpr char kRegisterEntry[] = "kith_learn_register";

}  // namespace kith::learn

#include "papers/common/data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "base/copy_rows.h"
#include "base/random.h"
#include "index/ties.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/suite.h"
#include "kith/vectors.h"

namespace kith::papers {
namespace {

struct DataSet {
  const char* name;
  const char* file;     // in the cache folder; it is written last
  const char* command;  // followed by the set's name
};

constexpr char kPeersData[] = "bench/data.sh build/release/kith-make-data .cache ";
constexpr char kKithData[] = "kith data --cache .cache ";
constexpr char kKithTrain[] = "kith data --cache .cache train ";
constexpr std::string_view kTrain = "train/";
constexpr std::array kDataSets = {
    DataSet{"words", "peers-data/words.query.fbin", kPeersData},
    DataSet{"debian-256", "peers-data/debian-256.query.fbin", kPeersData},
    DataSet{"debian-768", "peers-data/debian-768.query.fbin", kPeersData},
    DataSet{"bitext", "data/bitext/en-uk/task.json", kKithData},
    DataSet{"brown", "data/brown/clustering/task.json", kKithData},
    DataSet{"debian", "data/debian/pairs.jsonl", kKithData},
    DataSet{"debtags", "data/debtags/task.json", kKithData},
    DataSet{"definitions", "data/definitions/task.json", kKithData},
    DataSet{"depends", "data/depends/validation.jsonl", kKithData},
    DataSet{"foldoc", "data/foldoc/task.json", kKithData},
    DataSet{"manpages", "data/manpages/task.json", kKithData},
    DataSet{"reviews", "data/reviews/task.json", kKithData},
    DataSet{"senses", "data/senses/task.json", kKithData},
    DataSet{"sections", "data/sections/task.json", kKithData},
    DataSet{"similarity", "data/similarity/verbs/task.json", kKithData},
    DataSet{"spamassassin", "data/spamassassin/task.json", kKithData},
    DataSet{"tags", "data/tags/task.json", kKithData},
    DataSet{"wordnet", "data/wordnet/task.json", kKithData},
};

Vectors read_set(const std::string& path, const Control& control) {
  ReadOptions options;
  options.check_finite = false;  // whatever uses them checks
  options.control = control;
  return read_vectors(path, options);
}

void throw_if_missing(const std::string& name, const Trial& trial) {
  const std::string missing = missing_data(name, trial.cache);
  if (!missing.empty()) throw Error(ErrorCode::not_found, missing);
}

}  // namespace

std::string missing_data(const std::string& name, const std::string& cache) {
  if (name.starts_with(kTrain)) {
    const std::string path = cache + "/data/" + name + ".jsonl";
    return std::filesystem::exists(path)
               ? ""
               : path + ": not there; " + kKithTrain + name.substr(kTrain.size()) + " makes it";
  }
  const auto* set = std::find_if(kDataSets.begin(), kDataSets.end(),
                                 [&](const DataSet& each) { return each.name == name; });
  if (set == kDataSets.end()) {
    throw Error(ErrorCode::invalid_argument, "data set '" + name + "': expected one of data.cc's");
  }
  const std::string path = cache + "/" + set->file;
  if (std::filesystem::exists(path)) return "";
  return path + ": not there; " + set->command + name + " makes it";
}

std::string training_set(const std::string& name, const Trial& trial) {
  throw_if_missing("train/" + name, trial);
  return trial.cache + "/data/train/" + name + ".jsonl";
}

void normalise(Matrix<float>& rows) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    float* const row = rows.row(i);
    double squares = 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) squares += double{row[j]} * row[j];
    const double norm = std::sqrt(squares);
    if (norm == 0) {
      throw Error(ErrorCode::invalid_argument,
                  "row " + std::to_string(i) + " is zero, which no scale makes a unit vector");
    }
    for (std::size_t j = 0; j < rows.cols(); ++j) row[j] = static_cast<float>(row[j] / norm);
  }
}

Neighbours cosine_truth(const AnyMatrixView& base, const AnyMatrixView& queries, std::size_t k,
                        const Control& control) {
  ExactOptions options;
  options.k = k;
  options.metric = Metric::cosine;
  options.control = control;
  Neighbours truth = exact_search(base, queries, options);
  judge_by_similarity(truth, Metric::cosine);
  return truth;
}

std::unordered_map<std::string, std::string> debian_sections(const Trial& trial) {
  throw_if_missing("debian-768", trial);
  constexpr std::string_view kPackage = "Package: ", kSection = "Section: ";
  std::unordered_map<std::string, std::string> sections;
  for (const auto& entry : std::filesystem::directory_iterator(trial.cache + "/apt/lists")) {
    if (!entry.path().filename().string().ends_with("_Packages")) continue;
    std::ifstream file(entry.path());
    std::string package;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(kPackage)) package = line.substr(kPackage.size());
      if (line.starts_with(kSection)) sections[package] = line.substr(kSection.size());
    }
  }
  return sections;
}

Vectors load_base(const std::string& name, const Trial& trial) {
  throw_if_missing(name, trial);
  return read_set(trial.cache + "/peers-data/" + name + ".base.fbin", trial.control);
}

std::vector<Task> load_tasks(const std::string& name, const Trial& trial) {
  throw_if_missing(name, trial);
  return read_suite(trial.cache + "/data/" + name);
}

Sample load_sample(const std::string& name, std::size_t rows, std::size_t queries,
                   const Trial& trial) {
  constexpr std::size_t kTruth = 100;  // more than is counted, so that ties at the last place show
  throw_if_missing(name, trial);
  const std::string stem = trial.cache + "/peers-data/" + name;
  const Vectors base = read_set(stem + ".base.fbin", trial.control);
  const Vectors asked = read_set(stem + ".query.fbin", trial.control);
  const std::vector<std::uint32_t> chosen = random_sample(base.rows.rows(), rows, trial.seed);
  Sample sample;
  sample.base = copy_rows(base.rows, chosen);
  sample.labels = base.labels.select(chosen);
  sample.queries = copy_rows(asked.rows, random_sample(asked.rows.rows(), queries, trial.seed + 1));
  sample.truth = cosine_truth(sample.base, sample.queries, kTruth, trial.control);
  return sample;
}

}  // namespace kith::papers

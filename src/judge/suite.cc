#include "kith/suite.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "json/json.h"
#include "judge/readers.h"
#include "kith/error.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSamples = std::size_t{1} << 20;

std::string description_path(const std::string& folder) { return folder + "/task.json"; }

bool holds_task(const std::string& folder) {
  return judge::holds_beir(folder) || fs::exists(folder + "/test.jsonl");
}

// What task.json says.
void describe(const std::string& folder, Task& task) {
  if (!fs::exists(description_path(folder))) return;
  const Json json = Json::read(description_path(folder));
  task.name = json.text("name", task.name);
  if (task.name.empty() || task.name.find('/') != std::string::npos) {
    json.refuse("name", "a name without '/'");  // files are called by it
  }
  task.licence = json.text("licence", "");
  task.language = json.text("language", "");
  if (auto* own = std::get_if<ClassificationTask>(&task.content)) {
    own->samples_per_label =
        json.whole("samples_per_label", 1, kMostSamples, own->samples_per_label);
  }
  if (auto* own = std::get_if<MultilabelTask>(&task.content)) {
    own->samples_per_label =
        json.whole("samples_per_label", 1, kMostSamples, own->samples_per_label);
  }
  if (auto* own = std::get_if<ClusteringTask>(&task.content)) {
    own->max_documents = json.whole("max_documents", 0, kMostSamples, own->max_documents);
  }
}

}  // namespace

std::string_view task_type(const Task& task) {
  constexpr std::array<std::string_view, 8> kNames = {
      "Retrieval", "Reranking",          "Classification", "Clustering",
      "STS",       "PairClassification", "BitextMining",   "MultilabelClassification"};
  return kNames[task.content.index()];
}

std::vector<const TextPart*> text_parts(const Task& task) {
  struct Parts {
    std::vector<const TextPart*> operator()(const RetrievalTask& t) {
      return {&t.corpus, &t.queries};
    }
    std::vector<const TextPart*> operator()(const RerankingTask& t) {
      return {&t.documents, &t.queries};
    }
    std::vector<const TextPart*> operator()(const ClassificationTask& t) {
      return {&t.test, &t.train};
    }
    std::vector<const TextPart*> operator()(const MultilabelTask& t) { return {&t.test, &t.train}; }
    std::vector<const TextPart*> operator()(const ClusteringTask& t) { return {&t.texts}; }
    std::vector<const TextPart*> operator()(const StsTask& t) { return {&t.first, &t.second}; }
    std::vector<const TextPart*> operator()(const PairTask& t) { return {&t.first, &t.second}; }
    std::vector<const TextPart*> operator()(const BitextTask& t) { return {&t.first, &t.second}; }
  };
  return std::visit(Parts{}, task.content);
}

Task read_task(const std::string& folder) {
  if (!fs::is_directory(folder)) throw Error(ErrorCode::not_found, folder + ": no such folder");
  Task task;
  task.folder = folder;
  task.name = fs::canonical(folder).filename().string();
  if (judge::holds_beir(folder)) {
    task.content = judge::read_beir(folder);
  } else {
    task.content = judge::read_mteb_lines(folder);
  }
  describe(folder, task);
  return task;
}

std::vector<Task> read_suite(const std::string& folder) {
  if (!fs::is_directory(folder)) throw Error(ErrorCode::not_found, folder + ": no such folder");
  std::vector<Task> tasks;
  if (holds_task(folder)) {
    tasks.push_back(read_task(folder));
    return tasks;
  }
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && holds_task(entry.path().string())) {
      folders.push_back(entry.path().string());
    }
  }
  if (folders.empty()) {
    throw Error(ErrorCode::not_found,
                folder +
                    ": no task, expected corpus.jsonl, queries.jsonl and qrels/test.tsv, or "
                    "test.jsonl, here or in folders below");
  }
  std::sort(folders.begin(), folders.end());
  for (const std::string& each : folders) tasks.push_back(read_task(each));
  return tasks;
}

}  // namespace kith

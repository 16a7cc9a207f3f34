#include "papers/common/training_data.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/atomic_file.h"
#include "datasets/held_out.h"
#include "papers/common/data.h"

namespace kith::papers {
namespace {

using nlohmann::json;

void for_each_line(const std::string& path, const std::function<void(const json&)>& use) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) use(json::parse(line));
}

class LinesFile {
 public:
  explicit LinesFile(const std::string& path) : file_(with_folder(path)) {}
  void add(const json& object) {
    file_.write(object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  }
  void commit() { file_.commit(); }

 private:
  static const std::string& with_folder(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    return path;
  }

  AtomicFile file_;
};

}  // namespace

std::vector<TrainingPair> read_pairs(const std::string& set, const std::string& source,
                                     const Trial& trial) {
  std::vector<TrainingPair> pairs;
  for_each_line(training_set(set, trial), [&](const json& line) {
    if (line.at("source") != source) return;
    pairs.push_back({line.at("query"), line.at("positive"), line.value("group", ""),
                     line.value("negatives", std::vector<std::string>()), line.value("score", 1.0),
                     line.value("thought", "")});
  });
  return pairs;
}

std::vector<std::string> read_training_texts(const std::string& set, const std::string& source,
                                             const Trial& trial) {
  std::vector<std::string> texts;
  for_each_line(training_set(set, trial), [&](const json& line) {
    if (line.at("source") == source) texts.push_back(line.at("text"));
  });
  return texts;
}

std::unordered_set<std::uint64_t> trained_texts(const std::string& set, const Trial& trial) {
  std::unordered_set<std::uint64_t> prints;
  for_each_line(training_set(set, trial), [&](const json& line) {
    for (const char* side : {"query", "positive"}) {
      prints.insert(datasets::fingerprint(line.at(side).get_ref<const std::string&>()));
    }
  });
  return prints;
}

std::vector<TrainingPair> read_tagged_pairs(const std::string& path) {
  std::vector<TrainingPair> pairs;
  for_each_line(path, [&](const json& line) {
    TrainingPair& pair = pairs.emplace_back();
    pair.query = line.at("query");
    pair.positive = line.at("positive");
    pair.query_tags = line.at("query_tags");
    pair.tags = line.at("tags");
  });
  return pairs;
}

void write_pairs(const std::string& path, const std::vector<TrainingPair>& pairs) {
  LinesFile file(path);
  for (const TrainingPair& pair : pairs) {
    json line = {{"query", pair.query}, {"positive", pair.positive}, {"negatives", pair.negatives}};
    if (pair.score != 1) line["score"] = pair.score;
    if (!pair.thought.empty()) line["thought"] = pair.thought;
    if (!pair.query_tags.empty()) line["query_tags"] = pair.query_tags;
    if (!pair.tags.empty()) line["tags"] = pair.tags;
    file.add(line);
  }
  file.commit();
}

void write_training_texts(const std::string& path, const std::vector<std::string>& texts) {
  LinesFile file(path);
  for (const std::string& text : texts) file.add({{"text", text}});
  file.commit();
}

}  // namespace kith::papers

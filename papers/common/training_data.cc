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
  LinesFile(const std::string& name, const Trial& trial)
      : path_(in_new_folder(trial.cache + "/models/data", name)), file_(path_) {}
  void add(const json& object) {
    file_.write(object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  }
  std::string commit() {
    file_.commit();
    return path_;
  }

 private:
  static std::string in_new_folder(const std::string& folder, const std::string& name) {
    std::filesystem::create_directories(folder);
    return folder + "/" + name + ".jsonl";
  }

  std::string path_;
  AtomicFile file_;
};

}  // namespace

std::vector<TrainingPair> read_pairs(const std::string& set, const std::string& source,
                                     const Trial& trial) {
  std::vector<TrainingPair> pairs;
  for_each_line(training_set(set, trial), [&](const json& line) {
    if (line.at("source") != source) return;
    pairs.push_back({line.at("query"), line.at("positive"), line.value("group", ""),
                     line.value("negatives", std::vector<std::string>())});
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

std::string write_pairs(const std::string& name, const std::vector<TrainingPair>& pairs,
                        const Trial& trial) {
  LinesFile file(name, trial);
  for (const TrainingPair& pair : pairs) {
    file.add({{"query", pair.query}, {"positive", pair.positive}, {"negatives", pair.negatives}});
  }
  return file.commit();
}

std::string write_training_texts(const std::string& name, const std::vector<std::string>& texts,
                                 const Trial& trial) {
  LinesFile file(name, trial);
  for (const std::string& text : texts) file.add({{"text", text}});
  return file.commit();
}

}  // namespace kith::papers

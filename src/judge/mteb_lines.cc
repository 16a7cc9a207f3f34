// The JSON lines of MTEB's data sets (Muennighoff et al., "MTEB: Massive Text Embedding Benchmark",
// 2023).
#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "judge/readers.h"
#include "kith/error.h"

namespace kith::judge {
namespace {

TextPart named(const char* name) {
  TextPart part;
  part.name = name;
  return part;
}

// Labels as numbers, in the order in which they are first named.
class LabelNumbers {
 public:
  explicit LabelNumbers(std::vector<std::string>& names) : names_(names) {}
  Label operator()(const std::string& name) {
    const auto [at, fresh] = numbers_.emplace(name, static_cast<Label>(names_.size()));
    if (fresh) names_.push_back(name);
    return at->second;
  }
  bool knows(const std::string& name) const { return numbers_.count(name) != 0; }

 private:
  std::vector<std::string>& names_;
  std::unordered_map<std::string, Label> numbers_;
};

void check_kinds(const std::string& path, const std::vector<std::string>& labels) {
  if (labels.size() > 1) return;
  throw Error(ErrorCode::corrupt, path + ": " + std::to_string(labels.size()) +
                                      " label, expected two different ones at least");
}

RerankingTask read_reranking(const std::string& path) {
  RerankingTask task;
  task.queries = named("queries");
  task.documents = named("documents");
  std::unordered_map<std::string, std::uint32_t> places;
  const auto place = [&](std::string text) {
    const auto next = static_cast<std::uint32_t>(task.documents.texts.size());
    const auto [at, fresh] = places.emplace(text, next);
    if (fresh) task.documents.texts.push_back(std::move(text));
    return at->second;
  };
  for_each_json_line(path, [&](const JsonLine& line) {
    const std::vector<std::string> good = line.texts("positive"), bad = line.texts("negative");
    // As in MTEB: where all candidates are alike there is nothing to rank.
    if (good.empty() || bad.empty()) return;
    task.queries.texts.push_back(line.text("query"));
    std::vector<JudgedDocument>& list = task.candidates.emplace_back();
    for (const std::string& text : good) list.push_back({place(text), 1});
    for (const std::string& text : bad) list.push_back({place(text), 0});
  });
  if (task.candidates.empty()) {
    throw Error(ErrorCode::corrupt,
                path + ": no query has both a positive and a negative text to rank");
  }
  return task;
}

ClassificationTask read_classification(const std::string& folder) {
  ClassificationTask task;
  task.train = named("train");
  task.test = named("test");
  LabelNumbers numbers(task.labels);
  const std::string train = folder + "/train.jsonl", test = folder + "/test.jsonl";
  for_each_json_line(train, [&](const JsonLine& line) {
    task.train.texts.push_back(line.text("text"));
    task.train_labels.push_back(numbers(line.id("label")));
  });
  check_kinds(train, task.labels);
  for_each_json_line(test, [&](const JsonLine& line) {
    task.test.texts.push_back(line.text("text"));
    const std::string label = line.id("label");
    if (!numbers.knows(label)) {
      line.refuse("label '" + label + "' is not in train.jsonl, so nothing can learn it");
    }
    task.test_labels.push_back(numbers(label));
  });
  return task;
}

// Numbers of a line's labels, ascending, each once.
std::vector<Label> label_set(const JsonLine& line, LabelNumbers& numbers) {
  std::vector<Label> labels;
  for (const std::string& name : line.ids("label")) labels.push_back(numbers(name));
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

MultilabelTask read_multilabel(const std::string& folder) {
  MultilabelTask task;
  task.train = named("train");
  task.test = named("test");
  LabelNumbers numbers(task.labels);
  const std::string train = folder + "/train.jsonl";
  for_each_json_line(train, [&](const JsonLine& line) {
    task.train.texts.push_back(line.text("text"));
    task.train_labels.push_back(label_set(line, numbers));
  });
  check_kinds(train, task.labels);
  for_each_json_line(folder + "/test.jsonl", [&](const JsonLine& line) {
    task.test.texts.push_back(line.text("text"));
    for (const std::string& name : line.ids("label")) {
      if (!numbers.knows(name)) {
        line.refuse("label '" + name + "' is not in train.jsonl, so nothing can learn it");
      }
    }
    task.test_labels.push_back(label_set(line, numbers));
  });
  return task;
}

// Texts and labels of a line with lists.
void add_set(const JsonLine& line, LabelNumbers& numbers, ClusteringTask& task) {
  const std::vector<std::string> texts = line.texts("sentences"), labels = line.ids("labels");
  if (texts.size() != labels.size()) {
    line.refuse(std::to_string(texts.size()) + " sentences, but " + std::to_string(labels.size()) +
                " labels");
  }
  const std::size_t first = task.texts.texts.size();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    task.texts.texts.push_back(texts[i]);
    task.truth.push_back(numbers(labels[i]));
  }
  task.sets.emplace_back(first, task.texts.texts.size());
}

ClusteringTask read_clustering(const std::string& path) {
  ClusteringTask task;
  task.texts = named("texts");
  LabelNumbers numbers(task.labels);
  bool lists = false;
  for_each_json_line(path, [&](const JsonLine& line) {
    if (task.texts.texts.empty()) lists = line.is_list("sentences");
    if (lists) return add_set(line, numbers, task);
    task.texts.texts.push_back(line.text("sentences"));
    task.truth.push_back(numbers(line.id("labels")));
  });
  check_kinds(path, task.labels);
  return task;
}

StsTask read_sts(const std::string& path, const std::string& first, const std::string& second) {
  StsTask task;
  task.first = named("sentence1");
  task.second = named("sentence2");
  for_each_json_line(path, [&](const JsonLine& line) {
    task.first.texts.push_back(line.text(first));
    task.second.texts.push_back(line.text(second));
    task.scores.push_back(line.number("score"));
  });
  return task;
}

std::uint8_t zero_or_one(const JsonLine& line, const std::string& label) {
  if (label != "0" && label != "1") line.refuse("label '" + label + "', expected 0 or 1");
  return label == "1" ? 1 : 0;
}

PairTask read_pairs(const std::string& path, const std::string& first, const std::string& second,
                    const std::string& label) {
  PairTask task;
  task.first = named("sentence1");
  task.second = named("sentence2");
  for_each_json_line(path, [&](const JsonLine& line) {
    const bool lists = line.is_list(first);
    const std::vector<std::string> a = lists ? line.texts(first) : std::vector{line.text(first)};
    const std::vector<std::string> b = lists ? line.texts(second) : std::vector{line.text(second)};
    const std::vector<std::string> labels = lists ? line.ids(label) : std::vector{line.id(label)};
    if (a.size() != b.size() || a.size() != labels.size()) {
      line.refuse(std::to_string(a.size()) + ", " + std::to_string(b.size()) + " and " +
                  std::to_string(labels.size()) + " entries, expected as many of each");
    }
    task.first.texts.insert(task.first.texts.end(), a.begin(), a.end());
    task.second.texts.insert(task.second.texts.end(), b.begin(), b.end());
    for (const std::string& each : labels) task.positive.push_back(zero_or_one(line, each));
  });
  if (std::count(task.positive.begin(), task.positive.end(), 1) == 0) {
    throw Error(ErrorCode::corrupt, path + ": no pair is positive");
  }
  return task;
}

BitextTask read_bitext(const std::string& path, const std::string& first,
                       const std::string& second) {
  BitextTask task;
  task.first = named("sentence1");
  task.second = named("sentence2");
  for_each_json_line(path, [&](const JsonLine& line) {
    const std::size_t own = task.first.texts.size();
    task.first.texts.push_back(line.text(first));
    task.second.texts.push_back(line.text(second));
    const double gold = line.has("gold") ? line.number("gold") : static_cast<double>(own);
    if (!(gold >= 0 && gold < 0x1p32) || gold != static_cast<std::uint32_t>(gold)) {
      line.refuse("\"gold\" is not the number of a line, from 0");
    }
    task.gold.push_back(static_cast<std::uint32_t>(gold));
  });
  for (const std::uint32_t gold : task.gold) {
    if (gold >= task.second.texts.size()) {
      throw Error(ErrorCode::corrupt, path + ": \"gold\" " + std::to_string(gold) + ", but only " +
                                          std::to_string(task.second.texts.size()) + " lines");
    }
  }
  return task;
}

}  // namespace

decltype(Task::content) read_mteb_lines(const std::string& folder) {
  const std::string path = folder + "/test.jsonl";
  const JsonLine line = first_json_line(path);
  if (line.has("query") && line.has("positive")) return read_reranking(path);
  if (line.has("sentences") && line.has("labels")) return read_clustering(path);
  if (line.has("text") && line.has("label")) {
    if (line.is_list("label")) return read_multilabel(folder);
    return read_classification(folder);
  }
  const std::string first = line.first_of({"sentence1", "sent1"});
  const std::string second = line.first_of({"sentence2", "sent2"});
  if (first.empty() || second.empty()) {
    line.refuse(
        "its fields are of no known task, expected query and positive, sentences and labels, text "
        "and label, or sentence1 and sentence2");
  }
  if (line.has("score")) return read_sts(path, first, second);
  const std::string label = line.first_of({"label", "labels"});
  if (!label.empty()) return read_pairs(path, first, second, label);
  return read_bitext(path, first, second);
}

}  // namespace kith::judge

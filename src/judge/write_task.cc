#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "kith/error.h"
#include "kith/suite.h"

namespace kith {
namespace {

using Json = nlohmann::ordered_json;

class Lines {
 public:
  explicit Lines(const std::string& path) : file_(path) {}
  void add(const Json& object) {
    file_.write(object.dump(-1, ' ', false, Json::error_handler_t::replace));
    file_.write("\n");
  }
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
};

std::string id_of(const TextPart& part, std::size_t i) {
  return part.ids.empty() ? std::to_string(i) : part.ids[i];
}

void write_texts(const TextPart& part, const std::string& path) {
  Lines lines(path);
  for (std::size_t i = 0; i < part.texts.size(); ++i) {
    lines.add({{"_id", id_of(part, i)}, {"text", part.texts[i]}});
  }
  lines.commit();
}

class Writer {
 public:
  Writer(std::string folder, Json& description)
      : folder_(std::move(folder)), description_(description) {}

  void operator()(const RetrievalTask& task) {
    write_texts(task.corpus, folder_ + "/corpus.jsonl");
    write_texts(task.queries, folder_ + "/queries.jsonl");
    std::filesystem::create_directories(folder_ + "/qrels");
    AtomicFile qrels(folder_ + "/qrels/test.tsv");
    qrels.write("query-id\tcorpus-id\tscore\n");
    for (std::size_t q = 0; q < task.judgements.size(); ++q) {
      for (const JudgedDocument& each : task.judgements[q]) {
        qrels.write(id_of(task.queries, q) + "\t" + id_of(task.corpus, each.document) + "\t" +
                    std::to_string(each.grade) + "\n");
      }
    }
    qrels.commit();
  }

  void operator()(const RerankingTask& task) {
    Lines lines(test());
    for (std::size_t q = 0; q < task.candidates.size(); ++q) {
      Json good = Json::array(), bad = Json::array();
      for (const JudgedDocument& each : task.candidates[q]) {
        (each.grade > 0 ? good : bad).push_back(task.documents.texts[each.document]);
      }
      lines.add({{"query", task.queries.texts[q]}, {"positive", good}, {"negative", bad}});
    }
    lines.commit();
  }

  void operator()(const ClassificationTask& task) {
    description_["samples_per_label"] = task.samples_per_label;
    write_labelled(task.train, task.train_labels, task.labels, folder_ + "/train.jsonl");
    write_labelled(task.test, task.test_labels, task.labels, test());
  }

  void operator()(const MultilabelTask& task) {
    description_["samples_per_label"] = task.samples_per_label;
    write_label_sets(task.train, task.train_labels, task.labels, folder_ + "/train.jsonl");
    write_label_sets(task.test, task.test_labels, task.labels, test());
  }

  void operator()(const ClusteringTask& task) {
    description_["max_documents"] = task.max_documents;
    Lines lines(test());
    const auto label = [&](std::size_t i) { return task.labels[task.truth[i]]; };
    for (const auto& [begin, end] : task.sets) {
      Json texts = Json::array(), labels = Json::array();
      for (std::size_t i = begin; i < end; ++i) {
        texts.push_back(task.texts.texts[i]);
        labels.push_back(label(i));
      }
      lines.add({{"sentences", texts}, {"labels", labels}});
    }
    for (std::size_t i = 0; task.sets.empty() && i < task.texts.texts.size(); ++i) {
      lines.add({{"sentences", task.texts.texts[i]}, {"labels", label(i)}});
    }
    lines.commit();
  }

  void operator()(const StsTask& task) {
    write_pairs(task.first, task.second, "score", task.scores);
  }
  void operator()(const PairTask& task) {
    write_pairs(task.first, task.second, "label", task.positive);
  }
  void operator()(const BitextTask& task) {
    write_pairs(task.first, task.second, "gold", task.gold);
  }

 private:
  std::string test() const { return folder_ + "/test.jsonl"; }

  static void write_labelled(const TextPart& part, const std::vector<Label>& labels,
                             const std::vector<std::string>& names, const std::string& path) {
    Lines lines(path);
    for (std::size_t i = 0; i < part.texts.size(); ++i) {
      lines.add({{"text", part.texts[i]}, {"label", names[labels[i]]}});
    }
    lines.commit();
  }

  static void write_label_sets(const TextPart& part, const std::vector<std::vector<Label>>& labels,
                               const std::vector<std::string>& names, const std::string& path) {
    Lines lines(path);
    for (std::size_t i = 0; i < part.texts.size(); ++i) {
      Json own = Json::array();
      for (const Label label : labels[i]) own.push_back(names[label]);
      lines.add({{"text", part.texts[i]}, {"label", own}});
    }
    lines.commit();
  }

  template <class Value>
  void write_pairs(const TextPart& first, const TextPart& second, const char* key,
                   const std::vector<Value>& values) {
    Lines lines(test());
    for (std::size_t i = 0; i < first.texts.size(); ++i) {
      lines.add({{"sentence1", first.texts[i]}, {"sentence2", second.texts[i]}, {key, values[i]}});
    }
    lines.commit();
  }

  std::string folder_;
  Json& description_;
};

}  // namespace

void write_task(const Task& task, const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw Error(ErrorCode::io, folder + ": " + failed.message());
  Json description = {{"name", task.name}, {"type", task_type(task)}};
  if (!task.language.empty()) description["language"] = task.language;
  if (!task.licence.empty()) description["licence"] = task.licence;
  std::visit(Writer(folder, description), task.content);
  AtomicFile file(folder + "/task.json");
  file.write(description.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  file.commit();
}

}  // namespace kith

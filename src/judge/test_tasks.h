// What the tests of tasks share: a folder that goes away, made-up tasks, and an embedder of words.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "base/random.h"
#include "base/test_path.h"
#include "kith/error.h"
#include "kith/judge.h"

namespace kith::judge {

class TaskTest : public testing::Test {
 protected:
  TaskTest() { std::filesystem::create_directories(folder_); }
  ~TaskTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  // The message of the kith::Error that reading the folder throws.
  std::string error_of_reading() const {
    try {
      read_task(folder_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const std::string folder_ = test_path("task");
};

// A text's vector is the sum of its words' random ones: texts that share words lie near.
class WordEmbedder : public Embedder {
 public:
  explicit WordEmbedder(std::size_t dim = 16) : dim_(dim) {}
  std::string name() const override { return "words"; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control&) override {
    asked += which.size();
    Matrix<float> rows(which.size(), dim_);
    for (std::size_t i = 0; i < which.size(); ++i) {
      std::string_view text = part.texts[which[i]];
      while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        Random random(checksum(std::as_bytes(std::span(text.data(), end))));
        for (std::size_t j = 0; j < dim_; ++j) rows(i, j) += static_cast<float>(random.normal());
        text.remove_prefix(std::min(end + 1, text.size()));
      }
    }
    return rows;
  }
  std::size_t asked = 0;  // texts

 private:
  std::size_t dim_;
};

inline TextPart part(const std::string& name, std::vector<std::string> texts,
                     std::vector<std::string> ids = {}) {
  TextPart result;
  result.name = name;
  result.texts = std::move(texts);
  result.ids = std::move(ids);
  return result;
}

inline Task task_with(decltype(Task::content) content, const std::string& name = "made-up") {
  Task task;
  task.name = name;
  task.content = std::move(content);
  return task;
}

inline Task small_retrieval() {
  RetrievalTask task;
  task.corpus = part("corpus",
                     {"red apples and pears", "blue sky over the sea", "green fields and hills",
                      "a sea of sand", "pears"},
                     {"d1", "d2", "d3", "d4", "d5"});
  task.queries = part("queries", {"apples pears", "sky sea"}, {"q1", "q2"});
  task.judgements = {{{0, 2}, {4, 1}}, {{1, 1}}};
  return task_with(std::move(task));
}

}  // namespace kith::judge

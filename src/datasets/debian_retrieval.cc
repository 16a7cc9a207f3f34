// Short description -> long description.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "base/atomic_file.h"
#include "base/random.h"
#include "datasets/catalogue.h"
#include "datasets/debian_texts.h"
#include "datasets/split.h"

namespace kith::datasets {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kQueries = 5000;

// The long descriptions, equal ones once, and where each text's lies.
struct Corpus {
  TextPart part;
  std::vector<std::uint32_t> place_of;  // of each text; kNone without a long description
};
constexpr std::uint32_t kNone = 0xffffffffu;

Corpus corpus_of(const std::vector<DebianText>& texts) {
  Corpus corpus;
  corpus.part.name = "corpus";
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (const DebianText& text : texts) {
    if (text.text.empty()) {
      corpus.place_of.push_back(kNone);
      continue;
    }
    const auto next = static_cast<std::uint32_t>(places.size());
    const auto [at, fresh] = places.emplace(text.text, next);
    corpus.place_of.push_back(at->second);
    if (!fresh) continue;
    corpus.part.ids.push_back(text.id);
    corpus.part.texts.push_back(text.text);
  }
  return corpus;
}

bool tested(const DebianText& text, std::uint64_t seed) {
  return in_test(text.source, kDebianQueryShare, seed);
}

Json description_json(const DebianText& text) {
  return {{"_id", text.id},           {"title", text.summary}, {"text", text.text},
          {"section", text.section},  {"source", text.source}, {"tags", text.tags},
          {"packages", text.packages}};
}

class Lines {
 public:
  explicit Lines(const std::string& path) : file_(path) {}
  void add(const Json& object) {
    file_.write(object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
};

}  // namespace

std::vector<Task> make_debian(Packages& packages, std::uint64_t seed) {
  const std::vector<DebianText> texts = debian_texts(packages);
  Corpus corpus = corpus_of(texts);
  // A short description that several packages have asks for all of their long ones.
  std::unordered_map<std::string_view, std::uint32_t> places;
  std::vector<const DebianText*> first;
  std::vector<std::vector<JudgedDocument>> judgements;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (corpus.place_of[i] == kNone || texts[i].summary.empty()) continue;
    const auto next = static_cast<std::uint32_t>(first.size());
    const auto [at, fresh] = places.emplace(texts[i].summary, next);
    if (fresh) {
      first.push_back(&texts[i]);
      judgements.emplace_back();
    }
    std::vector<JudgedDocument>& list = judgements[at->second];
    const auto same = [&](const JudgedDocument& each) {
      return each.document == corpus.place_of[i];
    };
    if (std::none_of(list.begin(), list.end(), same)) list.push_back({corpus.place_of[i], 1});
  }
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t q = 0; q < first.size(); ++q) {
    if (tested(*first[q], seed)) candidates.push_back(q);
  }
  RetrievalTask task;
  task.queries.name = "queries";
  for (const std::uint32_t c : random_sample(candidates.size(), kQueries, seed)) {
    const std::uint32_t q = candidates[c];
    task.queries.ids.push_back("short:" + first[q]->id);
    task.queries.texts.push_back(first[q]->summary);
    task.judgements.push_back(std::move(judgements[q]));
  }
  task.corpus = std::move(corpus.part);
  std::vector<Task> tasks(1);
  tasks.front().content = std::move(task);
  return tasks;
}

// packages.jsonl: all descriptions; pairs.jsonl: short and long ones to train on, of other sources
// than the queries'.
void add_debian_files(Packages& packages, std::uint64_t seed, const std::string& folder) {
  const std::vector<DebianText> texts = debian_texts(packages);
  Lines all(folder + "/packages.jsonl"), pairs(folder + "/pairs.jsonl");
  std::unordered_set<std::string_view> tested_texts;
  for (const DebianText& text : texts) {
    if (!tested(text, seed)) continue;
    tested_texts.insert(text.summary);
    tested_texts.insert(text.text);
  }
  // A tested short description asks for the long ones of other sources that share it, too.
  std::vector<std::string_view> sought;
  for (const DebianText& text : texts) {
    if (tested_texts.count(text.summary) != 0) sought.push_back(text.text);
  }
  tested_texts.insert(sought.begin(), sought.end());
  for (const DebianText& text : texts) {
    all.add(description_json(text));
    const bool seen = tested_texts.count(text.summary) != 0 || tested_texts.count(text.text) != 0;
    if (text.text.empty() || tested(text, seed) || seen) continue;
    pairs.add({{"query", text.summary}, {"positive", text.text}, {"source", text.source}});
  }
  all.commit();
  pairs.commit();
}

}  // namespace kith::datasets

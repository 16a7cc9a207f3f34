#include "cli/answer_reasons.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "cli/format.h"
#include "kith/error.h"
#include "kith/explanation.h"
#include "text/analyser.h"

namespace kith::cli {
namespace {

using nlohmann::ordered_json;
using store::Answer;
using store::Answers;
using store::AskBy;

// The question's distinct words as they stand there, and how often.
std::vector<std::pair<std::string, std::size_t>> words_of(const std::string& question) {
  std::vector<std::pair<std::string, std::size_t>> words;
  text::Analyser(AnalyserOptions()).terms(question, [&](std::string_view term) {
    const auto found =
        std::ranges::find_if(words, [&](const auto& each) { return each.first == term; });
    if (found != words.end()) {
      ++found->second;
    } else {
      words.emplace_back(term, 1);
    }
  });
  return words;
}

std::vector<Reason> named(const std::vector<Contribution>& all,
                          const std::vector<std::string>& names) {
  std::vector<Reason> reasons;
  for (const Contribution& each : all) {
    reasons.push_back({names[each.dimension], each.value, each.share});
  }
  return reasons;
}

std::string list_text(const std::vector<Reason>& reasons) {
  constexpr double kPercent = 100;
  std::string text;
  for (const Reason& each : reasons) {
    text += (text.empty() ? "" : ", ") + printable(each.name) + " " +
            fixed_text(kPercent * each.share, 0) + " %";
  }
  return text.empty() ? "none" : text;
}

ordered_json list_json(const std::vector<Reason>& reasons, const char* name) {
  ordered_json list = ordered_json::array();
  for (const Reason& each : reasons) {
    list.push_back({{name, each.name}, {"contribution", each.contribution}, {"share", each.share}});
  }
  return list;
}

}  // namespace

AnswerReasons::AnswerReasons(const store::Collection& collection, const TextEncoder* model,
                             AskBy by, const Control& control)
    : collection_(collection), model_(model), by_words_(by != AskBy::vectors), control_(control) {
  if (model == nullptr) return;
  if (model->concepts().empty() && !by_words_) {
    throw Error(ErrorCode::unsupported,
                "--explain: the dimensions of " + collection.folder() +
                    "'s model have no names; expected a model trained with [model.concepts], or "
                    "--bm25 or --hybrid for what words add");
  }
  const Json& manifest = collection.items().manifest();
  encoding_ = collection.question_encoding(*model, std::nullopt);
  encoding_.prompt.reset();
  if (manifest.has("prompt")) encoding_.prompt = manifest.text("prompt");
  encoding_.control = control;
}

std::vector<Reasons> AnswerReasons::of(const std::string& question, const float* vector,
                                       const Answers& answers) const {
  std::vector<Reasons> all(answers.size());
  if (answers.empty()) return all;
  if (by_concepts()) add_concepts(vector, answers, all);
  if (by_words_) add_words(question, answers, all);
  return all;
}

void AnswerReasons::add_concepts(const float* vector, const Answers& answers,
                                 std::vector<Reasons>& all) const {
  std::vector<std::string> texts;
  for (const Answer& answer : answers) {
    const std::string whole = collection_.text(answer.item);
    const bool cut = collection_.items().has_passages();
    texts.push_back(cut ? std::string(collection_.items().passage(answer.row, whole)) : whole);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const Matrix<float> vectors = model_->encode(views, encoding_).vectors;
  const std::size_t dim = vectors.cols();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Explanation why = explain({vector, dim}, {vectors.row(i), dim}, kMostReasons);
    all[i].inner_product = why.inner_product;
    all[i].concepts = named(why.shared, model_->concepts());
    all[i].missing = named(why.missing, model_->concepts());
  }
}

// A score is the sum of its words', each of which is found by searching for the word alone.
void AnswerReasons::add_words(const std::string& question, const Answers& answers,
                              std::vector<Reasons>& all) const {
  const TextIndex& texts = collection_.texts();
  std::map<Id, std::size_t> place_of;  // by row
  for (std::size_t i = 0; i < answers.size(); ++i) place_of.emplace(answers[i].row, i);
  for (Reasons& each : all) each.words.emplace();
  SparseSearchOptions search;
  search.exhaustive = true;  // all that hold the word are wanted
  search.control = control_;
  std::vector<double> sums(answers.size());
  for (const auto& [word, count] : words_of(question)) {
    const std::string_view alone[] = {word};
    const Neighbours found = texts.search(alone, texts.size(), search);
    for (std::size_t i = 0; i < found.k() && found.ids(0, i) != kNoId; ++i) {
      const auto place = place_of.find(found.ids(0, i));
      if (place == place_of.end()) continue;
      const double score = -static_cast<double>(count) * double{found.distances(0, i)};
      all[place->second].words->push_back({word, score, 0});
      sums[place->second] += score;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<Reason>& words = *all[i].words;
    std::ranges::stable_sort(
        words, [](const Reason& a, const Reason& b) { return a.contribution > b.contribution; });
    words.resize(std::min(words.size(), kMostReasons));
    for (Reason& each : words) each.share = each.contribution / sums[i];
  }
}

std::vector<std::string> reason_lines(const Reasons& reasons) {
  std::vector<std::string> lines;
  if (reasons.concepts) lines.push_back("shares: " + list_text(*reasons.concepts));
  if (reasons.missing) lines.push_back("lacks:  " + list_text(*reasons.missing));
  if (reasons.words) lines.push_back("words:  " + list_text(*reasons.words));
  return lines;
}

ordered_json reasons_json(const Reasons& reasons) {
  ordered_json json = ordered_json::object();
  if (reasons.concepts) {
    json["note"] = kReasonsNote;
    json["inner_product"] = reasons.inner_product;
    json["concepts"] = list_json(*reasons.concepts, "concept");
    json["missing"] = list_json(*reasons.missing, "concept");
  }
  if (reasons.words) json["words"] = list_json(*reasons.words, "word");
  return json;
}

}  // namespace kith::cli

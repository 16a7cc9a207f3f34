#include "datasets/split.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/checksum.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

// Those with a text, of equal ones the first.
template <class Text>
std::vector<const Text*> distinct(const std::vector<Text>& texts) {
  std::unordered_set<std::string_view> seen;
  std::vector<const Text*> kept;
  for (const Text& each : texts) {
    if (!each.text.empty() && seen.insert(each.text).second) kept.push_back(&each);
  }
  return kept;
}

// Which labels are common enough to be learned and tested.
class LabelChoice {
 public:
  void count(const std::string& label, bool test) {
    if (test) {
      tested_.insert(label);
    } else {
      ++in_training_[label];
    }
  }

  // Numbers by the labels' order; their names are added to `names`.
  std::map<std::string, Label> numbers(std::size_t least, std::vector<std::string>& names) const {
    std::map<std::string, Label> numbers;
    for (const auto& [label, count] : in_training_) {
      if (count < least || tested_.count(label) == 0) continue;
      numbers.emplace(label, static_cast<Label>(names.size()));
      names.push_back(label);
    }
    if (names.size() < 2) {
      throw Error(ErrorCode::corrupt,
                  "too few texts for a classification: " + std::to_string(in_training_.size()) +
                      " labels, " + std::to_string(names.size()) + " of which have " +
                      std::to_string(least) + " texts");
    }
    return numbers;
  }

 private:
  std::map<std::string, std::size_t> in_training_;
  std::set<std::string> tested_;
};

}  // namespace

bool in_test(std::string_view group, double share, std::uint64_t seed) {
  const std::uint64_t hash = checksum(std::as_bytes(std::span(group.data(), group.size())));
  return Random(seed, hash).uniform() < share;
}

std::string squeeze(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  std::string all;
  for (std::size_t at = text.find_first_not_of(kSpace); at < text.size();
       at = text.find_first_not_of(kSpace, at)) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    if (!all.empty()) all += ' ';
    all.append(text.substr(at, end - at));
    at = end;
  }
  return all;
}

ClassificationTask classification(const std::vector<LabelledText>& texts, double test_share,
                                  std::size_t least, std::uint64_t seed) {
  ClassificationTask task;
  task.train.name = "train";
  task.test.name = "test";
  const std::vector<const LabelledText*> kept = distinct(texts);
  LabelChoice choice;
  for (const LabelledText* each : kept) {
    choice.count(each->label, in_test(each->group, test_share, seed));
  }
  const auto numbers = choice.numbers(least, task.labels);
  for (const LabelledText* each : kept) {
    const auto number = numbers.find(each->label);
    if (number == numbers.end()) continue;
    const bool test = in_test(each->group, test_share, seed);
    (test ? task.test : task.train).texts.push_back(each->text);
    (test ? task.test_labels : task.train_labels).push_back(number->second);
  }
  return task;
}

MultilabelTask multilabel(const std::vector<TaggedText>& texts, double test_share,
                          std::size_t least, std::uint64_t seed) {
  MultilabelTask task;
  task.train.name = "train";
  task.test.name = "test";
  const std::vector<const TaggedText*> kept = distinct(texts);
  LabelChoice choice;
  for (const TaggedText* each : kept) {
    const bool test = in_test(each->group, test_share, seed);
    for (const std::string& label : each->labels) choice.count(label, test);
  }
  const auto numbers = choice.numbers(least, task.labels);
  for (const TaggedText* each : kept) {
    std::set<Label> labels;
    for (const std::string& label : each->labels) {
      const auto number = numbers.find(label);
      if (number != numbers.end()) labels.insert(number->second);
    }
    if (labels.empty()) continue;
    const bool test = in_test(each->group, test_share, seed);
    (test ? task.test : task.train).texts.push_back(each->text);
    (test ? task.test_labels : task.train_labels).emplace_back(labels.begin(), labels.end());
  }
  return task;
}

}  // namespace kith::datasets

#include "datasets/split.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/checksum.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith::datasets {

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
  std::unordered_set<std::string_view> seen;
  std::vector<const LabelledText*> kept;
  std::map<std::string, std::size_t> in_training;
  std::set<std::string> tested;
  for (const LabelledText& each : texts) {
    if (each.text.empty() || !seen.insert(each.text).second) continue;
    kept.push_back(&each);
    if (in_test(each.group, test_share, seed)) {
      tested.insert(each.label);
    } else {
      ++in_training[each.label];
    }
  }
  std::map<std::string, Label> numbers;
  for (const auto& [label, count] : in_training) {
    if (count < least || tested.count(label) == 0) continue;
    numbers.emplace(label, static_cast<Label>(task.labels.size()));
    task.labels.push_back(label);
  }
  if (task.labels.size() < 2) {
    throw Error(ErrorCode::corrupt,
                "too few texts for a classification: " + std::to_string(kept.size()) + " of " +
                    std::to_string(task.labels.size()) + " labels");
  }
  for (const LabelledText* each : kept) {
    const auto number = numbers.find(each->label);
    if (number == numbers.end()) continue;
    const bool test = in_test(each->group, test_share, seed);
    (test ? task.test : task.train).texts.push_back(each->text);
    (test ? task.test_labels : task.train_labels).push_back(number->second);
  }
  return task;
}

}  // namespace kith::datasets

#include "papers/common/explicit_semantics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "papers/common/text_models.h"

namespace kith::papers {
namespace {

std::map<std::uint64_t, double> counted(std::string_view text) {
  std::map<std::uint64_t, double> counts;
  for (const std::uint64_t word : features(text, {})) ++counts[word];
  return counts;
}

double length_of(const WeighedWords& words) {
  double squares = 0;
  for (const auto& each : words) squares += each.second * each.second;
  return std::sqrt(squares);
}

}  // namespace

WordWeights::WordWeights(std::span<const std::string> texts)
    : texts_(static_cast<double>(texts.size())) {
  for (const std::string& text : texts) {
    for (const auto& each : counted(text)) ++holding_[each.first];
  }
}

WeighedWords WordWeights::operator()(std::string_view text) const {
  WeighedWords words;
  for (const auto& [word, count] : counted(text)) {
    const auto found = holding_.find(word);
    const double holding = found == holding_.end() ? 1 : found->second;
    words.emplace_back(word, (1 + std::log(count)) * std::log(texts_ / holding));
  }
  return words;
}

double cosine(const WeighedWords& a, const WeighedWords& b) {
  double sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].first < b[j].first) {
      ++i;
    } else if (b[j].first < a[i].first) {
      ++j;
    } else {
      sum += a[i++].second * b[j++].second;
    }
  }
  const double lengths = length_of(a) * length_of(b);
  return lengths > 0 ? sum / lengths : 0;
}

ExplicitSemantics::ExplicitSemantics(std::span<const std::string> concept_texts)
    : concepts_(concept_texts.size()) {
  const WordWeights weigh(concept_texts);
  for (std::uint32_t place = 0; place < concept_texts.size(); ++place) {
    const WeighedWords words = weigh(concept_texts[place]);
    const double length = length_of(words);
    for (const auto& [word, weight] : words) {
      if (weight > 0) weights_[word].emplace_back(place, weight / length);
    }
  }
}

std::vector<float> ExplicitSemantics::vector(const WeighedWords& text) const {
  std::vector<double> sums(concepts_);
  for (const auto& [word, weight] : text) {
    const auto found = weights_.find(word);
    if (found == weights_.end()) continue;
    for (const auto& [place, own] : found->second) sums[place] += weight * own;
  }
  return {sums.begin(), sums.end()};
}

}  // namespace kith::papers

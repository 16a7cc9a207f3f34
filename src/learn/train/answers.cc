#include "learn/train/answers.h"

namespace kith::learn {

Answers::Answers(const std::vector<Example>& examples) {
  std::unordered_map<std::string_view, std::string_view> first;
  for (const Example& each : examples) {
    const auto [at, fresh] = first.emplace(each.query, each.positive);
    if (fresh || at->second == each.positive) continue;
    positives_[each.query].insert({at->second, each.positive});
  }
}

const Answers::Texts* Answers::of(std::string_view query) const {
  const auto at = positives_.find(query);
  return at == positives_.end() ? nullptr : &at->second;
}

}  // namespace kith::learn

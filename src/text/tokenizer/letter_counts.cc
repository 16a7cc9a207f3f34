#include "text/tokenizer/letter_counts.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace kith::tokenizer {

std::set<std::string_view> kept_letters(std::span<const CountedWord> words, std::size_t most) {
  std::map<std::string_view, std::uint64_t> counts;
  for (const CountedWord& word : words) {
    for_each_letter(word.text,
                    [&](std::string_view letter, bool) { counts[letter] += word.count; });
  }
  std::vector<std::pair<std::string_view, std::uint64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (most != 0 && order.size() > most) order.resize(most);
  std::set<std::string_view> kept;
  for (const auto& [letter, count] : order) kept.insert(letter);
  return kept;
}

}  // namespace kith::tokenizer

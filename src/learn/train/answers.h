// Which texts answer a query: the positives of all examples that have its text.
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "learn/train/examples.h"

namespace kith::learn {

class Answers {
 public:
  using Texts = std::unordered_set<std::string_view>;

  Answers() = default;
  // Refers to the examples' queries and positives, which must stay where they are. Keeps those of
  // queries with several positives alone.
  explicit Answers(const std::vector<Example>& examples);

  // Of a query with several distinct positives all of them, else null.
  const Texts* of(std::string_view query) const;

 private:
  std::unordered_map<std::string_view, Texts> positives_;
};

}  // namespace kith::learn

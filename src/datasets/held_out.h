// Texts that the judge's tasks test on, which training data must not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "datasets/packages.h"
#include "kith/suite.h"

namespace kith::datasets {

// A text's letters and digits in small letters, hashed: texts that differ in white space, marks or
// capitals are the same. 0 for a text without either.
std::uint64_t fingerprint(std::string_view text);

class HeldOut {
 public:
  void add(std::string_view text);
  // What the task tests on: queries and the documents that answer them, the test side of
  // classifications, all texts of clusterings and both sides of pairs.
  void add(const Task& task);

  bool holds(std::string_view text) const { return texts_.count(fingerprint(text)) != 0; }
  std::size_t size() const { return texts_.size(); }

 private:
  void add_all(const TextPart& part);
  void add_answers(const TextPart& part, const std::vector<std::vector<JudgedDocument>>& lists);

  std::unordered_set<std::uint64_t> texts_;
};

// What the sets of these names in the catalogue test on with this seed: they are made, so that
// whatever changes in how they draw changes here, too. Throws what making them does.
HeldOut held_out(const std::vector<std::string>& sets, Packages& packages, std::uint64_t seed);

// The same of every set in the catalogue, so that a task's text is in no training set, of whatever
// package it is made.
HeldOut all_held_out(Packages& packages, std::uint64_t seed);

}  // namespace kith::datasets

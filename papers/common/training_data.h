// What models are trained on: lines that `kith data train` made, and files of such lines that a
// reproduction makes of them for a recipe.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "papers/common/paper.h"

namespace kith::papers {

struct TrainingPair {
  std::string query, positive;
  std::string group = {};  // pairs of one may answer each other
  std::vector<std::string> negatives = {};
  double score = 1;                                     // of graded pairs
  std::string thought = {};                             // about the query, for models that think
  std::vector<std::string> query_tags = {}, tags = {};  // of the query and of the positive
};

// The lines of such a source ("debian-summary") in a set ("debian"). Throws not_found, saying how
// to make it.
std::vector<TrainingPair> read_pairs(const std::string& set, const std::string& source,
                                     const Trial& trial);

// Likewise of plain texts.
std::vector<std::string> read_training_texts(const std::string& set, const std::string& source,
                                             const Trial& trial);

// Hashes of both sides of all pairs of a set, by datasets::fingerprint: what is trained on.
std::unordered_set<std::uint64_t> trained_texts(const std::string& set, const Trial& trial);

// Those of a file of lines {"query", "positive", "query_tags", "tags"}, without negatives.
std::vector<TrainingPair> read_tagged_pairs(const std::string& path);

// Write JSON lines for a recipe, and make the file's folder.
void write_pairs(const std::string& path, const std::vector<TrainingPair>& pairs);
void write_training_texts(const std::string& path, const std::vector<std::string>& texts);

}  // namespace kith::papers

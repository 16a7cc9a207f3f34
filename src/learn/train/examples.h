// What embedders are trained on: a query, what answers it, and perhaps what doesn't.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kith/control.h"

namespace kith::learn {

struct Example {
  std::string query = {}, positive = {};
  std::vector<std::string> negatives = {};
  double score = 1;                 // of a pair, where pairs are graded
  std::vector<double> scores = {};  // a teacher's, of the positive and the negatives
  std::string thought = {};         // about the query, for models that think
  // Given to either text, for models whose dimensions have names.
  std::vector<std::string> query_concepts = {}, concepts = {};
};

struct SourceOptions {
  std::string name = {};  // what messages and logs call it; the first file's by default
  std::vector<std::string> files = {};  // JSON lines
  // Members of a line. `negatives` is a list of texts or one text; `scores` a list of numbers.
  std::string query = "query", positive = "positive", negatives = "negatives", score = "score",
              scores = "scores", thought = "thought";
  // Lists of the concepts that the query and the positive were given; empty: such isn't read.
  std::string query_concepts = {}, concepts = {};
  std::string query_prompt = {}, document_prompt = {};  // stand before texts
  double weight = 1;       // how often batches are of this source, beside the others' weights
  std::int64_t limit = 0;  // the first so many examples only; 0: all
  std::int64_t negatives_each = 0;  // of an example, at most; 0: none
};

// Throws not_found for a file that isn't there; corrupt, naming file and line, for a line that is
// no object or lacks a member, an empty query or positive, a score that isn't finite, scores that
// don't fit the texts; invalid_argument where there is no example at all.
std::vector<Example> read_examples(const SourceOptions& options);

}  // namespace kith::learn

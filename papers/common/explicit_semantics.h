// Words' weights, and Explicit Semantic Analysis without training: E. Gabrilovich and S.
// Markovitch, "Computing semantic relatedness using Wikipedia-based explicit semantic analysis",
// IJCAI 2007. A concept is a text about it; a text's component of a concept is how much its words
// weigh there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kith::papers {

// Words by their hash, ascending, each with its weight.
using WeighedWords = std::vector<std::pair<std::uint64_t, double>>;

class WordWeights {
 public:
  // Counts in how many of the texts each word is.
  explicit WordWeights(std::span<const std::string> texts);
  // (1 + ln of how often it occurs) * ln(texts / texts that hold it); a word that no text holds
  // counts as if one did.
  WeighedWords operator()(std::string_view text) const;

 private:
  double texts_;
  std::unordered_map<std::uint64_t, double> holding_;
};

// 0 where either weighs nothing.
double cosine(const WeighedWords& a, const WeighedWords& b);

class ExplicitSemantics {
 public:
  // One text a concept, whose words weigh by how few concepts' texts hold them; each concept's
  // weights have length 1.
  explicit ExplicitSemantics(std::span<const std::string> concept_texts);
  // A component a concept: the sum over the text's words of both weights. None is negative.
  std::vector<float> vector(const WeighedWords& text) const;

 private:
  std::size_t concepts_;
  std::unordered_map<std::uint64_t, std::vector<std::pair<std::uint32_t, double>>> weights_;
};

}  // namespace kith::papers

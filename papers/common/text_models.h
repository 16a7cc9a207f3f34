// Plain models of texts, for reproductions that need many models of unlike kinds and sizes: hashed
// words and runs of letters (Weinberger et al., "Feature hashing for large scale multitask
// learning", 2009), and means of word vectors (Arora, Liang and Ma, "A simple but tough-to-beat
// baseline for sentence embeddings", 2017, without its common component).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kith/judge.h"
#include "kith/labels.h"
#include "papers/common/paper.h"

namespace kith::papers {

// What a text is taken for: its words, in small letters (`run` 0), or all runs of so many of its
// bytes.
struct FeatureKind {
  std::size_t run = 0;
};

// Each feature's hash, as often as it occurs.
std::vector<std::uint64_t> features(std::string_view text, FeatureKind kind);

// In how many of some texts a feature occurs, by its hash.
class FeatureWeights {
 public:
  FeatureWeights(std::span<const std::string> texts, FeatureKind kind, const Control& control);
  // log of the texts / those that hold the feature, smoothed by one of each.
  float operator()(std::uint64_t feature) const;

 private:
  double texts_;
  std::vector<std::uint32_t> counts_;  // by the hash's low bits
};

// A text's features, each added to one of `dim` components with a sign, both by its hash.
class HashedTexts : public Embedder {
 public:
  // Null weights: all features weigh the same. They must outlive this.
  HashedTexts(std::string name, FeatureKind kind, std::size_t dim, const FeatureWeights* weights,
              std::uint64_t seed);
  std::string name() const override { return name_; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  std::string name_;
  FeatureKind kind_;
  std::size_t dim_;
  const FeatureWeights* weights_;
  std::uint64_t seed_;
};

// Vectors by their words' hashes.
class WordVectors {
 public:
  WordVectors(Matrix<float> vectors, const Labels& words);
  const float* find(std::uint64_t word) const;  // null for unknown ones
  std::size_t dim() const { return vectors_.cols(); }

 private:
  Matrix<float> vectors_;
  std::unordered_map<std::uint64_t, std::uint32_t> rows_;
};

// All of the set "words" (papers/common/data.h).
WordVectors load_word_vectors(const Trial& trial);

// The mean of a text's known words' vectors, cut to `dim` components.
class MeanOfWords : public Embedder {
 public:
  // Both must outlive this; null weights: all words weigh the same.
  MeanOfWords(std::string name, const WordVectors& vectors, std::size_t dim,
              const FeatureWeights* weights);
  std::string name() const override { return name_; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  std::string name_;
  const WordVectors& vectors_;
  std::size_t dim_;
  const FeatureWeights* weights_;
};

}  // namespace kith::papers

#include "papers/common/text_models.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/random.h"
#include "papers/common/data.h"

namespace kith::papers {
namespace {

constexpr std::size_t kBuckets = std::size_t{1} << 20;  // of features' counts
constexpr std::size_t kGrain = 64;                      // texts a thread takes at once

// FNV-1a.
std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  }
  return hash;
}

bool is_of_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
}

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return small;
}

// A row for each wanted text, made on all threads.
template <class Fill>
Matrix<float> rows_of(const TextPart& part, std::span<const std::uint32_t> which, std::size_t dim,
                      const Control& control, const Fill& fill) {
  Matrix<float> rows(which.size(), dim);
  parallel_for(control, which.size(), kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) fill(part.texts[which[i]], rows.row(i));
  });
  return rows;
}

}  // namespace

std::vector<std::uint64_t> features(std::string_view text, FeatureKind kind) {
  const std::string small = lower(text);
  std::vector<std::uint64_t> found;
  const std::string_view view = small;
  if (kind.run > 0) {
    for (std::size_t at = 0; at + kind.run <= view.size(); ++at) {
      found.push_back(hash_of(view.substr(at, kind.run)));
    }
    return found;
  }
  for (std::size_t at = 0; at < view.size();) {
    std::size_t end = at;
    while (end < view.size() && is_of_word(view[end])) ++end;
    if (end > at) found.push_back(hash_of(view.substr(at, end - at)));
    at = end + 1;
  }
  return found;
}

FeatureWeights::FeatureWeights(std::span<const std::string> texts, FeatureKind kind,
                               const Control& control)
    : texts_(static_cast<double>(texts.size())), counts_(kBuckets, 0) {
  for (const std::string& text : texts) {
    throw_if_cancelled(control);
    std::vector<std::uint64_t> own = features(text, kind);
    for (std::uint64_t& feature : own) feature &= kBuckets - 1;
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    for (const std::uint64_t bucket : own) ++counts_[bucket];
  }
}

float FeatureWeights::operator()(std::uint64_t feature) const {
  const double count = counts_[feature & (kBuckets - 1)];
  return static_cast<float>(std::log((texts_ + 1) / (count + 1)));
}

HashedTexts::HashedTexts(std::string name, FeatureKind kind, std::size_t dim,
                         const FeatureWeights* weights, std::uint64_t seed)
    : name_(std::move(name)), kind_(kind), dim_(dim), weights_(weights), seed_(seed) {}

Matrix<float> HashedTexts::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                 const Control& control) {
  return rows_of(part, which, dim_, control, [&](const std::string& text, float* row) {
    for (const std::uint64_t feature : features(text, kind_)) {
      std::uint64_t state = feature ^ seed_;
      const std::uint64_t place = split_mix(state);
      const float weight = weights_ == nullptr ? 1.0f : (*weights_)(feature);
      row[(place >> 1) % dim_] += (place & 1) != 0 ? weight : -weight;
    }
  });
}

WordVectors::WordVectors(Matrix<float> vectors, const Labels& words)
    : vectors_(std::move(vectors)) {
  for (std::size_t i = 0; i < vectors_.rows(); ++i) {
    rows_.emplace(hash_of(words.text(i)), static_cast<std::uint32_t>(i));
  }
}

const float* WordVectors::find(std::uint64_t word) const {
  const auto row = rows_.find(word);
  return row == rows_.end() ? nullptr : vectors_.row(row->second);
}

WordVectors load_word_vectors(const Trial& trial) {
  const Vectors words = load_base("words", trial);
  std::vector<std::uint32_t> all(words.rows.rows());
  std::iota(all.begin(), all.end(), 0u);
  return {copy_rows(words.rows, all), words.labels};
}

MeanOfWords::MeanOfWords(std::string name, const WordVectors& vectors, std::size_t dim,
                         const FeatureWeights* weights)
    : name_(std::move(name)), vectors_(vectors), dim_(dim), weights_(weights) {}

Matrix<float> MeanOfWords::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                 const Control& control) {
  return rows_of(part, which, dim_, control, [&](const std::string& text, float* row) {
    float all = 0;
    for (const std::uint64_t word : features(text, {})) {
      const float* vector = vectors_.find(word);
      if (vector == nullptr) continue;
      const float weight = weights_ == nullptr ? 1.0f : (*weights_)(word);
      for (std::size_t j = 0; j < dim_; ++j) row[j] += weight * vector[j];
      all += weight;
    }
    for (std::size_t j = 0; all > 0 && j < dim_; ++j) row[j] /= all;
  });
}

}  // namespace kith::papers

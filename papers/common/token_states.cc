#include "papers/common/token_states.h"

#include <algorithm>
#include <cmath>

namespace kith::papers {
namespace {

constexpr std::size_t kBatch = 1024;  // texts whose states are held at once

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

double cosine(std::span<const double> a, std::span<const double> b) {
  const double lengths = std::sqrt(dot(a, a) * dot(b, b));
  return lengths > 0 ? dot(a, b) / lengths : 0;
}

std::vector<double> mean_of(const Matrix<float>& rows, std::size_t begin, std::size_t end) {
  std::vector<double> mean(rows.cols());
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t j = 0; j < mean.size(); ++j) {
      mean[j] += double{rows(i, j)} / static_cast<double>(end - begin);
    }
  }
  return mean;
}

}  // namespace

TokenStates::TokenStates(const std::string& folder, std::size_t most)
    : encoder_(Encoder::open(folder)),
      tokenizer_(Tokenizer::open(folder + "/tokenizer.json")),
      most_(most) {
  const Encoding empty = tokenizer_.encode("");
  if (!empty.ids.empty()) lead_.push_back(empty.ids.front());
}

std::vector<std::uint32_t> TokenStates::tokens(std::string_view text) const {
  std::vector<std::uint32_t> ids = tokenizer_.encode(text, {.special_tokens = false}).ids;
  ids.resize(std::min(ids.size(), most_ - lead_.size()));
  return ids;
}

std::vector<Matrix<float>> TokenStates::states(std::span<const std::vector<std::uint32_t>> texts,
                                               std::optional<std::size_t> layer,
                                               const Control& control) const {
  EncodeOptions options;
  options.layer = layer;
  options.norm_early = true;
  options.control = control;
  std::vector<std::vector<std::uint32_t>> whole;
  for (const auto& text : texts) {
    whole.push_back(lead_);
    whole.back().insert(whole.back().end(), text.begin(), text.end());
  }
  std::vector<TokenSequence> sequences;
  for (const auto& text : whole) sequences.push_back({.ids = text, .types = {}});
  const Matrix<float> all = encoder_.hidden_states(sequences, options);
  std::vector<Matrix<float>> states;
  std::size_t row = 0;
  for (const auto& text : texts) {
    row += lead_.size();
    Matrix<float>& own = states.emplace_back(text.size(), all.cols());
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::copy_n(all.row(row++), all.cols(), own.row(i));
    }
  }
  return states;
}

std::vector<double> mean_state(std::span<const Matrix<float>> states) {
  std::vector<double> sum(states.front().cols());
  double count = 0;
  for (const Matrix<float>& text : states) {
    for (std::size_t i = 0; i < text.rows(); ++i, ++count) {
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += text(i, j);
    }
  }
  for (double& each : sum) each /= std::max(count, 1.0);
  return sum;
}

void subtract(std::span<const double> mean, std::span<Matrix<float>> states) {
  for (Matrix<float>& text : states) {
    for (std::size_t i = 0; i < text.rows(); ++i) {
      for (std::size_t j = 0; j < mean.size(); ++j) text(i, j) -= static_cast<float>(mean[j]);
    }
  }
}

double cosine_apart(std::span<const Matrix<float>> states, std::size_t distance) {
  double sum = 0, count = 0;
  for (const Matrix<float>& text : states) {
    for (std::size_t i = 0; i + distance < text.rows(); ++i, ++count) {
      sum += cosine(mean_of(text, i, i + 1), mean_of(text, i + distance, i + distance + 1));
    }
  }
  return sum / std::max(count, 1.0);
}

std::size_t likeliest_boundary(const Matrix<float>& states, std::size_t window) {
  std::size_t best = window;
  double least = 2;
  for (std::size_t at = window; at + window <= states.rows(); ++at) {
    const double alike = cosine(mean_of(states, at - window, at), mean_of(states, at, at + window));
    if (alike >= least) continue;
    least = alike;
    best = at;
  }
  return best;
}

Matrix<float> StateEmbedder::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                   const Control& control) {
  Matrix<float> vectors;
  for (std::size_t begin = 0; begin < which.size(); begin += kBatch) {
    std::vector<std::vector<std::uint32_t>> texts;
    for (const std::uint32_t text : which.subspan(begin, std::min(kBatch, which.size() - begin))) {
      texts.push_back(model_.tokens(part.texts[text]));
      if (texts.back().empty()) texts.back().push_back(0);
    }
    const std::vector<Matrix<float>> states = model_.states(texts, layer_, control);
    if (vectors.rows() == 0) vectors = Matrix<float>(which.size(), states.front().cols());
    for (std::size_t i = 0; i < states.size(); ++i) {
      const std::size_t rows = states[i].rows();
      const std::vector<double> one = mean_of(states[i], last_ ? rows - 1 : 0, rows);
      std::copy(one.begin(), one.end(), vectors.row(begin + i));
    }
  }
  return vectors;
}

}  // namespace kith::papers

// What a causal model's states of single tokens tell, and of texts by their mean or their last one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/encoder.h"
#include "kith/judge.h"
#include "kith/tokenizer.h"

namespace kith::papers {

class TokenStates {
 public:
  // Texts are cut at so many tokens. Throws as Encoder::open and Tokenizer::open do.
  TokenStates(const std::string& folder, std::size_t most);

  std::size_t layers() const { return encoder_.info().layers; }
  // The tokens of a text alone, without those that begin and end it.
  std::vector<std::uint32_t> tokens(std::string_view text) const;
  // The states of tokens behind the one that begins a text, a row a token, at a layer (none: the
  // last), with the model's final norm.
  std::vector<Matrix<float>> states(std::span<const std::vector<std::uint32_t>> texts,
                                    std::optional<std::size_t> layer, const Control& control) const;

 private:
  Encoder encoder_;
  Tokenizer tokenizer_;
  std::size_t most_;
  std::vector<std::uint32_t> lead_;  // what begins a text
};

// The mean of all rows of all texts.
std::vector<double> mean_state(std::span<const Matrix<float>> states);
void subtract(std::span<const double> mean, std::span<Matrix<float>> states);

// The mean cosine of a text's states that are so many tokens apart.
double cosine_apart(std::span<const Matrix<float>> states, std::size_t distance);

// Of two texts one behind the other: the place where the mean of `window` states before differs
// most from that of as many behind, by cosine.
std::size_t likeliest_boundary(const Matrix<float>& states, std::size_t window);

// Texts by one vector: the mean of their tokens' states, or the last one.
class StateEmbedder : public Embedder {
 public:
  // `model` must outlive it.
  StateEmbedder(std::string name, const TokenStates& model, bool last,
                std::optional<std::size_t> layer)
      : name_(std::move(name)), model_(model), last_(last), layer_(layer) {}

  std::string name() const override { return name_; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  std::string name_;
  const TokenStates& model_;
  bool last_;
  std::optional<std::size_t> layer_;
};

}  // namespace kith::papers

// Texts longer than a model was trained on, without training: D. Zhu et al., "LongEmbed: extending
// embedding models for long context retrieval", 2024. Part of libkith-encode; docs/models.md tells
// which models can do which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace kith {

// L: the tokens that the model takes by itself, s = ceil(context / L).
enum class Extension : std::uint8_t {
  none,
  pcw,         // parallel context windows: chunks of L tokens, whose pooled vectors are averaged
  gp,          // grouped positions: token p stands at floor(p / ceil(length / L))
  rp,          // recurrent positions: token p stands at p mod L
  pi,          // position interpolation: between the trained positions, s times as many
  ntk,         // rotary models: another base, theta * ntk_lambda
  selfextend,  // rotary models: exact distances within a window, grouped ones beyond it
};

// Defaults are those of the paper for 2, 4 and 8 times the trained length, scaled with it.
struct ContextOptions {
  // Longer texts are cut at so many tokens, special ones included. 0: what the model takes by
  // itself. More than that needs an extension, fewer do not.
  std::size_t tokens = 0;
  Extension extension = Extension::none;
  // ntk: 1 for s = 1, s + 1 up to s = 4 and 1.25 s beyond: 3, 5 and 10 for s = 2, 4 and 8.
  std::optional<double> ntk_lambda = {};
  // selfextend: s + 1 tokens to a group and a window of L / s tokens: (3, 256), (5, 128) and (9,
  // 64) for L = 512. The largest distance, floor((tokens - 1) / group) + window - floor(window /
  // group), must not be above L.
  std::optional<std::size_t> group = {}, window = {};
  // Multiplies attention scores by ln(length) / ln(L) in texts longer than L, so that attention
  // does not flatten; under selfextend each token of a causal model by its own position. Chunks
  // (pcw) have no use for it.
  bool scale_attention = true;
};

}  // namespace kith

// 2D Matryoshka: vectors that are useful after any layer and at any width (Li et al., 2024). A step
// trains the last layer and one that was drawn, in full width and in one that was drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/loss/embedded.h"

namespace kith {
class Random;
}

namespace kith::learn {

struct SizeDraw {
  std::int64_t layer;       // counted from 1, the first block's output; below the last
  std::int64_t width;       // of the drawn layer
  std::int64_t last_width;  // of the last layer; the same where widths are not separate
};

struct SizeSampler {
  std::int64_t layers;               // of the model: N >= 2; 1 .. N - 1 are drawn
  std::vector<std::int64_t> widths;  // doubling_widths() in the paper; at least one, each >= 1
  bool separate_widths = false;      // a width a layer, as sentence-transformers draws

  // All layers alike, all widths alike. Throws kith::Error invalid_argument on fields that are not
  // as above.
  SizeDraw draw(Random& random) const;
};

// 8, 16, 32, ... below dim: the authors' widths. Empty where dim <= 8.
std::vector<std::int64_t> doubling_widths(std::int64_t dim);

// As the authors' first code has it, which the paper's first version describes.
struct Matryoshka2dOptions {
  bool full_width = true;         // the base loss in full width too, for both layers
  bool shallow_by_layer = false;  // the drawn layer's losses weigh 1 / layer
  double alignment = 1;           // the weight of L_al; 0 leaves it out
  double temperature = 1, power = 2;
  bool detach_teacher = false;  // the last layer learns from L_al too
};

// The authors' revision, a week later.
constexpr Matryoshka2dOptions revised_2d() { return {.shallow_by_layer = true, .power = 1}; }

// sentence-transformers' loss of that name; with separate widths, of a list that may hold the full
// one.
constexpr Matryoshka2dOptions adaptive_2d() {
  return {.full_width = false, .shallow_by_layer = true, .temperature = 0.3, .power = 1};
}

// With X_N the last layer's vectors and X_n the drawn one's, cut to width d, D or not:
//   base(X_N^D) + base(X_N^d) + w (base(X_n^D) + base(X_n^d)) + alignment L_al,
//   L_al = temperature^power KL( softmax(X_N / temperature) || softmax(X_n / temperature) ),
//   softmax
// over components, mean over all texts. Vectors come un-normalised: the base gets unit vectors, cut
// before; L_al gets them as they are. Throws kith::Error invalid_argument on shapes that do not fit
// or differ between layers, a layer below 1, a width outside 1 .. D, a negative alignment, and a
// temperature or power as distil_softmax does.
Tensor matryoshka_2d(const Embedded& last, const Embedded& shallow, const SizeDraw& drawn,
                     const EmbeddingLoss& base, const Matryoshka2dOptions& options = {});

}  // namespace kith::learn

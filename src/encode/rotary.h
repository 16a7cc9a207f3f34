// Cosines and sines of rotary position embeddings, with the scalings that stretch them beyond the
// positions that a model was trained on.
#pragma once

#include <cstddef>
#include <vector>

#include "encode/config.h"
#include "kith/matrix.h"

namespace kith::encode {

// A row a position, a column a pair of dimensions.
struct RotaryTable {
  Matrix<float> cosines, sines;
};

// Of positions 0 to `length` - 1 in a sequence of `length` tokens.
RotaryTable rotary_table(const Rotary& rotary, std::size_t length);

// Whether the table of a sequence of this length differs from those of shorter ones.
bool depends_on_length(const Rotary& rotary, std::size_t length);

}  // namespace kith::encode

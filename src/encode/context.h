// What the core does about texts that are longer than a model was trained on: see kith/context.h.
#pragma once

#include <cstddef>

#include "encode/config.h"
#include "kith/context.h"
#include "kith/matrix.h"

namespace kith::encode {

// The config of a model trained on texts of `trained` tokens, made to take options.tokens. Layers
// whose window is shorter than `trained` never see a distance that they weren't trained on: they
// stay as they are. Throws unsupported for an extension that this model can't have, and
// invalid_argument for numbers that don't fit; each names what was asked for.
Config extended(Config config, const ContextOptions& options, std::size_t trained);

const char* extension_name(Extension extension);

// The config of a model whose table of positions was made longer by interpolation, with a whole
// number of rows for each of the `trained` tokens that it took before: as Extension::pi, for good.
void interpolate(Config& config, std::size_t trained);

// The table of learned positions with `stretch` rows for each of the `trained` ones behind the
// first `offset`: every stretch-th is a trained row, those between are interpolated, and those
// behind the last repeat it.
Matrix<float> stretched_table(MatrixView<const float> table, std::size_t offset,
                              std::size_t trained, std::size_t stretch);

// Where token `place` of a text of `length` tokens stands.
std::size_t position_id(const ContextPlan& context, std::size_t place, std::size_t length);

// SelfExtend's grouped position of a token, and how much farther it stands for tokens beyond the
// window: distances are |grouped - (grouped + shift)| there.
inline std::size_t grouped_position(const ContextPlan& context, std::size_t place) {
  return place / context.group;
}
inline std::size_t group_shift(const ContextPlan& context) {
  return context.window - context.window / context.group;
}

// How far token j stands from token i under SelfExtend, negative before it.
long extended_distance(const ContextPlan& context, std::size_t i, std::size_t j);

// What the scores of token `place` are multiplied with.
double attention_scale(const ContextPlan& context, const LayerPlan& layer, std::size_t place,
                       std::size_t length);

}  // namespace kith::encode

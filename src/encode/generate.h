// Tokens that a causal model writes behind a text, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "encode/transformer.h"
#include "kith/encoder.h"
#include "simd/dense.h"

namespace kith::encode {

// As Encoder::generate(). `output`: the vocabulary's vectors, which the last state is multiplied
// by.
std::vector<std::vector<std::uint32_t>> generate(
    const Transformer& transformer, const simd::PackedWeights& output,
    std::span<const std::vector<std::uint32_t>> prompts, const GenerateOptions& options);

}  // namespace kith::encode

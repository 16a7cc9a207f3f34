// Vectors of a trained embedding: descriptions of packages, and short ones that ask for them.
#pragma once

#include <cstddef>

#include "kith/matrix.h"
#include "papers/common/paper.h"

namespace kith::papers {

// Of a paper's `data`, beside kStaticData.
inline constexpr const char* kDescriptionData = "debian";

struct DescriptionVectors {
  Matrix<float> base;    // long descriptions, drawn by the trial's seed
  Matrix<float> others;  // other long ones
  Matrix<float> tests;   // short ones that ask for what nothing was trained on
  Matrix<float> taught;  // short ones that were trained on
};

// By static_embedding() of `width` dimensions, of length 1. Not for quick trials.
DescriptionVectors description_vectors(const Trial& trial, std::size_t width, std::size_t base,
                                       std::size_t others, std::size_t tests, std::size_t taught);

}  // namespace kith::papers

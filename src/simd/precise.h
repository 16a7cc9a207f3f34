// Sums over float vectors in double precision, in one fixed order: sixteen partial sums, then a
// fixed tree. Every instruction set gives the same bits, so what exact search reports does not
// depend on the machine. Products of floats are exact in double; only the additions round.
#pragma once

#include <cstddef>

namespace kith::simd {

struct PreciseKernels {
  double (*l2)(const float* q, const float* x, std::size_t dim);  // sum of (q - x)^2
  double (*dot)(const float* q, const float* x, std::size_t dim);
};

// For the instruction set in use (see dispatch.h).
const PreciseKernels& precise_kernels();

}  // namespace kith::simd

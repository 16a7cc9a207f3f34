#include "simd/precise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace kith::simd {
namespace {

// The documented order, written plainly.
template <class Term>
double in_sixteen_sums(std::size_t dim, const Term& term) {
  double sums[16] = {};
  for (std::size_t i = 0; i < dim; ++i) sums[i % 16] += term(i);
  for (int half = 8; half != 0; half /= 2) {
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

TEST(Precise, GivesTheBitsOfTheDocumentedOrder) {
  Random random(5);
  for (std::size_t dim = 1; dim < 70; ++dim) {
    std::vector<float> q(dim), x(dim);
    for (float& value : q) value = static_cast<float>(random.normal());
    for (float& value : x) value = static_cast<float>(random.normal() * 1e-5);
    EXPECT_EQ(precise_kernels().l2(q.data(), x.data(), dim), in_sixteen_sums(dim, [&](auto i) {
                volatile double difference = static_cast<double>(q[i]) - x[i];
                volatile double square = difference * difference;
                return square;
              }));
    EXPECT_EQ(precise_kernels().dot(q.data(), x.data(), dim), in_sixteen_sums(dim, [&](auto i) {
                return static_cast<double>(q[i]) * static_cast<double>(x[i]);
              }));
  }
}

}  // namespace
}  // namespace kith::simd

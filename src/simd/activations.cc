#include "simd/activations.h"

#include <cmath>

#include "simd/dispatch.h"
#include "simd/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/activations.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kith::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());

HWY_INLINE Vector set(float value) { return hn::Set(Floats(), value); }

// The first `count` values of a vector, and zeros; and back.
#if HWY_TARGET == HWY_AVX3
HWY_INLINE Vector load_first(const float* x, std::size_t count) {
  const Floats d;
  return hn::MaskedLoad(hn::FirstN(d, count), d, x);
}
HWY_INLINE void store_first(Vector v, std::size_t count, float* out) {
  const Floats d;
  hn::BlendedStore(v, hn::FirstN(d, count), d, out);
}
#else
HWY_INLINE Vector load_first(const float* x, std::size_t count) {
  HWY_ALIGN float padded[kLanes] = {};
  for (std::size_t j = 0; j < count; ++j) padded[j] = x[j];
  return hn::Load(Floats(), padded);
}
HWY_INLINE void store_first(Vector v, std::size_t count, float* out) {
  HWY_ALIGN float padded[kLanes];
  hn::Store(v, Floats(), padded);
  for (std::size_t j = 0; j < count; ++j) out[j] = padded[j];
}
#endif

// Runs op(vector) -> vector over n values.
template <class Op>
HWY_INLINE void map(const float* x, std::size_t n, float* out, const Op& op) {
  const Floats d;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(op(hn::LoadU(d, x + i)), d, out + i);
  if (i < n) store_first(op(load_first(x + i, n - i)), n - i, out + i);
}

// The same for two inputs.
template <class Op>
HWY_INLINE void map(const float* x, const float* y, std::size_t n, float* out, const Op& op) {
  const Floats d;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    hn::StoreU(op(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, out + i);
  }
  if (i < n) store_first(op(load_first(x + i, n - i), load_first(y + i, n - i)), n - i, out + i);
}

// Sum of op(vector) over n values; missing ones of the last vector don't count.
template <class Op>
HWY_INLINE float sum(const float* x, std::size_t n, const Op& op) {
  const Floats d;
  Vector total = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) total = hn::Add(total, op(hn::LoadU(d, x + i)));
  if (i < n) {
    const auto there = hn::FirstN(d, n - i);
    total = hn::Add(total, hn::IfThenElseZero(there, op(load_first(x + i, n - i))));
  }
  return hn::GetLane(hn::SumOfLanes(d, total));
}

// 2^k * e^r with k whole and |r| <= ln 2 / 2, where Taylor's polynomial is exact to float32.
HWY_INLINE Vector exp(Vector x) {
  const Floats d;
  const hn::RebindToSigned<Floats> ints;
  x = hn::Min(hn::Max(x, set(-87.0f)), set(88.0f));
  const Vector k = hn::Round(hn::Mul(x, set(1.44269504f)));
  Vector r = hn::NegMulAdd(k, set(0.693359375f), x);  // ln 2 in two parts, the first exact
  r = hn::NegMulAdd(k, set(-2.12194440e-4f), r);
  Vector p = set(1.0f / 5040);
  for (const float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
    p = hn::MulAdd(p, r, set(c));
  }
  const auto power = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(ints, k), hn::Set(ints, 127)));
  return hn::Mul(p, hn::BitCast(d, power));
}

HWY_INLINE Vector sigmoid(Vector x) { return hn::Div(set(1), hn::Add(set(1), exp(hn::Neg(x)))); }

HWY_INLINE Vector tanh(Vector x) {
  return hn::Sub(set(1), hn::Div(set(2), hn::Add(set(1), exp(hn::Add(x, x)))));
}

// x Phi(x) with Phi(x) = 1/2 + erf(x / sqrt 2) / 2. erf(z) / z is a smooth function of z^2, here by
// Chebyshev's expansion to degree 14 for |z| <= 3.7, as a polynomial in u = 2 (z / 3.7)^2 - 1;
// farther out Phi is 0 or 1 to float32.
HWY_INLINE Vector gelu(Vector x) {
  constexpr float kFar = 5.23259018f, kInverseSquare = 0.073046019f;  // 3.7 sqrt 2; 1 / 3.7^2
  const Vector near = hn::Min(hn::Abs(x), set(kFar));
  const Vector u = hn::MulAdd(hn::Mul(near, near), set(kInverseSquare), set(-1));
  Vector p = set(0.000768400798f);
  for (const float c :
       {-0.00182446816f, 0.00139825878f, -0.00268816465f, 0.00848048456f, -0.0152504776f,
        0.0230754979f, -0.0356011015f, 0.0521475165f, -0.0705938599f, 0.0905216198f, -0.112628102f,
        0.140795442f, -0.190468277f, 0.382137472f}) {
    p = hn::MulAdd(p, u, set(c));
  }
  const Vector half_erf = hn::Mul(p, hn::Mul(near, set(0.353553391f)));
  const Vector phi = hn::Add(set(0.5f), hn::CopySign(half_erf, x));
  return hn::IfThenZeroElse(hn::Lt(x, set(-kFar)), hn::Mul(x, phi));
}

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, 2016).
HWY_INLINE Vector gelu_tanh(Vector x) {
  const Vector inner = hn::MulAdd(hn::Mul(hn::Mul(x, x), set(0.044715f)), x, x);
  return hn::Mul(x, sigmoid(hn::Mul(inner, set(2 * 0.7978845608f))));
}

// Calls run(function) with the function of the activation.
template <class Run>
HWY_INLINE void with(Activation activation, const Run& run) {
  switch (activation) {
    case Activation::gelu:
      return run([](Vector x) HWY_ATTR { return gelu(x); });
    case Activation::gelu_tanh:
      return run([](Vector x) HWY_ATTR { return gelu_tanh(x); });
    case Activation::relu:
      return run([](Vector x) HWY_ATTR { return hn::Max(x, set(0)); });
    case Activation::silu:
      return run([](Vector x) HWY_ATTR { return hn::Mul(x, sigmoid(x)); });
    case Activation::tanh:
      return run([](Vector x) HWY_ATTR { return tanh(x); });
    case Activation::identity:
      return run([](Vector x) HWY_ATTR { return x; });
  }
}

void activate(Activation activation, const float* x, std::size_t n, float* out) {
  with(activation, [&](const auto& function) HWY_ATTR { map(x, n, out, function); });
}

void gate(Activation activation, const float* gate, const float* x, std::size_t n, float* out) {
  with(activation, [&](const auto& function) HWY_ATTR {
    map(gate, x, n, out, [&](Vector g, Vector v) HWY_ATTR { return hn::Mul(function(g), v); });
  });
}

// out = (x - mean) * factor * scale + shift.
HWY_INLINE void normalise(const float* x, std::size_t n, float mean, float factor,
                          const float* scale, const float* shift, float* out) {
  const Vector m = set(mean), f = set(factor);
  map(x, scale, n, out,
      [&](Vector v, Vector s) HWY_ATTR { return hn::Mul(hn::Mul(hn::Sub(v, m), f), s); });
  if (shift == nullptr) return;
  map(out, shift, n, out, [](Vector v, Vector s) HWY_ATTR { return hn::Add(v, s); });
}

void layer_norm(const float* x, std::size_t n, const float* scale, const float* shift,
                float epsilon, float* out) {
  const auto count = static_cast<float>(n);
  const float mean = sum(x, n, [](Vector v) HWY_ATTR { return v; }) / count;
  const Vector m = set(mean);
  const float variance = sum(x, n,
                             [&](Vector v) HWY_ATTR {
                               const Vector c = hn::Sub(v, m);
                               return hn::Mul(c, c);
                             }) /
                         count;
  normalise(x, n, mean, 1 / std::sqrt(variance + epsilon), scale, shift, out);
}

void rms_norm(const float* x, std::size_t n, const float* scale, const float* shift, float epsilon,
              float* out) {
  const float square = sum(x, n, [](Vector v) HWY_ATTR { return hn::Mul(v, v); });
  const float factor = 1 / std::sqrt(square / static_cast<float>(n) + epsilon);
  normalise(x, n, 0, factor, scale, shift, out);
}

void exp_columns(float* x, std::size_t rows, std::size_t width, float* inverses) {
  const Floats d;
  for (std::size_t j = 0; j < width; j += kLanes) {
    Vector most = hn::LoadU(d, x + j);
    for (std::size_t i = 1; i < rows; ++i) most = hn::Max(most, hn::LoadU(d, x + i * width + j));
    Vector total = hn::Zero(d);
    for (std::size_t i = 0; i < rows; ++i) {
      float* values = x + i * width + j;
      const Vector power = exp(hn::Sub(hn::LoadU(d, values), most));
      total = hn::Add(total, power);
      hn::StoreU(power, d, values);
    }
    hn::StoreU(hn::Div(set(1), total), d, inverses + j);
  }
}

void add(const float* x, std::size_t n, float* out) {
  map(x, out, n, out, [](Vector a, Vector b) HWY_ATTR { return hn::Add(a, b); });
}

void rotate_halves(const float* cosines, const float* sines, std::size_t half, float* x) {
  for (std::size_t i = 0; i < half; ++i) {
    const float a = x[i], b = x[i + half];
    x[i] = a * cosines[i] - b * sines[i];
    x[i + half] = b * cosines[i] + a * sines[i];
  }
}

void rotate_pairs(const float* cosines, const float* sines, std::size_t half, float* x) {
  for (std::size_t i = 0; i < half; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * cosines[i] - b * sines[i];
    x[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

void scale(float factor, std::size_t n, float* x) {
  const Vector f = set(factor);
  map(x, n, x, [&](Vector v) HWY_ATTR { return hn::Mul(v, f); });
}

constexpr ActivationKernels kKernels{layer_norm, rms_norm,      activate,     gate, exp_columns,
                                     add,        rotate_halves, rotate_pairs, scale};

}  // namespace HWY_NAMESPACE
}  // namespace kith::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "simd/by_level.h"

namespace kith::simd {
namespace {

const ActivationKernels& choose() { KITH_RETURN_BY_LEVEL(level(), kKernels) }

}  // namespace

const ActivationKernels& activation_kernels() {
  static const ActivationKernels& chosen = choose();
  return chosen;
}

}  // namespace kith::simd
#endif  // HWY_ONCE

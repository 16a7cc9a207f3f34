#include "learn/nn/dropout.h"

#include <cmath>

#include "base/random.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr double kLevels = 65536;

// A few multiplications a value, which compilers do for many at once (Wellons, "Prospecting for
// hash functions", 2018).
inline std::uint32_t mixed(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

[[gnu::target_clones("default", "avx2", "avx512f")]] void drop(const float* from, float* to,
                                                               std::uint32_t count, float scale,
                                                               std::uint32_t threshold,
                                                               std::uint32_t seed) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const float kept = from[i] * scale;
    to[i] = (mixed(seed + i) & 0xffffu) < threshold ? 0 : kept;
  }
}

at::Tensor dropped(const at::Tensor& x, std::int64_t threshold, std::int64_t seed) {
  const at::Tensor from = x.contiguous(), to = torch::empty_like(from);
  const auto level = static_cast<std::uint32_t>(threshold);
  const auto scale = static_cast<float>(kLevels / (kLevels - static_cast<double>(level)));
  constexpr std::int64_t kRun = std::int64_t{1} << 24;  // values from one seed
  auto state = static_cast<std::uint64_t>(seed);
  for (std::int64_t at = 0; at < from.numel(); at += kRun) {
    drop(from.data_ptr<float>() + at, to.data_ptr<float>() + at,
         static_cast<std::uint32_t>(std::min(kRun, from.numel() - at)), scale, level,
         static_cast<std::uint32_t>(split_mix(state)));
  }
  return to;
}

struct Drop : torch::autograd::Function<Drop> {
  static Variable forward(AutogradContext* context, const Variable& x, std::int64_t threshold,
                          std::int64_t seed) {
    context->saved_data["threshold"] = threshold;
    context->saved_data["seed"] = seed;
    return dropped(x, threshold, seed);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {dropped(gradients[0], context->saved_data["threshold"].toInt(),
                    context->saved_data["seed"].toInt()),
            {},
            {}};
  }
};

}  // namespace

at::Tensor Dropout::operator()(const at::Tensor& x, double rate) {
  if (!on_ || rate == 0) return x;
  if (!(rate > 0 && rate < 1)) refuse("dropout of " + std::to_string(rate) + ", expected 0 to 1");
  if (!x.is_cpu()) return torch::dropout(x, rate, true);
  const auto threshold = static_cast<std::int64_t>(std::lround(rate * kLevels));
  return Drop::apply(x, std::min<std::int64_t>(threshold, 65535),
                     static_cast<std::int64_t>(split_mix(state_)));
}

}  // namespace kith::learn

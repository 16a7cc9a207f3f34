#include "learn/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kith/error.h"

namespace kith::learn {

double schedule_factor(const ScheduleOptions& options, std::int64_t step, std::int64_t steps) {
  const auto total = static_cast<double>(steps), at = static_cast<double>(step);
  const double warmup =
      options.warmup >= 1 ? std::floor(options.warmup) : std::floor(options.warmup * total);
  if (at < warmup) return (at + 1) / warmup;
  if (options.shape == "constant") return 1;
  const double done = std::clamp((at - warmup) / std::max(total - warmup, 1.0), 0.0, 1.0);
  if (options.shape == "linear") return 1 - done * (1 - options.floor);
  if (options.shape != "cosine") {
    throw Error(ErrorCode::invalid_argument,
                "schedule '" + options.shape + "', expected linear, cosine or constant");
  }
  return options.floor + (1 - options.floor) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace kith::learn

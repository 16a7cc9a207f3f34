// How the learning rate changes over a training.
#pragma once

#include <cstdint>
#include <string>

namespace kith::learn {

struct ScheduleOptions {
  // What follows the warm-up: "linear" or "cosine" down to `floor` at the last step, or "constant".
  std::string shape = "linear";
  // Steps over which the rate rises from 0: whole steps where 1 or more, else a share of all.
  double warmup = 0.1;
  double floor = 0;  // a share of the full rate
};

// What the full rate is multiplied by at a step, from 0 to `steps` - 1. The first step's factor is
// that of a rise's first step, 1 / (warm-up steps), never 0.
double schedule_factor(const ScheduleOptions& options, std::int64_t step, std::int64_t steps);

}  // namespace kith::learn

// One training by several processes: started here, or by what set the environment of torch's
// launchers (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT).
#pragma once

#include <cstddef>
#include <functional>

#include "learn/learn.h"

namespace kith::cli {

// This process' place by the environment; alone where WORLD_SIZE isn't set. Throws
// invalid_argument, naming the variable, for what is missing or no number.
learn::ProcessPlace place_in_environment();

using Report = std::function<void(const learn::TrainSummary& summary)>;

// Trains by `count` new processes, which share the threads; the first one reports. All end when one
// fails, and that one's error is thrown.
void train_together(learn::TrainRequest request, std::size_t count, const Report& report);

}  // namespace kith::cli

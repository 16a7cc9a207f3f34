// One training by several processes: started here, or by what set the environment of torch's
// launchers (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT).
#pragma once

#include <cstddef>

#include "learn/learn.h"

namespace kith::cli {

// This process' place by the environment; alone where WORLD_SIZE isn't set. Throws
// invalid_argument, naming the variable, for what is missing or no number.
learn::ProcessPlace place_in_environment();

// Trains by `count` processes, of which this is the first, and which share its threads. All end
// when one fails; what is thrown is that one's error.
learn::TrainSummary train_together(learn::TrainRequest request, std::size_t count);

}  // namespace kith::cli

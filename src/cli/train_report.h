// What a training is said to have come to.
#pragma once

#include "cli/times.h"
#include "learn/learn.h"

namespace kith::cli {

void print_training(const learn::TrainSummary& summary, const Times& times, bool json);

}  // namespace kith::cli

// All that an interrupted training goes on from, in one kith file, which is written whole or not at
// all.
#pragma once

#include <cstdint>
#include <string>

#include "kith/control.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

struct Checkpoint {
  std::int64_t step = 0;  // taken
  std::string recipe;     // which training it is of
  std::string progress;   // JSON, the trainer's own
  std::string task;       // what is trained adds this
  Parameters tensors;     // of the model, the optimiser ...; float32
};

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint,
                      const Control& control);
// Throws not_found, corrupt as KithFileReader does.
Checkpoint read_checkpoint(const std::string& path, const Control& control);

}  // namespace kith::learn

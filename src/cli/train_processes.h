// One training by one or several processes: started here, or by what set the environment of torch's
// launchers (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT).
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <functional>

#include "learn/learn.h"

namespace kith::cli {

// --processes N; 0 where it isn't given: as the environment says, else one.
void add_processes_option(CLI::App& verb, std::size_t& processes);

// What libkith-learn is asked for.
using Training = learn::TrainSummary (*learn::Registry::*)(const learn::TrainRequest& request);
using Report = std::function<void(const learn::TrainSummary& summary)>;

// Trains by so many new processes, which share the threads, or in this one; the first one reports.
// All end when one fails, and that one's error is thrown. Throws invalid_argument, naming the
// variable, for what the environment lacks or has wrong.
void train_by(std::size_t processes, Training training, learn::TrainRequest request,
              const Report& report);

}  // namespace kith::cli

// What a verb took, as its record says it.
#pragma once

#include "cli/format.h"
#include "cli/stopwatch.h"
#include "cli/table.h"

namespace kith::cli {

struct Times {
  explicit Times(const Stopwatch& watch) : wall(watch.wall_seconds()), cpu(watch.cpu_seconds()) {}
  double wall, cpu;  // seconds
};

inline void add_times(Record& record, const Times& times) {
  record.add("wall_seconds", "wall time", Cell(times.wall, seconds_text(times.wall)));
  record.add("cpu_seconds", "CPU time", Cell(times.cpu, seconds_text(times.cpu)));
}

}  // namespace kith::cli

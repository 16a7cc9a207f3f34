// Builds kith's peers on one data set, sweeps their settings and times them side by side.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers_module.h"
#include "cli/peers_data.h"
#include "kith/control.h"

namespace kith::cli {

// Searches a second; 0 when not measured.
struct PeersRate {
  double cpu = 0;   // by the processor time of all threads
  double wall = 0;  // by the clock
};

struct PeersPoint {
  bench::Setting setting;
  double recall = 0;  // recall@10, tie-aware
  PeersRate single, batched;
};

struct PeersEntry {
  bench::Variant variant;
  double build_cpu_seconds = 0, build_wall_seconds = 0;
  bool from_cache = false;  // built by an earlier run, whose seconds these are
  std::size_t bytes = 0;
  std::vector<PeersPoint> points;  // narrow to wide
};

struct PeersRunOptions {
  std::size_t threads = 1, build_threads = 1;
  std::size_t rounds = 5;
  bool fresh = false;  // builds what the cache holds as well
  bool all = false;    // extra variants too
  std::string only;    // comma-separated; variants whose "peer name" holds one of them
  std::string cache;   // folder of built indexes
  std::vector<double> targets;
  Control control;
};

// Every variant of the module that `only` lets pass, measured in interleaved rounds.
std::vector<PeersEntry> run_peers(const bench::PeersModule& module, const PeersData& data,
                                  const PeersRunOptions& options);

// The point with the highest single (or batched) rate among those that reach the recall; null when
// none does.
const PeersPoint* best_point(const PeersEntry& entry, double recall, bool batched = false);

}  // namespace kith::cli

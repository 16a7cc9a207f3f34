// What the tool asks of libkith-learn, which it loads for verbs that learn: functions without
// LibTorch in sight.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kith/control.h"

namespace kith::learn {

struct TrainRequest {
  std::string recipe;                 // a TOML file
  std::vector<std::string> settings;  // "train.steps=100", which overrule it
  bool restart = false;               // forgets an interrupted run's checkpoint
  Control control;
};

// One line of what a training measures, as its log holds it.
struct TrainLine {
  std::int64_t step = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0;
};
struct ValidationLine {
  std::int64_t step = 0;
  std::string metric;
  double score = 0;
};

struct TrainSummary {
  std::string output;
  std::int64_t steps = 0, first_step = 0;  // taken in all; where this run went on
  std::int64_t parameters = 0, trained = 0;
  std::int64_t candidates = 0;           // that a query is told apart from at a step
  double first_loss = 0, last_loss = 0;  // means over a twentieth of the steps
  std::vector<TrainLine> lines;
  std::vector<ValidationLine> validations;
  std::int64_t best_step = 0;  // whose weights were kept; 0: the last one's
  double tokens_per_second = 0, cpu_seconds = 0;
};

struct Registry {
  TrainSummary (*train)(const TrainRequest& request) = nullptr;
};

// The one entry of libkith-learn.so, which fills the registry.
using RegisterEntry = void (*)(Registry& registry);
inline constexpr char kRegisterEntry[] = "kith_learn_register";

}  // namespace kith::learn

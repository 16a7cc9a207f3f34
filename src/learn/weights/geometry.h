// How task vectors lie to each other, for people: lengths and angles. Near 90 degrees, tasks
// were learned in directions of their own; above, they undo each other.
#pragma once

#include <vector>

#include "learn/weights/task_vectors.h"

namespace kith::learn {

struct Geometry {
  std::vector<double> norms;
  std::vector<std::vector<double>> angles;  // degrees; NaN with a vector of length 0
};

Geometry geometry_of(const TaskVectors& vectors);

}  // namespace kith::learn

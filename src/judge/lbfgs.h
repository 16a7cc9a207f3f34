// Minimises a smooth function by L-BFGS (Liu and Nocedal, "On the limited memory BFGS method for
// large scale optimization", 1989), with steps that halve until they bring enough (Armijo, 1966).
// For convex functions: steps whose curvature isn't positive are not remembered.
#pragma once

#include <Eigen/Core>
#include <functional>

namespace kith::judge {

struct LbfgsOptions {
  int iterations = 100;
  int memory = 10;                // past steps that shape the next one
  double gradient = 1e-4;         // ends when no component of the gradient is larger
  double progress = 2.220446e-9;  // or when a step lowers the value by less than this share
};

// The value at x, and the gradient there.
using Objective = std::function<double(const Eigen::VectorXd& x, Eigen::VectorXd& gradient)>;

// Starts at x and leaves the minimum there; returns the iterations taken.
int minimise(const Objective& objective, Eigen::VectorXd& x, const LbfgsOptions& options = {});

}  // namespace kith::judge

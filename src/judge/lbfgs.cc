#include "judge/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

namespace kith::judge {
namespace {

struct Step {
  Eigen::VectorXd move, change;  // of x and of the gradient
  double product;                // of the two
};

// The gradient times the inverse Hessian that the steps suggest: the two-loop recursion.
Eigen::VectorXd direction(const Eigen::VectorXd& gradient, const std::deque<Step>& steps) {
  Eigen::VectorXd result = gradient;
  std::vector<double> weights(steps.size());
  for (std::size_t i = steps.size(); i-- > 0;) {
    weights[i] = steps[i].move.dot(result) / steps[i].product;
    result -= weights[i] * steps[i].change;
  }
  if (steps.empty()) {
    result /= std::max(1.0, gradient.norm());
  } else {
    result *= steps.back().product / steps.back().change.squaredNorm();
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double weight = steps[i].change.dot(result) / steps[i].product;
    result += (weights[i] - weight) * steps[i].move;
  }
  return -result;
}

}  // namespace

int minimise(const Objective& objective, Eigen::VectorXd& x, const LbfgsOptions& options) {
  constexpr double kEnough = 1e-4;  // of the decrease that the slope promises
  constexpr double kShortest = 1e-12;
  Eigen::VectorXd gradient(x.size()), next_gradient(x.size());
  double value = objective(x, gradient);
  std::deque<Step> steps;
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    if (gradient.cwiseAbs().maxCoeff() <= options.gradient) return iteration;
    const Eigen::VectorXd toward = direction(gradient, steps);
    const double slope = gradient.dot(toward);
    double length = 1, next_value = 0;
    Eigen::VectorXd next;
    for (;; length /= 2) {
      next = x + length * toward;
      next_value = objective(next, next_gradient);
      if (next_value <= value + kEnough * length * slope) break;
      if (length < kShortest) return iteration;  // rounding hides what is left
    }
    Step step{next - x, next_gradient - gradient, 0};
    step.product = step.move.dot(step.change);
    if (step.product > 0) steps.push_back(std::move(step));
    if (static_cast<int>(steps.size()) > options.memory) steps.pop_front();
    const double scale = std::max({std::abs(value), std::abs(next_value), 1.0});
    const bool stalled = value - next_value <= options.progress * scale;
    x = std::move(next);
    gradient = next_gradient;
    value = next_value;
    if (stalled) return iteration + 1;
  }
  return options.iterations;
}

}  // namespace kith::judge

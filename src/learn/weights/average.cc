#include "learn/weights/average.h"

#include <cmath>

#include "kith/error.h"

namespace kith::learn {
namespace {

std::vector<double> given_or_ones(const TaskVectors& vectors, const std::vector<double>& weights) {
  if (weights.empty()) return std::vector<double>(vectors.size(), 1);
  check_one_each(vectors, weights, "weights");
  return weights;
}

}  // namespace

std::vector<double> average_coefficients(const TaskVectors& vectors,
                                         const std::vector<double>& weights) {
  std::vector<double> shares = given_or_ones(vectors, weights);
  double sum = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] < 0) {
      throw Error(ErrorCode::invalid_argument, vectors.names[i] + ": weight " +
                                                   std::to_string(shares[i]) +
                                                   ", expected 0 or more for an average");
    }
    sum += shares[i];
  }
  if (sum == 0) {
    throw Error(ErrorCode::invalid_argument, "all weights are 0, expected one above 0");
  }
  for (double& share : shares) share /= sum;
  return shares;
}

std::vector<double> arithmetic_coefficients(const TaskVectors& vectors,
                                            const std::vector<double>& weights, double scale) {
  if (!std::isfinite(scale)) {
    throw Error(ErrorCode::invalid_argument,
                "scale " + std::to_string(scale) + ", expected a finite number");
  }
  std::vector<double> coefficients = given_or_ones(vectors, weights);
  for (double& coefficient : coefficients) coefficient *= scale;
  return coefficients;
}

}  // namespace kith::learn

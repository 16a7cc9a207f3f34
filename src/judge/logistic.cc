#include "judge/logistic.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kith/error.h"

namespace kith::judge {
namespace {

using Rows = Eigen::MatrixXd;
using Parameters = Eigen::Map<const Eigen::MatrixXd>;

// Parameters are a matrix of `outputs` rows: the weights, then a column of intercepts.
Rows scores_of(const Rows& rows, const Eigen::MatrixXd& weights,
               const Eigen::VectorXd& intercepts) {
  return (rows * weights.transpose()).rowwise() + intercepts.transpose();
}

// ln(1 + e^x) without overflow.
double soft_plus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// Turns scores into what the loss's derivative by them is, and returns the loss. `target` holds the
// place of each row's label.
double sigmoid_loss(Rows& scores, const std::vector<Eigen::Index>& target) {
  double loss = 0;
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    const double score = scores(i, 0);
    const double truth = static_cast<double>(target[static_cast<std::size_t>(i)]);
    loss += soft_plus(score) - truth * score;
    scores(i, 0) = 1 / (1 + std::exp(-score)) - truth;
  }
  return loss;
}

double softmax_loss(Rows& scores, const std::vector<Eigen::Index>& target) {
  double loss = 0;
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    const Eigen::Index label = target[static_cast<std::size_t>(i)];
    const double largest = scores.row(i).maxCoeff();
    const double own = scores(i, label) - largest;
    scores.row(i) = (scores.row(i).array() - largest).exp();
    const double sum = scores.row(i).sum();
    loss += std::log(sum) - own;
    scores.row(i) /= sum;
    scores(i, label) -= 1;
  }
  return loss;
}

}  // namespace

LogisticRegression::LogisticRegression(const Rows& rows, std::span<const Label> labels, double c,
                                       const LbfgsOptions& options)
    : labels_(labels.begin(), labels.end()) {
  std::sort(labels_.begin(), labels_.end());
  labels_.erase(std::unique(labels_.begin(), labels_.end()), labels_.end());
  if (labels_.size() < 2 || labels.size() != static_cast<std::size_t>(rows.rows())) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(labels.size()) + " labels of " + std::to_string(labels_.size()) +
                    " kinds for " + std::to_string(rows.rows()) +
                    " rows, expected one a row and at least two kinds");
  }
  std::vector<Eigen::Index> target;
  for (const Label label : labels) {
    target.push_back(std::lower_bound(labels_.begin(), labels_.end(), label) - labels_.begin());
  }
  const bool two = labels_.size() == 2;
  const Eigen::Index outputs = two ? 1 : static_cast<Eigen::Index>(labels_.size());
  const Eigen::Index width = rows.cols();
  Eigen::VectorXd parameters = Eigen::VectorXd::Zero(outputs * (width + 1));
  const Objective objective = [&](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    const Parameters all(x.data(), outputs, width + 1);
    const auto weights = all.leftCols(width);
    Rows scores = scores_of(rows, weights, all.col(width));
    const double loss = two ? sigmoid_loss(scores, target) : softmax_loss(scores, target);
    Eigen::Map<Eigen::MatrixXd> slopes(gradient.data(), outputs, width + 1);
    slopes.leftCols(width).noalias() = scores.transpose() * rows;
    slopes.leftCols(width) += weights / c;
    slopes.col(width) = scores.colwise().sum().transpose();
    return loss + weights.squaredNorm() / (2 * c);
  };
  minimise(objective, parameters, options);
  const Parameters all(parameters.data(), outputs, width + 1);
  weights_ = all.leftCols(width);
  intercepts_ = all.col(width);
}

std::vector<Label> LogisticRegression::predict(const Rows& rows) const {
  const Rows scores = scores_of(rows, weights_, intercepts_);
  std::vector<Label> predicted;
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    Eigen::Index best = 0;
    if (scores.cols() == 1) {
      best = scores(i, 0) > 0 ? 1 : 0;
    } else {
      scores.row(i).maxCoeff(&best);
    }
    predicted.push_back(labels_[static_cast<std::size_t>(best)]);
  }
  return predicted;
}

Rows rows_in_double(MatrixView<const float> rows, std::span<const std::uint32_t> which) {
  Rows result(static_cast<Eigen::Index>(which.size()), static_cast<Eigen::Index>(rows.cols()));
  for (std::size_t i = 0; i < which.size(); ++i) {
    const float* const row = rows.row(which[i]);
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = row[j];
    }
  }
  return result;
}

Rows rows_in_double(MatrixView<const float> rows) {
  std::vector<std::uint32_t> all(rows.rows());
  std::iota(all.begin(), all.end(), 0u);
  return rows_in_double(rows, all);
}

}  // namespace kith::judge

// Logistic regression with an L2 penalty, as the classification probe of MTEB fits it
// (scikit-learn's LogisticRegression by L-BFGS): minimises the sum of the samples' losses plus half
// of the weights' squares / C, the intercepts free. Two labels: one row of weights and the sigmoid;
// more: one row a label and the softmax.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

#include "judge/lbfgs.h"
#include "kith/label_metrics.h"
#include "kith/matrix.h"

namespace kith::judge {

class LogisticRegression {
 public:
  // `labels` holds one number a row. Throws invalid_argument for fewer than two different ones.
  LogisticRegression(const Eigen::MatrixXd& rows, std::span<const Label> labels, double c = 1,
                     const LbfgsOptions& options = {});

  std::vector<Label> predict(const Eigen::MatrixXd& rows) const;
  // One row of weights a label (or one row for two labels), and the intercepts.
  const Eigen::MatrixXd& weights() const { return weights_; }
  const Eigen::VectorXd& intercepts() const { return intercepts_; }

 private:
  std::vector<Label> labels_;  // ascending: what each row of weights stands for
  Eigen::MatrixXd weights_;
  Eigen::VectorXd intercepts_;
};

// Rows in double, those of the given numbers.
Eigen::MatrixXd rows_in_double(MatrixView<const float> rows, std::span<const std::uint32_t> which);
Eigen::MatrixXd rows_in_double(MatrixView<const float> rows);

}  // namespace kith::judge

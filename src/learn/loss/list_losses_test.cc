#include "learn/loss/list_losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

double plain(const std::string& name, Row s, Row t, double temperature) {
  const std::size_t n = s.size();
  double sum = 0;
  if (name == "mse") {
    for (std::size_t i = 0; i < n; ++i) sum += (s[i] - t[i]) * (s[i] - t[i]);
    return sum / static_cast<double>(n);
  }
  if (name == "margin_mse") {
    const auto best = static_cast<std::size_t>(std::ranges::max_element(t) - t.begin());
    for (std::size_t i = 0; i < n; ++i) sum += std::pow(s[i] - s[best] - (t[i] - t[best]), 2);
    return sum / static_cast<double>(n);
  }
  for (double& x : s) x /= temperature;
  for (double& x : t) x /= temperature;
  const auto share = [](const Row& x, std::size_t i) { return plain_softmax(x, i); };
  if (name == "ranknet") {
    double weights = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const double weight = share(t, i) - share(t, j);
        if (weight <= 0) continue;
        sum -= weight * std::log(1 / (1 + std::exp(s[j] - s[i])));
        weights += weight;
      }
    }
    return sum / weights;
  }
  for (std::size_t i = 0; i < n; ++i) {
    sum += name == "kl" ? share(s, i) * std::log(share(s, i) / share(t, i))
                        : -share(t, i) * std::log(share(s, i));
  }
  return sum;
}

TEST(ListLosses, EqualThePlainSums) {
  const Tensor student = random_tensor({3, 5}, 1), teacher = random_tensor({3, 5}, 2);
  for (const std::string name : kListLosses) {
    for (const double temperature : {0.5, 1.0, 3.0}) {
      double mean = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        mean += plain(name, rows_of(student)[i], rows_of(teacher)[i], temperature) / 3;
      }
      EXPECT_NEAR(value(list_loss(name, student, teacher, temperature)), mean, 1e-10) << name;
    }
  }
}

TEST(ListLosses, HaveTheGradientsThatAreMeasured) {
  const Tensor teacher = random_tensor({3, 4}, 2), student = random_tensor({3, 4}, 1);
  for (const std::string name : kListLosses) {
    expect_gradients(
        [&](const std::vector<Tensor>& x) { return list_loss(name, x[0], teacher, 0.5); },
        {student});
  }
}

TEST(ListLosses, AreLeastWhereTheStudentIsTheTeacher) {
  const Tensor teacher = random_tensor({2, 6}, 3);
  for (const std::string name : {"listnet", "kl", "mse", "margin_mse"}) {
    const double same = value(list_loss(name, teacher, teacher, 1));
    for (std::uint64_t seed = 4; seed < 8; ++seed) {
      const Tensor other = teacher + 0.1 * random_tensor({2, 6}, seed);
      EXPECT_GT(value(list_loss(name, other, teacher, 1)), same) << name;
    }
  }
}

TEST(ListLosses, RefuseOtherNamesAndShapes) {
  const Tensor scores = random_tensor({2, 3}, 1);
  EXPECT_THAT(error_of([&] { list_loss("hinge", scores, scores, 1); }), HasSubstr("'hinge'"));
  EXPECT_THAT(error_of([&] {
                list_loss("kl", scores, random_tensor({2, 4}, 1), 1);
              }),
              HasSubstr("teacher"));
  EXPECT_THAT(error_of([&] { list_loss("kl", scores, scores, 0); }), HasSubstr("temperature"));
}

}  // namespace
}  // namespace kith::learn

#include "learn/loss/code_ranking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

Tensor cosines(std::uint64_t seed) {
  torch::manual_seed(seed);
  return (2 * torch::rand({3, 5}, torch::kDouble) - 1);
}
Tensor nothing_masked() { return torch::zeros({3, 5}, torch::kBool); }

TEST(CodeRanking, GradientsAreThoseMeasured) {
  Tensor masked = nothing_masked();
  masked[1][4] = true;
  for (const std::int64_t hard : {0, 2}) {
    CodeRankingOptions options;
    options.temperature = 0.5;
    options.hard = hard;
    const Tensor teacher = cosines(2);
    expect_gradients(
        [&](const std::vector<Tensor>& x) {
          return code_ranking_loss(x[0], teacher, masked, options);
        },
        {cosines(1)});
  }
}

TEST(CodeRanking, TellsApartFromWhatIsLessNearAlone) {
  const Tensor student = cosines(1), teacher = cosines(2);
  CodeRankingOptions options;
  options.distillation = 0;
  options.temperature = 0.5;
  for (const std::int64_t hard : {0, 1}) {
    options.hard = hard;
    double sum = 0;
    for (std::int64_t i = 0; i < 3; ++i) {
      const double own = teacher[i][i].item<double>();
      double nearest = -2, all = std::exp(student[i][i].item<double>() / 0.5), of_nearest = 0;
      for (std::int64_t c = 0; c < 5; ++c) {
        const double t = teacher[i][c].item<double>();
        if (t >= own) continue;
        const double term = std::exp(student[i][c].item<double>() / 0.5);
        if (hard == 0) all += term;
        if (t > nearest) nearest = t, of_nearest = term;
      }
      if (hard == 1) all += of_nearest;
      sum += std::log(all) - student[i][i].item<double>() / 0.5;
    }
    const double loss =
        code_ranking_loss(student, teacher, nothing_masked(), options).item<double>();
    EXPECT_NEAR(loss, sum / 3, 1e-9) << hard;
  }
}

TEST(CodeRanking, MaskedCandidatesCountNothing) {
  Tensor masked = nothing_masked();
  masked[0][3] = true;
  const Tensor teacher = cosines(2), student = cosines(1);
  Tensor other = student.clone();
  other[0][3] = 0.77;
  EXPECT_EQ(code_ranking_loss(student, teacher, masked).item<double>(),
            code_ranking_loss(other, teacher, masked).item<double>());
}

TEST(CodeRanking, OfTheTeachersCosinesIsLeast) {
  CodeRankingOptions options;
  options.nce = 0;
  const Tensor teacher = cosines(2);
  const double least =
      code_ranking_loss(teacher, teacher, nothing_masked(), options).item<double>();
  for (const std::uint64_t seed : {3, 4, 5}) {
    const Tensor student = teacher + 0.05 * cosines(seed);
    EXPECT_GT(code_ranking_loss(student, teacher, nothing_masked(), options).item<double>(), least);
  }
}

TEST(CodeRanking, SaysWhatDoesNotFit) {
  const auto failure = [](const Tensor& student, const CodeRankingOptions& options = {}) {
    return error_of([&] { code_ranking_loss(student, cosines(2), nothing_masked(), options); });
  };
  EXPECT_THAT(failure(torch::zeros({3, 4}, torch::kDouble)), HasSubstr("teacher"));
  CodeRankingOptions options;
  options.temperature = 0;
  EXPECT_THAT(failure(cosines(1), options), HasSubstr("temperature"));
  options = {};
  options.nce = -1;
  EXPECT_THAT(failure(cosines(1), options), HasSubstr("weight"));
}

}  // namespace
}  // namespace kith::learn

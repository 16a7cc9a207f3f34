#include "learn/shards.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>

#include "learn/threads.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

class Shards : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    Control control;
    control.threads = GetParam();
    set_threads(control);
  }
};

TEST_P(Shards, EachPartRunsOnceOnOneThread) {
  EXPECT_EQ(shard_count(), GetParam());
  std::vector<std::atomic<int>> runs(37);
  run_shards(runs.size(), [&](std::size_t i) {
    EXPECT_EQ(at::get_num_threads(), 1);
    ++runs[i];
  });
  for (const auto& count : runs) EXPECT_EQ(count, 1);
  EXPECT_EQ(shard_count(), GetParam());
}

TEST_P(Shards, GradientsAreOnOrOffAsInTheCaller) {
  run_shards(4, [](std::size_t) { EXPECT_TRUE(at::GradMode::is_enabled()); });
  const torch::NoGradGuard off;
  run_shards(4, [](std::size_t) { EXPECT_FALSE(at::GradMode::is_enabled()); });
}

TEST_P(Shards, AnExceptionOfAPartIsThrownAndThreadsAreAsBefore) {
  EXPECT_THROW(run_shards(8,
                          [](std::size_t i) {
                            if (i == 3) throw std::runtime_error("part 3");
                          }),
               std::runtime_error);
  EXPECT_EQ(shard_count(), GetParam());
}

TEST_P(Shards, GradientsOfPartsAddUpToThoseOfTheWhole) {
  const at::Tensor x = torch::randn({12, 5}), weight = torch::randn({3, 5}).requires_grad_();
  const at::Tensor unused = torch::zeros({2}).requires_grad_();
  Parameters trained;
  trained.add("weight", weight);
  trained.add("unused", unused);
  torch::linear(x, weight).square().sum().backward();
  const at::Tensor whole = weight.grad().clone();
  weight.mutable_grad() = at::Tensor();
  ShardGradients gradients(trained, 3);
  run_shards(3, [&](std::size_t shard) {
    for (std::int64_t half = 0; half < 2; ++half) {
      const at::Tensor rows = x.narrow(0, 4 * static_cast<std::int64_t>(shard) + 2 * half, 2);
      gradients.add(shard, {torch::linear(rows, weight).square().sum()}, {});
    }
  });
  gradients.finish();
  EXPECT_TRUE(torch::allclose(weight.grad(), whole, 1e-5, 1e-5));
  EXPECT_FALSE(unused.grad().defined());
}

INSTANTIATE_TEST_SUITE_P(OneAndMore, Shards, testing::Values(1, 2, 3));

}  // namespace
}  // namespace kith::learn

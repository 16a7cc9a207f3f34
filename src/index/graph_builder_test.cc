#include "index/graph_builder.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

#include "base/random.h"
#include "codec/plain.h"
#include "index/packed_graph.h"

namespace kith {
namespace {

// A graph over points of different norms: those near the centre draw most edges.
class GraphBuilderTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::size_t kRows = 3000, kDim = 40;

  GraphBuilderTest() : codec_(kDim, Metric::l2), graph_(slots_to_build(parameters_.degree)) {
    parameters_.degree = 24;
    graph_ = Graph(slots_to_build(parameters_.degree));
    codec_.resize(kRows);
    graph_.resize(kRows);
    Random random(GetParam());
    std::vector<float> x(kDim);
    for (Id id = 0; id < kRows; ++id) {
      const double norm = 0.8 + 0.2 * random.uniform();
      for (float& value : x) value = static_cast<float>(norm * random.normal());
      codec_.encode(id, x.data());
    }
    nodes_.resize(kRows);
    std::iota(nodes_.begin(), nodes_.end(), Id{0});
  }

  std::vector<std::size_t> in_edges() const {
    std::vector<std::size_t> in(kRows, 0);
    for (Id node : nodes_) {
      for (Id target : graph_.neighbours(node)) ++in[target];
    }
    return in;
  }

  GraphParameters parameters_;
  Plain<float> codec_;
  Graph graph_;
  std::vector<Id> nodes_;
  const std::vector<Id> entries_ = {0};
  Control control_;
};

TEST_P(GraphBuilderTest, BalancingLeavesFewNodesThatFewEdgesLeadTo) {
  GraphBuilder builder(codec_, graph_, entries_, parameters_, control_);
  builder.insert(nodes_, 0);
  builder.trim(nodes_);
  const auto lacking = [&] {
    std::size_t count = 0;
    for (std::size_t in : in_edges()) count += in < parameters_.degree / 3 ? 1 : 0;
    return count;
  };
  const std::size_t before = lacking();
  ASSERT_GT(before, kRows / 20);
  builder.balance(nodes_);
  EXPECT_LT(lacking(), before / 4);
  for (Id node : nodes_) {
    const auto list = graph_.neighbours(node);
    EXPECT_LT(list.size(), parameters_.degree);
    const std::set<Id> distinct(list.begin(), list.end());
    EXPECT_EQ(distinct.size(), list.size());
    EXPECT_FALSE(distinct.contains(node));
  }
}

TEST_P(GraphBuilderTest, APackedGraphHoldsTheSameLists) {
  GraphBuilder builder(codec_, graph_, entries_, parameters_, control_);
  builder.insert(nodes_, 0);
  builder.trim(nodes_);
  const PackedGraph packed(graph_, parameters_.degree);
  EXPECT_EQ(packed.bits(), 12);  // 3,000 ids
  EXPECT_EQ(packed.storage().size(), kRows * parameters_.degree * 12 / 8);
  const Graph unpacked = packed.unpacked(parameters_.degree + 5);
  for (Id node : nodes_) {
    const auto want = graph_.neighbours(node), found = unpacked.neighbours(node);
    EXPECT_TRUE(std::equal(want.begin(), want.end(), found.begin(), found.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GraphBuilderTest, testing::Values(1, 2, 3));

}  // namespace
}  // namespace kith

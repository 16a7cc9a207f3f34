#include "learn/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "kith/error.h"
#include "learn/test_processes.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Processes, AloneChangeNothing) {
  const Processes alone;
  EXPECT_EQ(alone.count(), 1u);
  EXPECT_TRUE(alone.is_first());
  EXPECT_THAT(alone.share(3), ElementsAre(0, 1, 2));
  at::Tensor values = torch::ones({2});
  alone.sum(values);
  EXPECT_TRUE(torch::equal(values, torch::ones({2})));
  EXPECT_TRUE(alone.any(true));
  EXPECT_FALSE(alone.any(false));
  EXPECT_EQ(alone.from_first("text"), "text");
}

TEST(Processes, ShareAllPartsOnce) {
  run_together(3, [](const auto& own) {
    const auto parts = own->share(7);
    EXPECT_EQ(parts.size(), own->rank() == 0 ? 3u : 2u);
    at::Tensor seen = torch::zeros({7});
    for (const std::size_t part : parts) seen[static_cast<std::int64_t>(part)] += 1;
    own->sum(seen);
    EXPECT_TRUE(torch::equal(seen, torch::ones({7})));
  });
}

TEST(Processes, SumValuesAndAgree) {
  run_together(3, [](const auto& own) {
    const auto rank = static_cast<float>(own->rank());
    at::Tensor values = torch::tensor({1.0f, rank});
    own->sum(values);
    EXPECT_TRUE(torch::equal(values, torch::tensor({3.0f, 3.0f})));
    EXPECT_TRUE(own->any(own->rank() == 2));
    EXPECT_FALSE(own->any(false));
    const std::string text("a\0b", 3);
    EXPECT_EQ(own->from_first(own->is_first() ? text : "another"), text);
    EXPECT_EQ(own->from_first(""), "");
  });
}

TEST(Processes, SumGradientsThatSomeHaveAndLeaveThoseThatNoneHas) {
  run_together(2, [](const auto& own) {
    Parameters trained;
    for (const char* name : {"both", "second", "none"}) {
      trained.add(name, torch::zeros({2, 2}).requires_grad_());
    }
    const auto give = [&](const char* name, float value) {
      at::Tensor each = trained[name];
      each.mutable_grad() = torch::full({2, 2}, value);
    };
    give("both", own->rank() == 0 ? 1 : 2);
    if (own->rank() == 1) give("second", 5);
    own->sum_gradients(trained);
    EXPECT_TRUE(torch::equal(trained["both"].grad(), torch::full({2, 2}, 3.0f)));
    EXPECT_TRUE(torch::equal(trained["second"].grad(), torch::full({2, 2}, 5.0f)));
    EXPECT_FALSE(trained["none"].grad().defined());
  });
}

TEST(Processes, OneThatIsLostEndsTheOthers) {
  run_together(2, [](const auto& own) {
    if (own->rank() == 1) return;
    at::Tensor values = torch::ones({2});
    EXPECT_THAT(error_of([&] { own->sum(values); }), HasSubstr("process 0 of 2: lost the others"));
  });
}

TEST(Processes, OfPlacesThatCantBeAreRefused) {
  ProcessPlace place{.rank = 2, .count = 2};
  EXPECT_THAT(error_of([&] { Processes own(place); }), HasSubstr("process 2 of 2, expected"));
}

}  // namespace
}  // namespace kith::learn

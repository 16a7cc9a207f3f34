#include "learn/nn/future_decoder.h"

#include <gtest/gtest.h>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr std::int64_t kWidth = 16, kRows = 5, kAhead = 6;

FutureDecoder decoder(const std::string& first = "start") {
  FutureDecoderOptions options{.layers = 2, .pseudo_tokens = 3, .ahead = kAhead};
  options.first = first;
  FutureDecoder made(options, kWidth, 2, 7);
  // Larger than at the start of a training, so that differences show.
  const torch::NoGradGuard constant;
  for (const Parameter& each : made.parameters()) {
    if (each.value.dim() == 2) at::Tensor(each.value).mul_(10);
  }
  return made;
}

TEST(FutureDecoder, ATokenAheadReadsThoseBeforeItAlone) {
  const FutureDecoder made = decoder();
  torch::manual_seed(1);
  const at::Tensor states = torch::randn({kRows, kWidth}), own = torch::randn({kRows, kWidth});
  const at::Tensor following = torch::randn({kRows, kAhead - 1, kWidth});
  const at::Tensor whole = made(states, own, following);
  for (std::int64_t k = 0; k + 1 < kAhead; ++k) {
    at::Tensor changed = following.clone();
    changed.select(1, k).add_(torch::randn({kRows, kWidth}));
    const at::Tensor other = made(states, own, changed);
    // Token k is read by rows k + 1 and on.
    EXPECT_TRUE(torch::allclose(whole.narrow(1, 0, k + 1), other.narrow(1, 0, k + 1)));
    EXPECT_FALSE(torch::allclose(whole.select(1, k + 1), other.select(1, k + 1), 1e-3, 1e-3));
  }
}

TEST(FutureDecoder, APlaceIsToldFromItsOwnStateAlone) {
  const FutureDecoder made = decoder();
  const at::Tensor states = torch::randn({kRows, kWidth}), own = torch::randn({kRows, kWidth});
  const at::Tensor following = torch::randn({kRows, kAhead - 1, kWidth});
  const at::Tensor whole = made(states, own, following);
  at::Tensor changed = states.clone();
  changed[2].add_(torch::randn({kWidth}));
  const at::Tensor other = made(changed, own, following);
  for (std::int64_t row = 0; row < kRows; ++row) {
    EXPECT_EQ(torch::allclose(whole[row], other[row], 1e-4, 1e-4), row != 2);
  }
}

TEST(FutureDecoder, ReadsTheTokenOfThePlaceOnlyWhenToldTo) {
  const at::Tensor states = torch::randn({kRows, kWidth}), own = torch::randn({kRows, kWidth});
  const at::Tensor following = torch::randn({kRows, kAhead - 1, kWidth});
  for (const char* first : {"start", "token"}) {
    const FutureDecoder made = decoder(first);
    const bool same = torch::allclose(made(states, own, following),
                                      made(states, own + torch::randn({kRows, kWidth}), following));
    EXPECT_EQ(same, std::string(first) == "start");
  }
}

TEST(FutureDecoder, RefusesWhatCannotBe) {
  EXPECT_THROW(FutureDecoder({.first = "end"}, 16, 2, 1), Error);
  EXPECT_THROW(FutureDecoder({.layers = 0}, 16, 2, 1), Error);
  EXPECT_THROW(FutureDecoder({.heads = 3}, 16, 2, 1), Error);
}

}  // namespace
}  // namespace kith::learn

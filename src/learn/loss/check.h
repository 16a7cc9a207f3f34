// What every objective refuses, with messages that name the thing, the value and what was expected.
// All throw kith::Error invalid_argument. Values inside tensors are not looked at: that would make
// an accelerator wait.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "learn/refuse.h"
#include "learn/tensor.h"

namespace kith::learn {

inline constexpr std::int64_t kAnySize = -1;  // any number of rows or columns but none

// `what` names the tensor: "info_nce: positives".
void expect_shape(std::string_view what, const Tensor& tensor,
                  std::initializer_list<std::int64_t> shape);

void expect_positive(std::string_view what, double value);      // finite and above 0
void expect_not_negative(std::string_view what, double value);  // finite and at least 0

}  // namespace kith::learn

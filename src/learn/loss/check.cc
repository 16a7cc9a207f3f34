#include "learn/loss/check.h"

#include <cmath>
#include <sstream>
#include <string_view>
#include <vector>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

bool fits(const Tensor& tensor, const std::vector<std::int64_t>& shape) {
  if (!tensor.defined() || tensor.dim() != static_cast<std::int64_t>(shape.size())) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t size = tensor.size(static_cast<std::int64_t>(i));
    if (shape[i] == kAnySize ? size == 0 : size != shape[i]) return false;
  }
  return true;
}

std::string words(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    text += text.empty() ? "[" : ", ";
    text += size == kAnySize ? "1 or more" : std::to_string(size);
  }
  return text.empty() ? "a scalar" : text + "]";
}

std::string number(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

void expect_shape(std::string_view what, const Tensor& tensor,
                  std::initializer_list<std::int64_t> shape) {
  if (fits(tensor, shape)) return;
  const std::string seen = tensor.defined() ? words(tensor.sizes().vec()) : "undefined";
  refuse(std::string(what) + ": " + seen + ", expected " + words(shape));
}

void expect_positive(std::string_view what, double value) {
  if (std::isfinite(value) && value > 0) return;
  refuse(std::string(what) + ": " + number(value) + ", expected a finite number above 0");
}

void expect_not_negative(std::string_view what, double value) {
  if (std::isfinite(value) && value >= 0) return;
  refuse(std::string(what) + ": " + number(value) + ", expected a finite number of at least 0");
}

}  // namespace kith::learn

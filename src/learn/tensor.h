// The name of LibTorch's tensor, for headers that pass it by reference or return it.
#pragma once

namespace at {
class Tensor;
}

namespace kith::learn {

using at::Tensor;

}  // namespace kith::learn

// Where a model computes, by name.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace kith::learn {

// "cpu", "cuda" or "cuda:1". Throws invalid_argument for other names and for a device that this
// machine or this LibTorch doesn't have.
at::Device find_device(const std::string& name);

}  // namespace kith::learn

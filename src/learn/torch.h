// All of LibTorch, precompiled. Only source files include it; headers take learn/tensor.h.
#pragma once

#include <torch/torch.h>

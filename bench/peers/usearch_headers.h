// USearch's headers with NumKong's kernels, chosen at compile time for this processor: NumKong as a
// header only, like the other peers. USearch looks its kernels up through a function that only the
// compiled NumKong has; the one below stands in for it, for the metrics compared here.
#pragma once

#define USEARCH_USE_NUMKONG 1
#define NK_DYNAMIC_DISPATCH 0
#define NK_NATIVE_BF16 0  // g++ 12 has the instructions but no type
#define NK_NATIVE_F16 0

#include <numkong/numkong.h>

#include <cstring>

inline void nk_find_kernel_punned(nk_kernel_kind_t kind, nk_dtype_t dtype, nk_capability_t,
                                  nk_kernel_punned_t* kernel, nk_capability_t* capability) {
  const bool dot = kind == nk_kernel_dot_k, angular = kind == nk_kernel_angular_k;
  const void* chosen = nullptr;
  const auto choose = [&](auto* of_dot, auto* of_angular) {
    if (dot) chosen = reinterpret_cast<const void*>(of_dot);
    if (angular) chosen = reinterpret_cast<const void*>(of_angular);
  };
  if (dtype == nk_f32_k) choose(&nk_dot_f32, &nk_angular_f32);
  if (dtype == nk_bf16_k) choose(&nk_dot_bf16, &nk_angular_bf16);
  if (dtype == nk_i8_k) choose(&nk_dot_i8, &nk_angular_i8);
  // USearch passes a pointer to another type of function pointer. Only a copy of bytes may write
  // there: after an assignment, an inlining compiler lets USearch find what was there before.
  std::memcpy(static_cast<void*>(kernel), &chosen, sizeof(chosen));
  *capability = nk_capabilities_compiled();
}

#include <usearch/index_dense.hpp>

// The raw intrinsics, quietly: g++ 12 takes the deliberately undefined registers inside its own
// AVX-512 functions for uninitialised variables.
#pragma once

#if defined(__x86_64__)
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

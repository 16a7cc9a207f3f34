#include "simd/dispatch.h"

#include <cstdint>
#include <cstdlib>

#include "kith/error.h"
#include "simd/tables.h"

#if KITH_X86
#include <cpuid.h>
#endif

namespace kith::simd {
namespace {

struct Named {
  Level level;
  std::string_view name;
};
constexpr Named kNames[] = {
    {Level::scalar, "scalar"},
    {Level::sse4, "sse4"},
    {Level::avx2, "avx2"},
    {Level::avx512, "avx512"},
    {Level::avx512vnni, "avx512vnni"},
    {Level::avx512bf16, "avx512bf16"},
    {Level::amx, "amx"},
    {Level::neon, "neon"},
};

#if KITH_X86

struct CpuId {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

// Zeros for a leaf the processor does not have.
CpuId cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  CpuId r;
  if (__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d) == 0) return {};
  return r;
}

// Which register states the operating system saves: bit 1 SSE, 2 AVX, 5 to 7 AVX-512, 17 and 18
// AMX.
std::uint64_t saved_states() {
  std::uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

bool has(std::uint32_t word, std::initializer_list<int> bits) {
  for (const int bit : bits) {
    if (((word >> bit) & 1) == 0) return false;
  }
  return true;
}

Level best_x86() {
  const CpuId one = cpuid(1, 0), seven = cpuid(7, 0), seven_one = cpuid(7, 1);
  const CpuId extended = cpuid(0x80000001u, 0);
  // SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT
  if (!has(one.c, {0, 9, 19, 20, 23})) return Level::scalar;
  // OSXSAVE, AVX, FMA, F16C, MOVBE; LZCNT; BMI1, AVX2, BMI2
  if (!has(one.c, {27, 28, 12, 29, 22}) || !has(extended.c, {5}) || !has(seven.b, {3, 5, 8}) ||
      (saved_states() & 0x06) != 0x06) {
    return Level::sse4;
  }
  // AVX-512 F, DQ, CD, BW, VL
  if (!has(seven.b, {16, 17, 28, 30, 31}) || (saved_states() & 0xe6) != 0xe6) return Level::avx2;
  // VBMI, VNNI, BITALG, VPOPCNTDQ
  if (!has(seven.c, {1, 11, 12, 14})) return Level::avx512;
  if (!has(seven_one.a, {5})) return Level::avx512vnni;
  constexpr std::uint64_t kTileStates = std::uint64_t{3} << 17;
  // AMX for bfloat16, tiles, bytes
  if (!has(seven.d, {22, 24, 25}) || (saved_states() & kTileStates) != kTileStates) {
    return Level::avx512bf16;
  }
  return Level::amx;
}

#endif

Level choose() {
  const std::vector<Level> supported = supported_levels();
  const char* forced = std::getenv("KITH_SIMD");
  if (forced == nullptr || *forced == '\0') return supported.back();
  std::string choices;
  for (const Level level : supported) {
    if (name(level) == forced) return level;
    choices += (choices.empty() ? "" : ", ") + std::string(name(level));
  }
  throw Error(ErrorCode::invalid_argument, "KITH_SIMD: \"" + std::string(forced) +
                                               "\", but this processor's instruction sets are " +
                                               choices);
}

}  // namespace

std::string_view name(Level level) {
  for (const Named& named : kNames) {
    if (named.level == level) return named.name;
  }
  return "unknown";
}

std::vector<Level> supported_levels() {
  std::vector<Level> levels = {Level::scalar};
#if KITH_X86
  static const Level best = best_x86();
  for (const Level level : {Level::sse4, Level::avx2, Level::avx512, Level::avx512vnni,
                            Level::avx512bf16, Level::amx}) {
    if (level <= best) levels.push_back(level);
  }
#elif defined(__aarch64__)
  levels.push_back(Level::neon);
#endif
  return levels;
}

Level level() {
  static const Level chosen = choose();
  return chosen;
}

}  // namespace kith::simd

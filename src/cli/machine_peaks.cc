#include "cli/machine_peaks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <vector>

#include "simd/dispatch.h"
#include "simd/intrinsics.h"
#include "simd/narrow_tiles.h"

namespace kith::cli {
namespace {

using simd::Level;

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Keeps what lies at an address, and what it depends on, from being optimised away.
inline void keep(const void* value) { __asm__ volatile("" : : "r"(value) : "memory"); }

constexpr int kSteps = 4096;  // of one run of a peak loop
// Enough to hide the latency, few enough for 16 registers. Each chain starts from another value:
// equal ones would be computed once, which measures the latency of one and calls it twelve.
constexpr int kChains = 12;

// The compiler's own vectors: they become the instructions of the function that a loop is inlined
// into.
template <class T, int kBytes>
struct Wide {
  typedef T Vector __attribute__((vector_size(kBytes)));
};

template <int kBytes>
__attribute__((always_inline)) inline void fma_loop(float start) {
  using Vector = typename Wide<float, kBytes>::Vector;
  const Vector a = Vector{} + start, b = a * 0.5f;
  Vector sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = Vector{} + static_cast<float>(c);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      sum[c] = a * sum[c] + b;
    }
  }
  keep(sum);
}

template <int kBytes>
__attribute__((always_inline)) inline void load_loop(const std::byte* memory, std::size_t bytes,
                                                     int passes) {
  using Vector = typename Wide<std::uint64_t, kBytes>::Vector;
  Vector sum[8] = {};
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t i = 0; i + 8 * kBytes <= bytes; i += 8 * kBytes) {
#pragma GCC unroll 8
      for (int c = 0; c < 8; ++c) {
        Vector x;
        std::memcpy(&x, memory + i + c * kBytes, kBytes);
        sum[c] |= x;
      }
    }
    keep(memory);
  }
  keep(sum);
}

#if defined(__x86_64__)

__attribute__((target("avx512f"))) void fma_512(float start) { fma_loop<64>(start); }
__attribute__((target("avx2,fma"))) void fma_256(float start) { fma_loop<32>(start); }
__attribute__((target("avx512f"))) void load_512(const std::byte* p, std::size_t n, int passes) {
  load_loop<64>(p, n, passes);
}
__attribute__((target("avx2"))) void load_256(const std::byte* p, std::size_t n, int passes) {
  load_loop<32>(p, n, passes);
}

__attribute__((target("avx512f,avx512vnni"))) void vnni_512() {
  __m512i sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = _mm512_set1_epi32(c);
  const __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
  for (int i = 0; i < kSteps; i += 2) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {  // two at a time: GCC 12 moves the sums between steps
      sum[c] = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum[c], a, b), a, b);
    }
  }
  keep(sum);
}

__attribute__((target("avx512f,avx512bw,avx512bf16"))) void bf16_512() {
  __m512 sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = _mm512_set1_ps(static_cast<float>(c));
  const __m512bh a = (__m512bh)_mm512_set1_epi16(0x3f80);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      sum[c] = _mm512_dpbf16_ps(sum[c], a, a);
    }
  }
  keep(sum);
}

// Tile registers: 16 rows by 16 outputs by 64 bytes an instruction.
constexpr double kTileBytes = 16 * 16 * 64;
__attribute__((target("amx-tile,amx-int8"))) void amx_bytes() {
  for (int i = 0; i < kSteps; ++i) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
}
__attribute__((target("amx-tile,amx-bf16"))) void amx_bf16() {
  for (int i = 0; i < kSteps; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

__attribute__((target("avx512f,avx512vpopcntdq"))) void popcount_512() {
  __m512i sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = _mm512_set1_epi64(c);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      sum[c] = _mm512_popcnt_epi64(sum[c]);
    }
  }
  keep(sum);
}

#endif

// The scalar loop has no vectors, nor has the level of that name.
void fma_scalar(float start) {
  float sum[kChains] = {};
  const float b = start * 0.5f;
  for (int i = 0; i < kSteps; ++i) {
    for (float& s : sum) s = start * s + b;
    keep(sum);
  }
}

void fma_128(float start) {
#if defined(__x86_64__)
  fma_loop<16>(start);
#else
  fma_scalar(start);
#endif
}

void run_fma(Level level, float start) {
#if defined(__x86_64__)
  if (level >= Level::avx512) return fma_512(start);
  if (level == Level::avx2) return fma_256(start);
#endif
  return level == Level::scalar ? fma_scalar(start) : fma_128(start);
}

double fma_lanes(Level level) {
  if (level == Level::scalar) return 1;
  if (level == Level::avx2) return 8;
  return level == Level::sse4 || level == Level::neon ? 4 : 16;
}

void run_load(Level level, const std::byte* p, std::size_t n, int passes) {
#if defined(__x86_64__)
  if (level >= Level::avx512) return load_512(p, n, passes);
  if (level == Level::avx2) return load_256(p, n, passes);
#endif
  static_cast<void>(level);
  load_loop<16>(p, n, passes);
}

// Lines a second, read at addresses that don't depend on each other.
double random_lines(std::span<const std::byte> memory) {
  constexpr std::size_t kReads = 1 << 15;
  const std::uint64_t lines = memory.size() / 64;
  std::uint64_t state = 1;
  const auto read = [&] {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kReads; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const std::uint64_t line = ((state >> 32) * lines) >> 32;
      sum += static_cast<std::uint64_t>(memory[line * 64]);
    }
    keep(&sum);
  };
  return kReads / seconds_per_run(read, 0.05, 5);
}

// Memory on pages of 4 KiB, whatever the system prefers.
class SmallPages {
 public:
  explicit SmallPages(std::size_t bytes) : size_(bytes) {
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
      size_ = 0;
      return;
    }
    data_ = static_cast<std::byte*>(p);
    madvise(p, bytes, MADV_NOHUGEPAGE);
    for (std::size_t i = 0; i < bytes; i += 4096) data_[i] = std::byte{1};
  }
  ~SmallPages() {
    if (data_ != nullptr) munmap(data_, size_);
  }
  SmallPages(const SmallPages&) = delete;
  SmallPages& operator=(const SmallPages&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_;
};

}  // namespace

double seconds_per_run(const std::function<void()>& work, double seconds, int rounds) {
  work();
  // How many runs fill a round; twice in a row, since a cold or interrupted one takes longer.
  std::size_t runs = 1;
  for (int enough = 0; enough < 2 && runs < (1u << 30);) {
    const double start = thread_seconds();
    for (std::size_t i = 0; i < runs; ++i) work();
    if (thread_seconds() - start >= seconds / 2) {
      ++enough;
    } else {
      enough = 0;
      runs *= 2;
    }
  }
  std::vector<double> times;
  for (int r = 0; r < rounds; ++r) {
    const double start = thread_seconds();
    for (std::size_t i = 0; i < runs; ++i) work();
    times.push_back((thread_seconds() - start) / static_cast<double>(runs));
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

MachinePeaks measure_peaks(std::span<const std::byte> memory) {
  constexpr double kSeconds = 0.02, kPerRun = static_cast<double>(kSteps) * kChains;
  constexpr int kRounds = 7;
  const Level level = simd::level();
  MachinePeaks peaks;
  const auto rate = [&](double amount, const std::function<void()>& work) {
    return amount / seconds_per_run(work, kSeconds, kRounds);
  };
  peaks.fma = rate(kPerRun * fma_lanes(level), [&] { run_fma(level, 0.5f); });
#if defined(__x86_64__)
  if (level >= Level::avx512vnni && level <= Level::amx) {
    peaks.vnni = rate(kPerRun * 64, vnni_512);
    peaks.popcount = rate(kPerRun * 512, popcount_512);
  }
  if (level == Level::avx512bf16 || level == Level::amx) {
    peaks.bf16 = rate(kPerRun * 32, bf16_512);
  }
  const simd::NarrowKernels tiles = simd::narrow_kernels(level);
  if (level == Level::amx && tiles.begin != nullptr) {
    const simd::NarrowSession session(tiles);
    peaks.amx_int8 = rate(4.0 * kSteps * kTileBytes, amx_bytes);
    peaks.amx_bf16 = rate(4.0 * kSteps * kTileBytes / 2, amx_bf16);
  }
#endif
  constexpr std::size_t kCached = 16384, kStreamed = 8 << 20;
  constexpr int kPasses = 64;  // so that what surrounds the loop doesn't count
  peaks.cache_load = rate(static_cast<double>(kCached) * kPasses,
                          [&] { run_load(level, memory.data(), kCached, kPasses); });
  std::size_t at = 0;
  peaks.stream = rate(kStreamed, [&] {
    if (at + kStreamed > memory.size()) at = 0;
    run_load(level, memory.data() + at, kStreamed, 1);
    at += kStreamed;
  });
  peaks.random_huge = random_lines(memory);
  const SmallPages small(memory.size());
  if (!small.bytes().empty()) peaks.random_small = random_lines(small.bytes());
  return peaks;
}

}  // namespace kith::cli

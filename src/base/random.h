// Seeded random numbers that are the same on every platform: xoshiro256** seeded by SplitMix64
// (Blackman and Vigna, 2018). Not for cryptography. Not thread-safe: one generator a thread, or
// one an item (cheap: seeding takes four multiplications), which keeps results independent of the
// number of threads.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace kith {

inline std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Random {
 public:
  // `stream` gives independent sequences for one seed (an item's number, say).
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) {
    std::uint64_t state = seed ^ (stream * 0xd1342543de82ef95u);
    for (std::uint64_t& word : state_) word = split_mix(state);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), bound > 0; without modulo bias (Lemire, 2019).
  std::uint64_t below(std::uint64_t bound) {
    for (;;) {
      const unsigned __int128 product = static_cast<unsigned __int128>(next()) * bound;
      if (static_cast<std::uint64_t>(product) >= (-bound) % bound) {
        return static_cast<std::uint64_t>(product >> 64);
      }
    }
  }

  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)

  // Standard normal, by the polar method.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double u, v, s;
    do {
      u = 2 * uniform() - 1;
      v = 2 * uniform() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s == 0);
    const double factor = std::sqrt(-2 * std::log(s) / s);
    spare_ = v * factor;
    has_spare_ = true;
    return u * factor;
  }

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

// The numbers 0 .. count-1 in random order.
inline std::vector<std::uint32_t> random_permutation(std::size_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  Random random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// `wanted` distinct numbers below `count`, ascending (all of them when wanted >= count).
inline std::vector<std::uint32_t> random_sample(std::size_t count, std::size_t wanted,
                                                std::uint64_t seed) {
  std::vector<std::uint32_t> chosen;
  Random random(seed);
  for (std::size_t i = 0; i < count && chosen.size() < wanted; ++i) {
    if (random.below(count - i) < wanted - chosen.size()) {
      chosen.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return chosen;
}

}  // namespace kith

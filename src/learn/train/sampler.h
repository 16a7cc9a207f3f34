// Which examples make each step's batch. It follows from the seed and the step alone, so that a
// training that was interrupted goes on as it would have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/random.h"
#include "learn/train/locality_sampler.h"

namespace kith::learn {

struct SourceSize {
  std::size_t examples = 0;
  double weight = 1;
};

struct BatchRows {
  std::size_t source = 0;
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> negatives;  // which of each example's own; empty: its first ones
};

class Sampler {
 public:
  // Each batch is of one source, drawn by the weights; a source's examples come in a new random
  // order each time all of them have been used. Throws invalid_argument for a batch of none,
  // weights below 0 or all 0.
  Sampler(std::vector<SourceSize> sources, std::size_t batch, std::uint64_t seed);

  // From now on that source's examples come as this sampler draws them.
  void draw_by(std::size_t source, LocalitySampler sampler);

  BatchRows next();
  // As if next() had been called so often more.
  void skip(std::int64_t steps);
  // Steps after which the sources' examples have been used once, on average.
  std::int64_t steps_per_epoch() const;

 private:
  struct Place {
    std::vector<std::uint32_t> order;
    std::size_t at = 0;
    std::uint64_t epoch = 0;
  };

  std::size_t draw_source();
  std::uint32_t draw_row(std::size_t source);

  std::vector<SourceSize> sources_;
  std::size_t batch_;
  std::uint64_t seed_;
  Random choice_;
  std::vector<Place> places_;
  std::map<std::size_t, LocalitySampler> local_;  // by source
};

}  // namespace kith::learn

#include "learn/train/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kith/error.h"
#include "learn/refuse.h"

namespace kith::learn {
Sampler::Sampler(std::vector<SourceSize> sources, std::size_t batch, std::uint64_t seed)
    : sources_(std::move(sources)),
      batch_(batch),
      seed_(seed),
      choice_(seed, sources_.size() + 1),
      places_(sources_.size()) {
  double sum = 0;
  for (const SourceSize& source : sources_) {
    if (!(source.weight >= 0) || !std::isfinite(source.weight)) {
      refuse("weight " + std::to_string(source.weight) + " of a source, expected 0 or more");
    }
    if (source.examples == 0) refuse("a source without examples");
    sum += source.weight;
  }
  if (!(sum > 0)) refuse("all sources have weight 0");
  if (batch == 0) refuse("a batch of 0 examples");
}

std::size_t Sampler::draw_source() {
  double sum = 0;
  for (const SourceSize& source : sources_) sum += source.weight;
  double at = choice_.uniform() * sum;
  std::size_t chosen = 0;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    if (sources_[s].weight == 0) continue;
    chosen = s;
    at -= sources_[s].weight;
    if (at < 0) break;
  }
  return chosen;
}

std::uint32_t Sampler::draw_row(std::size_t s) {
  Place& place = places_[s];
  if (place.at == place.order.size()) {
    place.order.resize(sources_[s].examples);
    std::iota(place.order.begin(), place.order.end(), 0u);
    Random random(seed_ + 0x9e3779b97f4a7c15u * (s + 1), place.epoch++);
    for (std::size_t i = place.order.size(); i > 1; --i) {
      std::swap(place.order[i - 1], place.order[random.below(i)]);
    }
    place.at = 0;
  }
  return place.order[place.at++];
}

void Sampler::draw_by(std::size_t source, LocalitySampler sampler) {
  local_.insert_or_assign(source, std::move(sampler));
}

BatchRows Sampler::next() {
  BatchRows batch;
  batch.source = draw_source();
  if (const auto local = local_.find(batch.source); local != local_.end()) {
    LocalitySampler::Batch drawn = local->second.next();
    batch.rows = std::move(drawn.rows);
    batch.negatives = std::move(drawn.negatives);
    return batch;
  }
  const std::size_t rows = std::min(batch_, sources_[batch.source].examples);
  while (batch.rows.size() < rows) {
    const std::uint32_t row = draw_row(batch.source);
    // Where one order ends and the next begins, an example may come again at once.
    if (std::ranges::find(batch.rows, row) == batch.rows.end()) batch.rows.push_back(row);
  }
  return batch;
}

void Sampler::skip(std::int64_t steps) {
  for (std::int64_t step = 0; step < steps; ++step) next();
}

std::int64_t Sampler::steps_per_epoch() const {
  double examples = 0;
  for (const SourceSize& source : sources_) {
    if (source.weight > 0) examples += static_cast<double>(source.examples);
  }
  return std::max<std::int64_t>(1, std::llround(examples / static_cast<double>(batch_)));
}

}  // namespace kith::learn

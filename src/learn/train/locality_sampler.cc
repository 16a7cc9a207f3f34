#include "learn/train/locality_sampler.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "learn/refuse.h"

namespace kith::learn {
namespace {

// A text that many queries have would bring them all at once.
constexpr std::size_t kMostWaiting = 4;  // times a batch
constexpr std::uint32_t kVisited = std::numeric_limits<std::uint32_t>::max();

}  // namespace

LocalitySampler::LocalitySampler(const std::vector<Example>& examples, Locality locality,
                                 std::size_t batch, std::uint64_t seed, const std::string& source)
    : locality_(locality), batch_(std::min(batch, examples.size())), random_(seed) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  for (std::size_t row = 0; row < examples.size(); ++row) {
    if (examples[row].negatives.empty()) {
      refuse(source + ": example " + std::to_string(row) +
             " has no negatives, which batches of queries near each other are made by");
    }
    auto& own = negatives_.emplace_back();
    for (const std::string& text : examples[row].negatives) {
      const auto next = static_cast<std::uint32_t>(numbers.size());
      const std::uint32_t number = numbers.emplace(text, next).first->second;
      if (number == queries_.size()) queries_.emplace_back();
      own.push_back(number);
      queries_[number].push_back(static_cast<std::uint32_t>(row));
    }
  }
  is_in_batch_.resize(queries_.size());
}

void LocalitySampler::visit(std::uint32_t row) {
  const std::uint32_t last = unvisited_.back();
  unvisited_[place_[row]] = last;
  place_[last] = place_[row];
  unvisited_.pop_back();
  place_[row] = kVisited;
}

std::uint32_t LocalitySampler::next_query() {
  while (!queue_.empty()) {
    const bool first = locality_ == Locality::snowball;
    const std::uint32_t row = first ? queue_.front() : queue_.back();
    first ? queue_.pop_front() : queue_.pop_back();
    if (place_[row] != kVisited) return row;
  }
  return unvisited_[random_.below(unvisited_.size())];
}

std::uint32_t LocalitySampler::draw_negative(std::uint32_t row) {
  const std::vector<std::uint32_t>& own = negatives_[row];
  std::vector<std::uint32_t> fresh;
  for (std::uint32_t n = 0; n < own.size(); ++n) {
    if (is_in_batch_[own[n]] == 0) fresh.push_back(n);
  }
  if (fresh.empty()) return static_cast<std::uint32_t>(random_.below(own.size()));
  return fresh[random_.below(fresh.size())];
}

LocalitySampler::Batch LocalitySampler::next() {
  Batch batch;
  queue_.clear();
  const auto has = [&](std::uint32_t row) {
    return std::ranges::find(batch.rows, row) != batch.rows.end();
  };
  while (batch.rows.size() < batch_) {
    if (unvisited_.empty()) {
      place_.assign(negatives_.size(), kVisited);
      for (std::uint32_t row = 0; row < negatives_.size(); ++row) {
        if (has(row)) continue;  // used a moment ago: it counts for the new round, too
        place_[row] = static_cast<std::uint32_t>(unvisited_.size());
        unvisited_.push_back(row);
      }
    }
    const std::uint32_t row = next_query(), negative = draw_negative(row);
    const std::uint32_t text = negatives_[row][negative];
    visit(row);
    batch.rows.push_back(row);
    batch.negatives.push_back(negative);
    is_in_batch_[text] = 1;
    if (locality_ == Locality::none) continue;
    for (const std::uint32_t query : queries_[text]) {
      if (queue_.size() >= kMostWaiting * batch_) break;
      if (place_[query] != kVisited) queue_.push_back(query);
    }
  }
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    is_in_batch_[negatives_[batch.rows[i]][batch.negatives[i]]] = 0;
  }
  return batch;
}

}  // namespace kith::learn

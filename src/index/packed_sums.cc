#include "index/packed_sums.h"

#include <algorithm>
#include <numeric>

namespace kith {
namespace {

using simd::kWindow;

// An array is cleared and looked through in about the time that so many documents a posting take
// to be sorted.
constexpr std::size_t kDensePerPosting = 16;

}  // namespace

void PackedSums::start(std::size_t docs, std::size_t expected) {
  docs_ = docs;
  windows_ = (docs + kWindow - 1) / kWindow;
  dense_ = expected >= docs / kDensePerPosting;
  count_ = 0;
  if (dense_) {
    sums_.assign(windows_ * kWindow, 0);
    return;
  }
  starts_.assign(windows_ + 1, 0);
  if (all_docs_.size() < expected) {
    for (auto* values : {&all_impacts_, &impacts_}) values->resize(expected);
    all_docs_.resize(expected);
    places_.resize(expected);
  }
}

void PackedSums::add(std::span<const Id> docs, const std::int32_t* impacts, std::int32_t* bounds) {
  if (dense_) {
    for (std::size_t i = 0; i < docs.size(); ++i) {
      sums_[docs[i]] = simd::add_impact(sums_[docs[i]], impacts[i]);
    }
    return;
  }
  std::copy(docs.begin(), docs.end(), all_docs_.begin() + static_cast<std::ptrdiff_t>(count_));
  std::copy_n(impacts, docs.size(), all_impacts_.begin() + static_cast<std::ptrdiff_t>(count_));
  count_ += docs.size();
  for (std::size_t i = 0; i < docs.size();) {
    const std::size_t window = docs[i] / kWindow, first = i;
    std::int32_t most = 0;
    for (; i < docs.size() && docs[i] / kWindow == window; ++i) most = std::max(most, impacts[i]);
    bounds[window] = simd::add_impact(bounds[window], most);
    starts_[window + 1] += static_cast<std::uint32_t>(i - first);
  }
}

void PackedSums::finish(const simd::PostingKernels& kernels, std::int32_t* bounds) {
  if (!dense_) return sort_into_windows();
  for (std::size_t w = 0; w < windows_; ++w) {
    bounds[w] = simd::add_impact(bounds[w], kernels.largest(&sums_[w * kWindow]));
  }
}

void PackedSums::sort_into_windows() {
  std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
  for (std::size_t i = 0; i < count_; ++i) {
    const std::uint32_t to = starts_[all_docs_[i] / kWindow]++;
    places_[to] = static_cast<std::uint8_t>(all_docs_[i] % kWindow);
    impacts_[to] = all_impacts_[i];
  }
  // Each start has moved to its window's end, which is the next one's start.
  std::copy_backward(starts_.begin(), starts_.end() - 1, starts_.end());
  starts_.front() = 0;
}

void PackedSums::copy(std::size_t window, std::int32_t* sums) const {
  if (dense_) {
    std::copy_n(&sums_[window * kWindow], kWindow, sums);
    return;
  }
  std::fill_n(sums, kWindow, 0);
  for (std::uint32_t i = starts_[window]; i < starts_[window + 1]; ++i) {
    sums[places_[i]] = simd::add_impact(sums[places_[i]], impacts_[i]);
  }
}

}  // namespace kith

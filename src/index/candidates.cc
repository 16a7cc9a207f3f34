#include "index/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simd/kernels.h"
#include "simd/kth_smallest.h"
#include "simd/precise.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kRounding = 0x1p-24;  // of one float operation, relative

float round_up(double value) {
  const float rounded = static_cast<float>(value);
  return rounded < value ? std::nextafter(rounded, kInfinity) : rounded;
}

}  // namespace

PreciseQuery::PreciseQuery(const AnyMatrixView& rows, Metric metric, const float* query)
    : rows_(rows),
      metric_(metric),
      query_(query),
      norm_(std::sqrt(simd::precise_kernels().dot(query, query, rows.dim()))) {
  // An inner product is estimated as if |q| = 1; a tiny |q| would hide products that round to the
  // same float.
  const double smallest = metric == Metric::ip ? 0x1p-25 : kSmallestTameNorm;
  wild_ = metric != Metric::l2 && !(norm_ >= smallest && norm_ <= kLargestTameNorm);
}

float PreciseQuery::distance(Id id, float* scratch) const {
  const simd::PreciseKernels& kernels = simd::precise_kernels();
  const std::size_t dim = rows_.dim();
  const float* x = scratch;
  if (rows_.type() == ElementType::f32) {
    x = static_cast<const float*>(rows_.row(id));
  } else {
    simd::to_float(rows_.type(), rows_.row(id), dim, scratch);
  }
  if (metric_ == Metric::l2) return static_cast<float>(kernels.l2(query_, x, dim));
  const double dot = kernels.dot(query_, x, dim);
  if (metric_ == Metric::ip) return -static_cast<float>(dot);
  const double norms = norm_ * std::sqrt(kernels.dot(x, x, dim));
  return norms == 0 ? 1.0f : 1.0f - static_cast<float>(std::clamp(dot / norms, -1.0, 1.0));
}

void PreciseQuery::prefetch(Id id) const {
  constexpr std::size_t kLine = 64, kMostBytes = 4096;
  const auto* row = static_cast<const char*>(rows_.row(id));
  const std::size_t bytes = std::min(rows_.dim() * size_of(rows_.type()), kMostBytes);
  for (std::size_t b = 0; b < bytes; b += kLine) __builtin_prefetch(row + b);
}

float PreciseQuery::to_estimate(float distance) const {
  if (wild_ || !(distance < kInfinity)) return kInfinity;
  const double value = metric_ == Metric::l2   ? distance
                       : metric_ == Metric::ip ? distance / norm_
                                               : distance - 1.0;
  return round_up(value + 4 * kRounding * std::abs(value));
}

// Room beyond k. Rows enter at the rate k / rows seen, against the threshold of the last shrink:
// with room for k more, both entering rows and shrinking are few.
std::size_t CandidateSet::spare(std::size_t k) { return std::clamp<std::size_t>(k, 64, 4096); }

std::size_t CandidateSet::bytes(std::size_t k) {
  return sizeof(CandidateSet) + (k + spare(k)) * sizeof(Candidate) + k * sizeof(Hit);
}

CandidateSet::CandidateSet(std::size_t k)
    : k_(k), capacity_(k + spare(k)), radius_(kInfinity), threshold_(kInfinity), best_(k) {}

CandidateSet::CandidateSet(float radius, const PreciseQuery& query)
    : k_(kUnbounded),
      capacity_(1024),
      radius_(radius),
      threshold_(query.to_estimate(radius)),
      best_(kUnbounded) {}

void CandidateSet::drop_impossible(CandidateScratch& scratch) {
  if (pending_.size() >= k_) {
    scratch.uppers.clear();
    for (const Candidate& c : pending_) scratch.uppers.push_back(c.upper);
    threshold_ = std::min(threshold_, simd::bound_kth_smallest(scratch.uppers, k_));
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    pending_[kept] = pending_[i];
    kept += pending_[kept].lower > threshold_ ? 0 : 1;  // no branch: nobody can predict it
  }
  pending_.resize(kept);
}

void CandidateSet::score_pending(const PreciseQuery& query, CandidateScratch& scratch) {
  constexpr std::size_t kAhead = 3;
  for (std::size_t i = 0; i < std::min(kAhead, pending_.size()); ++i) {
    query.prefetch(pending_[i].id);
  }
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (i + kAhead < pending_.size()) query.prefetch(pending_[i + kAhead].id);
    const float distance = query.distance(pending_[i].id, scratch.row.data());
    if (distance <= radius_) best_.push(distance, pending_[i].id);
  }
  pending_.clear();
  if (best_.full()) threshold_ = std::min(threshold_, query.to_estimate(best_.threshold()));
}

void CandidateSet::shrink(const PreciseQuery& query, CandidateScratch& scratch) {
  if (k_ != kUnbounded) {
    drop_impossible(scratch);
    // When ties or wide intervals keep too many, their true distances tell them apart.
    if (pending_.size() <= k_ + (capacity_ - k_) / 2) return;
  }
  score_pending(query, scratch);
}

void CandidateSet::absorb(CandidateSet&& other) {
  pending_.insert(pending_.end(), other.pending_.begin(), other.pending_.end());
  for (const Hit& hit : other.best_.hits()) best_.push(hit);
  threshold_ = std::min(threshold_, other.threshold_);
}

std::vector<Hit> CandidateSet::finish(const PreciseQuery& query, CandidateScratch& scratch) {
  drop_impossible(scratch);
  score_pending(query, scratch);
  return best_.take_sorted();
}

}  // namespace kith

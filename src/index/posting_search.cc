#include "index/posting_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace kith {
namespace {

constexpr int kScoreBits = 30;          // of the largest score that a query could have
constexpr std::size_t kBuckets = 4096;  // that windows are sorted into by their bounds
constexpr std::size_t kFewBest = 128;   // of so few the threshold is brought up to date at once

// Scores above zero sort as this number does, of equal ones the smaller id above.
std::uint64_t key_of(std::int32_t score, Id id) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(score)) << 32 | (id ^ 0xffffffffu);
}
std::int32_t score_of(std::uint64_t key) { return static_cast<std::int32_t>(key >> 32); }

// Not below what rounding to the nearest gives.
std::int32_t impact_bound(float scaled) { return static_cast<std::int32_t>(scaled) + 1; }

// Room for n and what kernels may touch behind.
template <class T>
void make_room(std::vector<T>& values, std::size_t n) {
  if (values.size() < n + simd::kPostingsSlack) values.resize(n + simd::kPostingsSlack);
}

}  // namespace

std::span<const PostingSearch::Hit> PostingSearch::search(std::span<const QueryTerm> query,
                                                          std::size_t k, bool exhaustive) {
  k_ = std::min(k, postings_.docs());
  scored_ = 0;
  best_.clear();
  hits_.clear();
  threshold_ = 1;
  open_lists(query);
  for (const List& list : lists_) {
    kernels_.add_code_impacts(list.parts.bounds, postings_.windows(), list.step, list.weight,
                              bounds_.data());
  }
  order_windows();
  for (const std::uint32_t window : order_) {
    if (exhaustive || bounds_[window] >= threshold_) visit(window, exhaustive);
  }
  if (best_.size() > k_) keep_best();
  std::sort(best_.begin(), best_.end(), std::greater<>());
  for (const std::uint64_t key : best_) {
    const Id id = static_cast<Id>(key) ^ 0xffffffffu;
    hits_.push_back({id, static_cast<float>(score_of(key)) / scale_});
  }
  return hits_;
}

// Scales by a power of two, so that dividing by it again is exact.
void PostingSearch::open_lists(std::span<const QueryTerm> query) {
  constexpr int kLargestFloat = 126;
  double sum = 0;
  float most = 0;
  for (const QueryTerm& q : query) {
    sum += static_cast<double>(q.weight) * postings_.step(q.term) * Postings::kMostCode;
    most = std::max(most, q.weight);
  }
  int sum_exponent = 0, weight_exponent = 0;
  std::frexp(sum, &sum_exponent);  // sum < 2^sum_exponent
  std::frexp(most, &weight_exponent);
  scale_ = std::ldexp(
      1.0f, std::min({kScoreBits - sum_exponent, kLargestFloat - weight_exponent, kLargestFloat}));

  lists_.clear();
  bounds_.assign(postings_.windows() + simd::kPostingsSlack, 0);
  std::size_t packed = 0;
  for (const QueryTerm& q : query)
    packed += postings_.windowed(q.term) ? 0 : postings_.count(q.term);
  packed_.start(postings_.docs(), packed);
  for (const QueryTerm& q : query) {
    const std::size_t count = postings_.count(q.term);
    if (count == 0) continue;
    const QueryTerm scaled{q.term, q.weight * scale_};
    if (postings_.windowed(q.term)) {
      const float step = postings_.step(q.term);
      lists_.push_back({postings_.windows_of(q.term), count, scaled.weight, step,
                        scaled.weight * (Postings::kMostCode * step)});
    } else {
      add_packed(scaled);
    }
  }
  packed_.finish(kernels_, bounds_.data());
  std::stable_sort(lists_.begin(), lists_.end(),
                   [](const List& a, const List& b) { return a.most > b.most; });
}

void PostingSearch::add_packed(const QueryTerm& query) {
  const std::size_t n = postings_.count(query.term);
  make_room(docs_, n);
  make_room(impacts_, n);
  make_room(payload_, (n + simd::kPostingsSlack) * payload_bytes(postings_.payload()));
  postings_.decode(query.term, docs_.data(), payload_.data());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(payload_.data());
  switch (postings_.payload()) {
    case Payload::counts:
      make_room(doc_lengths_, n);
      make_room(doc_norms_, n);
      for (std::size_t i = 0; i < n; ++i) doc_lengths_[i] = lengths_[docs_[i]];
      kernels_.norms(doc_lengths_.data(), n, norm_.base, norm_.slope, doc_norms_.data());
      kernels_.count_impacts(bytes, doc_norms_.data(), n, query.weight, impacts_.data());
      break;
    case Payload::f32:
      kernels_.float_impacts(bytes, n, query.weight, impacts_.data());
      break;
    case Payload::f16:
      kernels_.half_impacts(bytes, n, query.weight, impacts_.data());
      break;
    case Payload::u8:
      kernels_.code_impacts(bytes, n, postings_.step(query.term), query.weight, impacts_.data());
      break;
  }
  packed_.add({docs_.data(), n}, impacts_.data(), bounds_.data());
  scored_ += n;
}

// By counting, in kBuckets steps of the largest bound; within a step by number.
void PostingSearch::order_windows() {
  const std::size_t windows = postings_.windows();
  const std::int32_t most = *std::max_element(bounds_.begin(), bounds_.end());
  const float buckets = (kBuckets - 1) / std::max(static_cast<float>(most), 1.0f);
  const auto bucket = [&](std::size_t window) {
    return kBuckets - 1 - static_cast<std::size_t>(static_cast<float>(bounds_[window]) * buckets);
  };
  std::array<std::uint32_t, kBuckets + 1> starts{};
  std::size_t present = 0;
  for (std::size_t w = 0; w < windows; ++w) {
    if (bounds_[w] <= 0) continue;
    ++starts[bucket(w) + 1];
    ++present;
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  order_.resize(present);
  for (std::size_t w = 0; w < windows; ++w) {
    if (bounds_[w] > 0) order_[starts[bucket(w)]++] = static_cast<std::uint32_t>(w);
  }
}

void PostingSearch::visit(std::size_t window, bool exhaustive) {
  packed_.copy(window, sums_.data());
  find_lists(window);
  const std::int32_t least = exhaustive ? 1 : threshold_;
  std::size_t next = 0;
  while (next < present_.size() && (exhaustive || present_[next].rest >= least)) {
    add_list(*present_[next++].list, window);
  }
  flush(window);
  const std::size_t count = follow(next, window);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t place = candidates_[i];
    const std::size_t doc = window * kWindow + place;
    if (doc < postings_.docs()) push(sums_[place], static_cast<Id>(doc));
  }
  if (best_.size() > k_ && k_ <= kFewBest) keep_best();
}

// The windowed lists that have postings here, with what all from each on can add.
void PostingSearch::find_lists(std::size_t window) {
  present_.clear();
  for (const List& list : lists_) {
    const std::uint8_t code = list.parts.bounds[window];
    if (code == 0) continue;
    const float most = static_cast<float>(code) * list.step;
    present_.push_back({&list, impact_bound(list.weight * most), 0});
  }
  std::int32_t rest = 0;
  for (std::size_t i = present_.size(); i-- > 0;) {
    rest = simd::add_impact(rest, present_[i].bound);
    present_[i].rest = rest;
  }
}

void PostingSearch::add_list(const List& list, std::size_t window) {
  const auto [begin, end] = postings_.window_range(list.parts, list.count, window);
  if (batch_.size > simd::PostingBatch::kCapacity - kWindow) flush(window);
  append(list, begin, end - begin);
}

void PostingSearch::add_one(const List& list, std::size_t window, std::uint32_t place) {
  const auto [begin, end] = postings_.window_range(list.parts, list.count, window);
  const std::uint8_t* const places = list.parts.places;
  const auto* const found = std::lower_bound(places + begin, places + end, place);
  if (found == places + end || *found != place) return;
  append(list, static_cast<std::size_t>(found - places), 1);
}

// Goes on from list `next` with the documents that can still be among the best. Returns how many
// have turned out to be; they are in candidates_.
std::size_t PostingSearch::follow(std::size_t next, std::size_t window) {
  constexpr std::size_t kFew = 4;     // are looked up one by one
  constexpr std::size_t kMany = 192;  // are not worth looking at after every list
  const auto rest = [&] { return next < present_.size() ? present_[next].rest : 0; };
  const std::int32_t least = threshold_;
  std::size_t count =
      kernels_.select_at_least(sums_.data(), std::max(least - rest(), 1), candidates_.data());
  while (next < present_.size() && count > 0) {
    const List& list = *present_[next++].list;
    if (count <= kFew) {
      for (std::size_t i = 0; i < count; ++i) add_one(list, window, candidates_[i]);
    } else {
      add_list(list, window);
      while (count > kMany && next < present_.size()) add_list(*present_[next++].list, window);
    }
    flush(window);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      candidates_[kept] = candidates_[i];
      kept += simd::add_impact(sums_[candidates_[i]], rest()) >= least ? 1 : 0;
    }
    count = kept;
  }
  return count;
}

void PostingSearch::append(const List& list, std::size_t begin, std::size_t n) {
  const std::byte* const payload = list.parts.payload + begin * payload_bytes(postings_.payload());
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(payload);
  const std::uint8_t* const places = list.parts.places + begin;
  scored_ += n;
  switch (postings_.payload()) {
    case Payload::counts:
      return kernels_.append_codes(places, bytes, n, 1, list.weight, batch_);
    case Payload::f32:
      return kernels_.append_floats(places, payload, n, list.weight, batch_);
    case Payload::f16:
      return kernels_.append_halves(places, payload, n, list.weight, batch_);
    case Payload::u8:
      return kernels_.append_codes(places, bytes, n, list.step, list.weight, batch_);
  }
}

// Adds what was appended to the window's sums.
void PostingSearch::flush(std::size_t window) {
  if (batch_.size == 0) return;
  if (postings_.payload() == Payload::counts) {
    need_norms(window);
    kernels_.add_counts(batch_, norms_.data(), sums_.data());
  } else {
    kernels_.add_weights(batch_, sums_.data());
  }
  batch_.size = 0;
}

void PostingSearch::need_norms(std::size_t window) {
  if (norms_window_ == window) return;
  norms_window_ = window;
  const std::size_t first = window * kWindow;
  kernels_.norms(lengths_.data() + first, std::min(kWindow, postings_.docs() - first), norm_.base,
                 norm_.slope, norms_.data());
}

void PostingSearch::push(std::int32_t score, Id id) {
  best_.push_back(key_of(score, id));
  if (best_.size() >= 2 * k_ + kFewBest) keep_best();
}

// Leaves the k best and raises the threshold to what the last of them scores.
void PostingSearch::keep_best() {
  const auto last = best_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
  std::nth_element(best_.begin(), last, best_.end(), std::greater<>());
  threshold_ = score_of(*last);
  best_.resize(k_);
}

}  // namespace kith

#include "cli/sparse_bench.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace kith::cli {
namespace {

constexpr double kK1 = 1.2, kB = 0.75;
constexpr std::size_t kFromOneText = 8;

LengthNorm norm_of(const CountRows& counted) {
  const double words = std::accumulate(counted.lengths.begin(), counted.lengths.end(), 0.0);
  const double mean = words / static_cast<double>(counted.lengths.size());
  return {static_cast<float>(kK1 * (1 - kB)), static_cast<float>(kK1 * kB / mean)};
}

// BM25's weights in place of the counts.
SparseRows weighted(const CountRows& counted) {
  const LengthNorm norm = norm_of(counted);
  SparseRows rows = counted.rows;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const float length = norm.base + norm.slope * static_cast<float>(counted.lengths[row]);
    for (std::size_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
      rows.weights[i] /= rows.weights[i] + length;
    }
  }
  return rows;
}

InvertedIndex index_of(const CountRows& counted, const PlainPostings& weights, Payload payload,
                       const Control& control) {
  const std::size_t texts = counted.lengths.size();
  if (payload != Payload::counts) {
    return InvertedIndex(Postings::encode(weights, texts, payload, {}, {}, control));
  }
  Storage lengths((texts + simd::kPostingsSlack) * sizeof(std::uint32_t));
  std::copy(counted.lengths.begin(), counted.lengths.end(), lengths.mutable_as<std::uint32_t>());
  const PlainPostings counts = Postings(payload).decode_and_append(counted.rows, control);
  Postings postings =
      Postings::encode(counts, texts, payload, counted.lengths, norm_of(counted), control);
  return InvertedIndex(std::move(postings), std::move(lengths), norm_of(counted));
}

}  // namespace

SparseBench::SparseBench(const CountRows& counted, Payload payload, const Control& control)
    : counted_(counted),
      plain_(Postings(Payload::f32).decode_and_append(weighted(counted), control)),
      index_(index_of(counted, plain_, payload, control)) {}

std::vector<QueryTerm> SparseBench::query(std::size_t words, std::uint64_t seed,
                                          std::uint64_t number) const {
  Random random(seed, number);
  const SparseRows& rows = counted_.rows;
  std::vector<Term> terms;
  for (int tries = 0; tries < 100000 && terms.size() < words; ++tries) {
    const std::size_t row = random.below(rows.rows());
    const std::size_t first = rows.offsets[row], size = rows.offsets[row + 1] - first;
    if (words <= kFromOneText && size < words) continue;
    for (const std::uint32_t i : random_permutation(size, random.next())) {
      const Term term = rows.terms[first + i];
      if (terms.size() < words && std::find(terms.begin(), terms.end(), term) == terms.end()) {
        terms.push_back(term);
      }
    }
  }
  std::sort(terms.begin(), terms.end());
  std::vector<QueryTerm> query;
  const double texts = static_cast<double>(rows.rows());
  for (const Term term : terms) {
    const double holding = static_cast<double>(postings().count(term));
    query.push_back(
        {term, static_cast<float>(std::log1p((texts - holding + 0.5) / (holding + 0.5)))});
  }
  return query;
}

std::size_t SparseBench::postings_of(std::span<const QueryTerm> query) const {
  std::size_t count = 0;
  for (const QueryTerm& q : query) count += postings().count(q.term);
  return count;
}

float SparseBench::plain(std::span<const QueryTerm> query, std::size_t k,
                         std::vector<float>& scores, std::vector<Id>& order) const {
  scores.assign(counted_.lengths.size(), 0);
  for (const QueryTerm& q : query) {
    for (std::size_t i = plain_.starts[q.term]; i < plain_.starts[q.term + 1]; ++i) {
      scores[plain_.docs[i]] += q.weight * plain_.weights[i];
    }
  }
  order.clear();
  for (Id id = 0; id < scores.size(); ++id) {
    if (scores[id] > 0) order.push_back(id);
  }
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, order.size()));
  std::partial_sort(order.begin(), middle, order.end(), [&](Id a, Id b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  });
  return order.empty() ? 0 : scores[order.front()];
}

}  // namespace kith::cli

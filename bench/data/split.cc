#include "bench/data/split.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/checksum.h"
#include "base/random.h"
#include "kith/error.h"
#include "kith/vectors.h"

namespace kith::bench {
namespace {

bool is_zero(const Matrix<float>& rows, std::size_t i) {
  return std::all_of(rows.row(i), rows.row(i) + rows.cols(), [](float x) { return x == 0; });
}

std::vector<std::uint32_t> distinct_rows(const Matrix<float>& rows) {
  std::unordered_multimap<std::uint64_t, std::uint32_t> seen;
  seen.reserve(rows.rows());
  std::vector<std::uint32_t> kept;
  const std::size_t bytes = rows.cols() * sizeof(float);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (is_zero(rows, i)) continue;
    const std::uint64_t key = checksum(std::as_bytes(std::span(rows.row(i), rows.cols())));
    const auto [first, last] = seen.equal_range(key);
    const bool duplicate = std::any_of(first, last, [&](const auto& entry) {
      return std::memcmp(rows.row(entry.second), rows.row(i), bytes) == 0;
    });
    if (duplicate) continue;
    seen.emplace(key, static_cast<std::uint32_t>(i));
    kept.push_back(static_cast<std::uint32_t>(i));
  }
  return kept;
}

void write_part(const std::string& path, const Matrix<float>& rows, const Labels& labels,
                const std::vector<std::uint32_t>& chosen) {
  Matrix<float> part(chosen.size(), rows.cols());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::copy_n(rows.row(chosen[i]), rows.cols(), part.row(i));
  }
  write_vectors(path, part, labels.select(chosen));
}

}  // namespace

void normalise(Matrix<float>& rows) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double squares = 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      squares += static_cast<double>(rows(i, j)) * rows(i, j);
    }
    if (squares == 0) continue;
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (std::size_t j = 0; j < rows.cols(); ++j) rows(i, j) *= scale;
  }
}

void write_split(const std::string& folder, const std::string& name, const Matrix<float>& rows,
                 const Labels& labels, std::size_t queries, std::size_t base_limit,
                 std::uint64_t seed) {
  const std::vector<std::uint32_t> kept = distinct_rows(rows);
  if (kept.size() <= queries) {
    throw Error(ErrorCode::invalid_argument, name + ": " + std::to_string(kept.size()) +
                                                 " distinct vectors, expected more than " +
                                                 std::to_string(queries) + " queries");
  }
  const std::size_t available = kept.size() - queries;
  const std::size_t base_rows = base_limit == 0 ? available : std::min(base_limit, available);
  const auto order = random_permutation(kept.size(), seed);
  std::vector<std::uint32_t> query, base;
  for (std::size_t i = 0; i < queries; ++i) query.push_back(kept[order[i]]);
  for (std::size_t i = 0; i < base_rows; ++i) base.push_back(kept[order[queries + i]]);
  std::sort(query.begin(), query.end());
  std::sort(base.begin(), base.end());
  write_part(folder + "/" + name + ".base.fbin", rows, labels, base);
  write_part(folder + "/" + name + ".query.fbin", rows, labels, query);
  std::printf("%s: %zu rows, %zu distinct; base %zu x %zu, %zu queries\n", name.c_str(),
              rows.rows(), kept.size(), base.size(), rows.cols(), query.size());
}

}  // namespace kith::bench

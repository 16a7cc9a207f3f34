#include "cli/peers_data.h"
#include "index/ties.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "base/random.h"
#include "kith/error.h"
#include "kith/exact.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

constexpr std::size_t kTruth = 100;  // more than is counted, so that ties at the last place show

void normalise(float* row, std::size_t dim, const std::string& name, std::size_t number) {
  double squares = 0;
  for (std::size_t j = 0; j < dim; ++j) squares += static_cast<double>(row[j]) * row[j];
  if (squares == 0) {
    throw Error(ErrorCode::invalid_argument,
                name + ": row " + std::to_string(number) + " is zero, which has no cosine");
  }
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (std::size_t j = 0; j < dim; ++j) row[j] *= scale;
}

// The chosen rows (all of them when `chosen` is null), scaled to norm 1.
Matrix<float> unit_rows(const std::string& path, const std::vector<std::uint32_t>* chosen,
                        const AnyMatrixView& rows) {
  const std::size_t count = chosen != nullptr ? chosen->size() : rows.rows();
  Matrix<float> unit(count, rows.dim());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = chosen != nullptr ? (*chosen)[i] : i;
    rows.copy_row(from, unit.row(i));
    normalise(unit.row(i), unit.cols(), path, from);
  }
  return unit;
}

std::uint64_t key_of(const Matrix<float>& rows) {
  const auto* bytes = reinterpret_cast<const std::byte*>(rows.data());
  return checksum({bytes, rows.rows() * rows.stride_bytes()});
}

}  // namespace

PeersData load_peers_data(const PeersDataOptions& options) {
  ReadOptions read;
  read.control = options.control;
  const Vectors base = read_vectors(options.base, read);
  const Vectors queries = read_vectors(options.queries, read);
  if (base.rows.dim() != queries.rows.dim()) {
    throw Error(ErrorCode::invalid_argument,
                options.queries + ": " + std::to_string(queries.rows.dim()) + " dimensions, but " +
                    options.base + " has " + std::to_string(base.rows.dim()));
  }
  PeersData data;
  data.name = options.name;
  data.base = unit_rows(options.base, nullptr, base.rows);
  // In random order: any few of them at the front are a fair sample.
  auto order = random_permutation(queries.rows.rows(), options.seed);
  order.resize(std::min(order.size(), options.most_queries));
  data.queries = unit_rows(options.queries, &order, queries.rows);
  data.key = key_of(data.base);

  char name[64];
  std::snprintf(name, sizeof(name), "truth-%016llx-%016llx.ibin",
                static_cast<unsigned long long>(data.key),
                static_cast<unsigned long long>(key_of(data.queries)));
  const std::string path = options.cache + "/" + name;
  if (std::filesystem::exists(path)) {
    data.truth = read_neighbours(path);
  } else {
    ExactOptions exact;
    exact.k = kTruth;
    exact.metric = Metric::cosine;
    exact.control = options.control;
    data.truth = exact_search(data.base, data.queries, exact);
    write_neighbours(path, data.truth);
  }
  judge_by_similarity(data.truth, Metric::cosine);
  return data;
}

}  // namespace kith::cli

#include "cli/inputs.h"

#include <cmath>
#include <filesystem>

#include "cli/format.h"

namespace kith::cli {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check_ids(const std::string& path, const Neighbours& truth, std::size_t k, std::size_t size) {
  for (std::size_t q = 0; q < truth.queries(); ++q) {
    for (std::size_t i = 0; i < k; ++i) {
      const Id id = truth.ids(q, i);
      if (id != kNoId && id >= size) {
        refuse(path + ": row " + std::to_string(q) + " lists vector " + std::to_string(id) +
               ", but the index holds " + std::to_string(size) + ": is it another base's truth?");
      }
    }
  }
}

// Files list distances, or similarities (which descend): the latter are negated.
void make_ascending(Matrix<float>& distances, const Matrix<Id>& ids) {
  std::size_t ascents = 0, descents = 0;
  for (std::size_t q = 0; q < distances.rows(); ++q) {
    for (std::size_t i = 1; i < distances.cols() && ids(q, i) != kNoId; ++i) {
      ascents += distances(q, i) > distances(q, i - 1);
      descents += distances(q, i) < distances(q, i - 1);
    }
  }
  if (descents <= ascents) return;
  for (std::size_t q = 0; q < distances.rows(); ++q) {
    for (std::size_t i = 0; i < distances.cols(); ++i) distances(q, i) = -distances(q, i);
  }
}

}  // namespace

void check_dimension(const std::string& index_path, const Index& index, const std::string& path,
                     const AnyMatrixView& rows) {
  const std::size_t dim = index.query_dim();
  if (rows.dim() == dim) return;
  refuse(path + ": " + std::to_string(rows.dim()) + " dimensions, but " + index_path + " has " +
         std::to_string(dim));
}

void check_distinct(const std::string& output, const std::string& input) {
  std::error_code ignored;  // a file that isn't there yet differs from one that is
  if (std::filesystem::equivalent(output, input, ignored)) {
    refuse("output '" + output + "': would overwrite the input " + input);
  }
}

Neighbours read_truth(const std::string& path, std::size_t queries, std::size_t k, std::size_t size,
                      const Control& control) {
  ReadOptions options;
  options.control = control;
  Neighbours truth = read_neighbours(path, options);
  if (truth.queries() != queries) {
    refuse(path + ": truth for " + std::to_string(truth.queries()) + " queries, but there are " +
           std::to_string(queries));
  }
  if (truth.k() < k) {
    refuse(path + ": " + std::to_string(truth.k()) + " neighbours a query, but recall@" +
           std::to_string(k) + " needs " + std::to_string(k));
  }
  check_ids(path, truth, k, size);
  make_ascending(truth.distances, truth.ids);
  return truth;
}

void swap_customary(Neighbours& neighbours, Metric metric) {
  Matrix<float>& values = neighbours.distances;
  for (std::size_t q = 0; q < values.rows(); ++q) {
    for (std::size_t i = 0; i < values.cols(); ++i) {
      if (neighbours.ids(q, i) != kNoId) values(q, i) = customary(metric, values(q, i));
    }
  }
}

std::string summary(const IndexInfo& info) {
  return info.kind + ", " + info.codec + ", " + count_text(info.vectors) +
         " vectors of dimension " + std::to_string(info.dim) + ", " +
         std::string(name(info.metric));
}

}  // namespace kith::cli

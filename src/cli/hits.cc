#include "cli/hits.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "cli/format.h"
#include "cli/run_file.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

void append(RangeNeighbours& hits, Id id, float distance) {
  hits.ids.push_back(id);
  hits.distances.push_back(distance);
}

std::string value_title(Metric metric) {
  switch (metric) {
    case Metric::l2:
      return "squared distance";
    case Metric::ip:
      return "inner product";
    case Metric::cosine:
      return "cosine";
  }
  return "value";
}

}  // namespace

Cell label_cell(const Labels& labels, Id id) {
  if (labels.kind() == Labels::Kind::strings) return Cell(labels.string(id));
  const std::uint64_t number = labels.kind() == Labels::Kind::none ? id : labels.number(id);
  return Cell(number, std::to_string(number));
}

RangeNeighbours trim(const Neighbours& found, const std::vector<Id>& self, std::size_t k) {
  RangeNeighbours hits;
  for (std::size_t q = 0; q < found.queries(); ++q) {
    const std::size_t end = hits.ids.size() + k;
    for (std::size_t i = 0; i < found.k() && hits.ids.size() < end; ++i) {
      const Id id = found.ids(q, i);
      if (id != kNoId && (self.empty() || id != self[q])) append(hits, id, found.distances(q, i));
    }
    hits.offsets.push_back(hits.ids.size());
  }
  return hits;
}

RangeNeighbours trim(const RangeNeighbours& found, const std::vector<Id>& self) {
  RangeNeighbours hits;
  for (std::size_t q = 0; q + 1 < found.offsets.size(); ++q) {
    for (std::size_t i = found.offsets[q]; i < found.offsets[q + 1]; ++i) {
      if (self.empty() || found.ids[i] != self[q]) {
        append(hits, found.ids[i], found.distances[i]);
      }
    }
    hits.offsets.push_back(hits.ids.size());
  }
  return hits;
}

Neighbours to_matrix(const RangeNeighbours& hits, std::size_t k, Metric metric) {
  const std::size_t queries = hits.offsets.size() - 1;
  Neighbours result(queries, k);
  for (std::size_t q = 0; q < queries; ++q) {
    const std::size_t first = hits.offsets[q], count = hits.offsets[q + 1] - first;
    for (std::size_t i = 0; i < k; ++i) {
      result.ids(q, i) = i < count ? hits.ids[first + i] : kNoId;
      result.distances(q, i) = i < count ? customary(metric, hits.distances[first + i])
                                         : std::numeric_limits<float>::infinity();
    }
  }
  return result;
}

Table hits_table(const RangeNeighbours& hits, const std::vector<std::string>& names,
                 const Labels& labels, Metric metric, bool json,
                 const std::vector<double>& relevances, const std::string& title) {
  constexpr int kDigits = 4;
  std::vector<Table::Column> columns = {
      "query", "rank", "label", {"value", title.empty() ? value_title(metric) : title}};
  if (!relevances.empty()) columns.emplace_back("relevance");
  Table table(columns);
  for (std::size_t q = 0; q + 1 < hits.offsets.size(); ++q) {
    for (std::size_t i = hits.offsets[q]; i < hits.offsets[q + 1]; ++i) {
      const std::size_t rank = i - hits.offsets[q] + 1;
      const std::string query = names.empty() ? std::to_string(q) : names[q];
      const double value = customary(metric, hits.distances[i]);
      const std::string shown =
          metric == Metric::cosine ? fixed_text(value, kDigits) : significant_text(value, kDigits);
      std::vector<Cell> cells = {json || rank == 1 ? Cell(query) : Cell(), rank,
                                 label_cell(labels, hits.ids[i]), Cell(value, shown)};
      if (!relevances.empty()) {
        cells.emplace_back(relevances[i], fixed_text(relevances[i], kDigits));
      }
      table.add(std::move(cells));
    }
  }
  return table;
}

void write_hits(const std::string& path, const Neighbours& found, Metric metric,
                const std::vector<std::string>& names, const Labels& labels, double wall,
                const CommonOptions& common) {
  if (is_run_path(path)) {
    write_run(path, found, metric, names, labels);
  } else {
    WriteOptions how;
    how.control = common.control();
    write_neighbours(path, found, how);
  }
  const double rate = static_cast<double>(found.queries()) / wall;
  Record record;
  record.add("file", path);
  record.add("queries", found.queries());
  record.add("k", found.k());
  record.add("wall_seconds", "wall time", Cell(wall, seconds_text(wall)));
  record.add("qps_wall", "queries/s", Cell(rate, rate_text(rate)));
  record.print(stdout, common.json);
}

void note_if_more(std::size_t queries) {
  if (queries <= kMostShown) return;
  std::fprintf(stderr,
               "kith: note: the first %zu of %s queries; --output FILE or --json gives all\n",
               kMostShown, count_text(queries).c_str());
}

}  // namespace kith::cli

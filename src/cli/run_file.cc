#include "cli/run_file.h"

#include "base/atomic_file.h"
#include "formats/runs.h"

namespace kith::cli {

bool is_run_path(const std::string& path) {
  return path.ends_with(".run") || path.ends_with(".trec");
}

void write_run(const std::string& path, const Neighbours& found, Metric metric,
               const std::vector<std::string>& names, const Labels& labels) {
  AtomicFile file(path);
  for (std::size_t q = 0; q < found.queries(); ++q) {
    const std::string query = names.empty() ? std::to_string(q) : names[q];
    for (std::size_t i = 0; i < found.k() && found.ids(q, i) != kNoId; ++i) {
      const Id id = found.ids(q, i);
      const float value = found.distances(q, i);
      const double score = metric == Metric::l2 ? -value : value;
      const std::string document =
          labels.kind() == Labels::Kind::none ? std::to_string(id) : labels.text(id);
      formats::write_run_hit(file, query, document, i + 1, score);
    }
  }
  file.commit();
}

}  // namespace kith::cli

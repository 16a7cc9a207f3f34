// Forecasts a build: bytes are counted on an index of a sample, time is measured on it.
#include <ctime>

#include <algorithm>
#include <cmath>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/random.h"
#include "codec/centres.h"
#include "codec/kmeans.h"
#include "index/build_order.h"
#include "index/graph_builder.h"
#include "index/implementation.h"
#include "index/inverted_lists.h"
#include "index/lists_content.h"
#include "index/packed_graph.h"

namespace kith {
namespace {

constexpr std::size_t kSampleRows = 8000;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What estimating the LIDs of some rows costs, where the order needs them.
double order_seconds(const AnyMatrixView& rows, std::span<const Id> of,
                     const BuildOptions& options) {
  if (!orders_by_lid(options)) return 0;
  BuildOptions silent = options;
  silent.control.progress = nullptr;
  const double before = cpu_seconds();
  lids_to_order_by(rows, of, silent);
  return cpu_seconds() - before;
}

// What it takes to find a row's nearest of so many centres, whatever those are.
double seconds_to_assign(const Matrix<float>& sample, std::size_t lists, const Control& control) {
  Matrix<float> some(lists, sample.cols());
  for (std::size_t l = 0; l < lists; ++l) {
    std::copy_n(sample.row(l % sample.rows()), sample.cols(), some.row(l));
  }
  const Centres centres(std::move(some));
  std::vector<std::uint32_t> nearest(sample.rows());
  const double before = cpu_seconds();
  centres.nearest(sample, control, nearest);
  return (cpu_seconds() - before) / static_cast<double>(sample.rows());
}

// What is learned from samples is learned before the codes are there; most of the rest is the
// index.
std::size_t peak_memory(const BuildPlan& plan, std::size_t index_bytes, const AnyMatrixView& rows,
                        const BuildOptions& options) {
  // Threads, buffers of pieces, what the allocator keeps.
  constexpr std::size_t kProgram = 12 << 20;
  const std::size_t n = rows.rows(), row_bytes = rows.dim() * sizeof(float);
  std::size_t learning = std::min(n, Stage::kTrainRows) * row_bytes;
  std::size_t building = index_bytes;
  if (plan.kind == "graph") {
    // Lists with room to spare and whole ids; a mark a thread, the order, in-edges, what is
    // reached.
    building += n * (slots_to_build(plan.degree) * sizeof(Id) + thread_count(options.control) +
                     3 * sizeof(Id));
  } else if (plan.kind == "ivf") {
    learning = std::max(learning, std::min(n, plan.lists * kTrainRowsOfList) * row_bytes);
    const bool rows = CodecSpec::parse(plan.codec).parts() == 0;  // that lie in the lists' order
    for (const auto& [part, bytes] : plan.bytes) {  // grown lists take the place of others
      if (part.starts_with("ivf.") || (rows && part.starts_with("primary."))) building += bytes;
    }
    building += n * 4 * sizeof(Id);
  }
  return kProgram + std::max(learning, building);
}

}  // namespace

BuildPlan plan_build(const AnyMatrixView& rows, const Labels& labels, const BuildOptions& options) {
  const BuildOptions resolved = resolve(options, rows);
  check_order(resolved, labels);
  BuildOptions measured = resolved;
  measured.control.progress = nullptr;
  measured.disk.clear();  // a sample fits into memory
  measured.disk_file.clear();
  measured.order = "random";  // orders by LID are timed apart; the others take no time
  const std::vector<Id> chosen = random_sample(rows.rows(), kSampleRows, options.seed);
  const Matrix<float> sample = copy_rows(rows, chosen);
  const bool lists = resolved.index == "ivf";
  if (lists) {  // as many rows a list as there will be; finding lists is timed apart
    measured.lists = std::max<std::size_t>(1, resolved.lists * sample.rows() / rows.rows());
  }
  const double before = cpu_seconds();
  Index index = Index::build(sample, Labels(), measured);
  const double seconds = cpu_seconds() - before;

  const double n = static_cast<double>(rows.rows());
  const double m = static_cast<double>(sample.rows());
  const double ratio = n / m;
  BuildPlan plan;
  plan.kind = resolved.index;
  plan.codec = resolved.codec;
  plan.lists = lists ? resolved.lists : 0;
  plan.degree = resolved.index == "graph" ? resolved.degree : 0;
  plan.build_beam = resolved.index == "graph" ? resolved.build_beam : 0;
  // What grows with the vectors is scaled; a codec's few kilobytes of its own are not.
  constexpr std::size_t kFixedPart = 64 * 1024;
  std::size_t total = 0;
  const bool product = CodecSpec::parse(resolved.codec).parts() != 0;
  const std::string on_disk = resolved.disk.empty() ? "" : product ? "primary." : "rerank.";
  for (const auto& [part, bytes] : index.info().bytes) {
    const bool small = bytes < kFixedPart && bytes < sample.rows();
    if (!on_disk.empty() && part.starts_with(on_disk) && !small) {
      constexpr std::size_t kChecksum = 8;
      plan.disk_bytes += static_cast<std::size_t>(static_cast<double>(bytes) * ratio);
      plan.disk_bytes += kChecksum * rows.rows();
      continue;
    }
    const bool fixed = part == "ivf.words" || part.ends_with(".binariser") || small;
    std::size_t scaled =
        fixed ? bytes : static_cast<std::size_t>(static_cast<double>(bytes) * ratio);
    if (part == "graph") {  // the more vectors, the more bits an edge
      scaled =
          rows.rows() * PackedGraph::row_bytes(plan.degree, PackedGraph::bits_for(rows.rows()));
    }
    plan.bytes.emplace_back(part, scaled);
    total += scaled;
  }
  const std::size_t label_bytes =
      labels.numbers().size_bytes() + labels.offsets().size_bytes() + labels.bytes().size();
  if (label_bytes != 0) plan.bytes.emplace_back("labels", label_bytes);
  plan.peak_memory_bytes = peak_memory(plan, total, rows, resolved);
  // Searching a graph takes about log n steps: n log n overall.
  const double growth =
      resolved.index == "graph" && m > 1 ? ratio * std::log(n) / std::log(m) : ratio;
  plan.build_cpu_seconds = seconds * growth + ratio * order_seconds(rows, chosen, resolved);
  if (lists) {
    // Most of a small build is the training of codes and doesn't grow; what each row adds does.
    const double built = cpu_seconds();
    index.add(sample, Labels(), measured.control);
    const double added = cpu_seconds() - built;
    const auto trained = std::min(rows.rows(), resolved.lists * kTrainRowsOfList);
    const double assigned = n + static_cast<double>(KMeansOptions().iterations * trained);
    plan.build_cpu_seconds = seconds + (ratio - 1) * added +
                             assigned * seconds_to_assign(sample, resolved.lists, measured.control);
  }
  return plan;
}

}  // namespace kith

#include <algorithm>
#include <limits>

#include "base/parallel.h"
#include "index/flat_batch.h"
#include "simd/kernels.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kPieceBytes = 1 << 20;  // rows that a thread takes at a time
constexpr std::size_t kStepRows = 256;        // rows scored by one kernel call

class Scan {
 public:
  Scan(const FlatRows& base, QueryGroup& group, const Control& control)
      : base_(base),
        group_(group),
        control_(control),
        dim_(base.rows.dim()),
        error_(sum_error(dim_)),
        row_bytes_(dim_ * size_of(base.rows.type())) {
    const simd::Op op = base.metric == Metric::l2 ? simd::Op::l2 : simd::Op::dot;
    const ElementType type = base.rows.type();
    // Bytes against bytes are exact integers, and several times as fast.
    same_type_ = type == group.raw.type() && (type == ElementType::i8 || type == ElementType::u8);
    many_ = same_type_ ? simd::same_type_kernels(type, op).many
                       : simd::float_query_kernels(type, op).many;
    const std::size_t rows = base.rows.rows();
    stride_ = rows > 1 ? static_cast<std::size_t>(static_cast<const char*>(base.rows.row(1)) -
                                                  static_cast<const char*>(base.rows.row(0)))
                       : row_bytes_;
  }

  void run(Progress& progress) {
    const std::size_t rows = base_.rows.rows();
    const std::size_t steps = kPieceBytes / (row_bytes_ * kStepRows);
    const std::size_t piece = kStepRows * std::max<std::size_t>(1, steps);
    std::vector<Worker> workers(std::min(thread_count(control_), (rows + piece - 1) / piece));
    parallel_for(control_, rows, piece, [&](std::size_t begin, std::size_t end, std::size_t w) {
      if (workers[w].sets.empty()) workers[w] = Worker(group_, dim_);
      for (std::size_t step = begin; step < end; step += kStepRows) {
        scan_step(step, std::min(kStepRows, end - step), workers[w]);
      }
      progress.add((end - begin) * group_.queries.size());
    });
    for (Worker& worker : workers) {
      for (std::size_t q = 0; q < worker.sets.size(); ++q) {
        group_.sets[q].absorb(std::move(worker.sets[q]));
      }
    }
  }

 private:
  struct Worker {
    Worker() = default;
    Worker(const QueryGroup& group, std::size_t dim) : sets(group.sets), scratch(dim) {}
    std::vector<CandidateSet> sets;
    CandidateScratch scratch{0};
    std::vector<Id> rows;
    float values[kStepRows];
    std::uint32_t chosen[kStepRows];
  };

  // Of a step with few allowed rows only those are read.
  void scan_step(std::size_t first, std::size_t count, Worker& worker) {
    constexpr std::size_t kSparse = 4;
    const auto score_all = [&](std::size_t row, std::size_t rows) {
      for (std::size_t q = 0; q < group_.queries.size(); ++q) score(q, row, rows, worker);
    };
    if (base_.allowed != nullptr) {
      worker.rows.clear();
      base_.allowed->for_each(static_cast<Id>(first), static_cast<Id>(first + count),
                              [&](Id id) { worker.rows.push_back(id); });
      if (worker.rows.size() <= count / kSparse) {
        for (const Id row : worker.rows) score_all(row, 1);
        return;
      }
    }
    score_all(first, count);
  }

  void score(std::size_t q, std::size_t first, std::size_t count, Worker& worker) {
    const PreciseQuery& query = group_.queries[q];
    const void* values = same_type_ ? group_.raw.row(q) : query.values();
    many_(values, base_.rows.row(first), stride_, count, dim_, worker.values);
    if (base_.metric == Metric::l2) {
      keep_l2(q, first, count, worker);
    } else {
      keep_dot(q, first, count, worker);
    }
  }

  // All terms are positive, so the error is relative to the distance itself.
  void keep_l2(std::size_t q, std::size_t first, std::size_t count, Worker& worker) {
    const auto widen = static_cast<float>(1 + 2 * error_);
    const auto shrink = static_cast<float>(1 - 2 * error_);
    CandidateSet& set = worker.sets[q];
    const float limit = (set.threshold() + kAbsoluteError) * widen;
    const std::size_t passed = simd::select_at_most(worker.values, count, limit, worker.chosen);
    for (std::size_t i = 0; i < passed; ++i) {
      const float value = worker.values[worker.chosen[i]];
      const float at_least = std::min(value, std::numeric_limits<float>::max());
      add(q, at_least * shrink - kAbsoluteError, value * widen + kAbsoluteError,
          first + worker.chosen[i], worker);
    }
  }

  void keep_dot(std::size_t q, std::size_t first, std::size_t count, Worker& worker) {
    const PreciseQuery& query = group_.queries[q];
    const auto factor = static_cast<float>(-1 / query.norm());
    const auto error = static_cast<float>(error_);
    const float* norms = &base_.norms[first];
    float* values = worker.values;
    if (query.is_wild()) {
      std::fill(values, values + count, -kInfinity);
    } else if (base_.metric == Metric::ip) {
      for (std::size_t i = 0; i < count; ++i) {
        const float lower = values[i] * factor - (error * norms[i] + kAbsoluteError);
        values[i] = norms[i] <= kLargestTameNorm ? lower : -kInfinity;
      }
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        const float lower = values[i] * factor / norms[i] - error;
        values[i] =
            norms[i] <= kLargestTameNorm && norms[i] >= kSmallestTameNorm ? lower : -kInfinity;
      }
    }
    const std::size_t passed =
        simd::select_at_most(values, count, worker.sets[q].threshold(), worker.chosen);
    for (std::size_t i = 0; i < passed; ++i) {
      const std::uint32_t row = worker.chosen[i];
      const float width =
          base_.metric == Metric::ip ? 2.5f * (error * norms[row] + kAbsoluteError) : 2.5f * error;
      add(q, values[row], values[row] == -kInfinity ? kInfinity : values[row] + width, first + row,
          worker);
    }
  }

  void add(std::size_t q, float lower, float upper, std::size_t row, Worker& worker) {
    if (!base_.allows(row)) return;
    if (worker.sets[q].add(lower, upper, static_cast<Id>(row))) {
      worker.sets[q].shrink(group_.queries[q], worker.scratch);
    }
  }

  const FlatRows& base_;
  QueryGroup& group_;
  const Control& control_;
  std::size_t dim_;
  double error_;
  std::size_t row_bytes_, stride_;
  bool same_type_;
  simd::ManyFn many_;
};

}  // namespace

void search_as_scan(const FlatRows& base, QueryGroup& group, const Control& control,
                    Progress& progress) {
  Scan(base, group, control).run(progress);
}

}  // namespace kith

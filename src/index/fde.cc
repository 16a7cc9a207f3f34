#include "kith/fde.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "index/checks.h"
#include "index/fde_directions.h"
#include "index/maxsim.h"
#include "kith/error.h"
#include "simd/dense.h"

namespace kith {
namespace {

constexpr std::size_t kMostPlanes = 16;
constexpr std::size_t kMostRepetitions = 4096;
constexpr std::size_t kMostRaw = std::size_t{1} << 24;  // dimensions before the final projection
constexpr std::size_t kMostDirections = std::size_t{1} << 28;  // numbers in all of them
constexpr std::uint64_t kFinalStream = 0;                      // 0 is no repetition's

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "fde: " + message);
}

void check(std::size_t dim, const FdeOptions& options) {
  if (dim == 0 || dim > kMaxDim) {
    refuse(std::to_string(dim) + " dimensions, expected 1 to " + std::to_string(kMaxDim));
  }
  if (options.repetitions == 0 || options.repetitions > kMostRepetitions) {
    refuse(std::to_string(options.repetitions) + " repetitions, expected 1 to " +
           std::to_string(kMostRepetitions));
  }
  if (options.planes > kMostPlanes) {
    refuse(std::to_string(options.planes) + " planes, expected 0 to " +
           std::to_string(kMostPlanes));
  }
  if (options.inner_dim > dim) {
    refuse("an inner projection to " + std::to_string(options.inner_dim) +
           " dimensions, but vectors have " + std::to_string(dim));
  }
  const std::size_t directions = options.repetitions * (options.planes + options.inner_dim);
  if (directions > kMostDirections / dim) {
    refuse(std::to_string(directions) + " random directions of " + std::to_string(dim) +
           " dimensions, at most " + std::to_string(kMostDirections / dim) + " are held");
  }
  if (options.projection != "dense" && options.projection != "sparse") {
    refuse("projection '" + options.projection + "', expected dense or sparse");
  }
}

// The vector that a cell without one takes: of those with the fewest planes between, the first.
// Number of planes in the high half, the vector's in the low one; so the smallest is sought, and
// each plane in turn offers every cell what lies behind it at the cost of one plane more.
using Nearest = std::uint64_t;
constexpr Nearest kOnePlane = Nearest{1} << 32, kFarther = kOnePlane << 16;

void spread(std::vector<Nearest>& nearest) {
  for (std::size_t plane = 1; plane < nearest.size(); plane *= 2) {
    for (std::size_t cell = 0; cell < nearest.size(); ++cell) {
      if ((cell & plane) != 0) continue;
      Nearest& here = nearest[cell];
      Nearest& there = nearest[cell | plane];
      const Nearest before = here;
      here = std::min(here, there + kOnePlane);
      there = std::min(there, before + kOnePlane);
    }
  }
}

}  // namespace

struct FdeEncoder::State {
  State(std::size_t dim, const FdeOptions& options) : dim(dim), options(options) {
    check(dim, options);
    // As many dimensions as there are: projecting would only lose.
    if (options.inner_dim == dim) this->options.inner_dim = 0;
    block = this->options.inner_dim != 0 ? this->options.inner_dim : dim;
    cells = std::size_t{1} << options.planes;
    raw = options.repetitions * cells * block;
    encoded = options.final_dim != 0 ? options.final_dim : raw;
    if (raw > kMostRaw || encoded > kMaxDim) {
      refuse(std::to_string(options.repetitions) + " repetitions of " + std::to_string(cells) +
             " cells of " + std::to_string(block) + " dimensions" +
             (options.final_dim != 0 ? " to " + std::to_string(options.final_dim) : "") + " give " +
             std::to_string(options.final_dim != 0 && raw <= kMostRaw ? encoded : raw) +
             ", at most " + std::to_string(raw > kMostRaw ? kMostRaw : kMaxDim) + " are held");
    }
    const Matrix<float> directions = fde_directions(dim, this->options);
    if (directions.rows() != 0) weights = simd::PackedWeights(directions, nullptr);
    if (options.final_dim != 0) {
      sketch = count_sketch(raw, options.final_dim, options.seed, kFinalStream);
    }
  }

  std::size_t dim;
  FdeOptions options;
  std::size_t block, cells, raw, encoded;
  simd::PackedWeights weights;
  std::vector<SketchEntry> sketch;
};

namespace {

enum class Role { query, document };

// What one thread encodes with.
class FdeWork {
 public:
  FdeWork(const FdeEncoder::State& state, Role role)
      : state_(state),
        role_(role),
        team_(Control{.threads = 1, .cancel = nullptr, .progress = {}}) {
    if (!state.sketch.empty()) raw_.resize(state.raw);
  }

  void encode(const AnyMatrixView& set, float* out) {
    load(set);
    float* const raw = state_.sketch.empty() ? out : raw_.data();
    std::fill_n(raw, state_.raw, 0.0f);
    for (std::size_t r = 0; r < state_.options.repetitions; ++r) {
      add_repetition(r, raw + r * state_.cells * state_.block);
    }
    if (state_.sketch.empty()) return;
    std::fill_n(out, state_.encoded, 0.0f);
    for (std::size_t i = 0; i < state_.raw; ++i) {
      out[state_.sketch[i].target] += state_.sketch[i].sign * raw[i];
    }
  }

 private:
  // The vectors of the set, and their products with all directions.
  void load(const AnyMatrixView& set) {
    count_ = set.rows();
    if (vectors_.rows() < count_) {
      vectors_ = Matrix<float>(count_, state_.dim);
      products_ = Matrix<float>(count_, state_.weights.outputs());
    }
    for (std::size_t i = 0; i < count_; ++i) set.copy_row(i, vectors_.row(i));
    if (state_.weights.outputs() == 0) return;
    simd::dense(team_, vectors_.view().slice(0, count_), state_.weights,
                products_.view().slice(0, count_), scratch_);
  }

  void add_repetition(std::size_t r, float* blocks) {
    const FdeOptions& options = state_.options;
    const std::size_t first = r * (options.planes + options.inner_dim);
    const std::size_t dims = state_.block;
    counts_.assign(state_.cells, 0);
    nearest_.assign(state_.cells, kFarther);
    for (std::size_t i = 0; i < count_; ++i) {
      std::size_t cell = 0;
      for (std::size_t p = 0; p < options.planes; ++p) {
        cell |= std::size_t{products_(i, first + p) > 0} << p;
      }
      nearest_[cell] = std::min<Nearest>(nearest_[cell], i);
      ++counts_[cell];
      const float* vector = projected(i, first);
      float* block = blocks + cell * dims;
      for (std::size_t j = 0; j < dims; ++j) block[j] += vector[j];
    }
    if (role_ == Role::query) return;
    if (options.fill_empty) spread(nearest_);
    for (std::size_t cell = 0; cell < state_.cells; ++cell) {
      float* block = blocks + cell * dims;
      if (counts_[cell] > 1) {
        const float share = 1 / static_cast<float>(counts_[cell]);
        for (std::size_t j = 0; j < dims; ++j) block[j] *= share;
      } else if (counts_[cell] == 0 && options.fill_empty) {
        const std::size_t i = static_cast<std::uint32_t>(nearest_[cell]);
        std::copy_n(projected(i, first), dims, block);
      }
    }
  }

  const float* projected(std::size_t i, std::size_t first) const {
    return state_.options.inner_dim == 0 ? vectors_.row(i)
                                         : products_.row(i) + first + state_.options.planes;
  }

  const FdeEncoder::State& state_;
  const Role role_;
  WorkerTeam team_;
  simd::DenseScratch scratch_;
  std::size_t count_ = 0;
  Matrix<float> vectors_, products_;
  std::vector<std::uint32_t> counts_;
  std::vector<Nearest> nearest_;
  std::vector<float> raw_;
};

Matrix<float> encode_all(const FdeEncoder::State& state, Role role, const VectorSetsView& sets,
                         const Control& control) {
  if (sets.size() == 0) return Matrix<float>(0, state.encoded);
  check_sets(role == Role::query ? "query" : "base", sets, control);
  if (sets.dim() != state.dim) {
    throw Error(ErrorCode::invalid_argument, "sets: " + std::to_string(sets.dim()) +
                                                 " dimensions, but the encoder has " +
                                                 std::to_string(state.dim));
  }
  Matrix<float> rows(sets.size(), state.encoded);
  std::vector<std::unique_ptr<FdeWork>> work(thread_count(control));
  Progress progress(control, "encode", sets.size());
  parallel_for(without_progress(control), sets.size(), 8,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 if (!work[worker]) work[worker] = std::make_unique<FdeWork>(state, role);
                 for (std::size_t i = begin; i < end; ++i) {
                   work[worker]->encode(sets.set(i), rows.row(i));
                 }
                 progress.add(end - begin);
               });
  return rows;
}

}  // namespace

FdeEncoder::FdeEncoder(std::size_t dim, const FdeOptions& options)
    : state_(std::make_shared<State>(dim, options)) {}

std::size_t FdeEncoder::dim() const { return state_->dim; }
std::size_t FdeEncoder::encoded_dim() const { return state_->encoded; }
const FdeOptions& FdeEncoder::options() const { return state_->options; }

Matrix<float> FdeEncoder::encode_queries(const VectorSetsView& sets, const Control& control) const {
  return encode_all(*state_, Role::query, sets, control);
}

Matrix<float> FdeEncoder::encode_documents(const VectorSetsView& sets,
                                           const Control& control) const {
  return encode_all(*state_, Role::document, sets, control);
}

std::string FdeEncoder::identity() const {
  const FdeOptions& options = state_->options;
  std::string text = "fde" + std::to_string(kFdeVersion) + " of " + std::to_string(dim()) +
                     " dimensions, " + std::to_string(options.repetitions) + " x 2^" +
                     std::to_string(options.planes) + " x " + std::to_string(state_->block);
  if (options.inner_dim != 0) text += " " + options.projection;
  if (options.final_dim != 0) text += " to " + std::to_string(options.final_dim);
  return text + ", seed " + std::to_string(options.seed);
}

void FdeEncoder::require_same(std::string_view other) const {
  if (other == identity()) return;
  refuse("encodings by " + std::string(other) + " can't be compared with those by " + identity());
}

}  // namespace kith

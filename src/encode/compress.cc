#include "encode/compress.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>
#include <utility>

#include "base/copy_rows.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/centres.h"
#include "codec/dense.h"
#include "codec/kmeans.h"
#include "codec/products.h"
#include "encode/model_files.h"
#include "encode/model_folder.h"
#include "encode/modules.h"
#include "kith/error.h"
#include "simd/matmul.h"

namespace kith::encode {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}
[[noreturn]] void refuse_tensor(const std::string& name, const std::string& reason) {
  refuse("tensor '" + name + "': " + reason);
}

bool is_clustered(const CompressOptions& options) {
  return options.method == "lr2vq" || options.method == "vq";
}

void check(const CompressOptions& options) {
  const bool known =
      is_clustered(options) || options.method == "lowrank" || options.method == "int8";
  if (!known) refuse("method '" + options.method + "', expected lr2vq, vq, lowrank or int8");
  if (!is_clustered(options)) return;
  if (options.sub == 0 || options.sub > PackedTensor::kMostSub) {
    refuse("sub-vectors of " + std::to_string(options.sub) + " values, expected 1 to " +
           std::to_string(PackedTensor::kMostSub));
  }
  if (options.words < 2 || options.words > PackedTensor::kMostWords) {
    refuse(std::to_string(options.words) + " centres, expected 2 to " +
           std::to_string(PackedTensor::kMostWords));
  }
  if (options.dim > options.sub) {
    refuse(std::to_string(options.dim) + " dimensions of sub-vectors of " +
           std::to_string(options.sub) + " values, expected as many at most");
  }
}

double squares_of(const Matrix<float>& values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    for (std::size_t j = 0; j < values.cols(); ++j) sum += double{values(i, j)} * values(i, j);
  }
  return sum;
}

// G x m: sub-vector g is of row g / (cols / m).
Matrix<float> sub_vectors(const Matrix<float>& values, std::size_t sub) {
  const std::size_t in_row = values.cols() / sub;
  Matrix<float> rows(values.rows() * in_row, sub);
  for (std::size_t g = 0; g < rows.rows(); ++g) {
    std::copy_n(values.row(g / in_row) + g % in_row * sub, sub, rows.row(g));
  }
  return rows;
}

void check_shape(const std::string& name, const Matrix<float>& values,
                 const CompressOptions& options) {
  if (values.cols() % options.sub != 0) {
    refuse_tensor(name, "rows of " + std::to_string(values.cols()) +
                            " values, which sub-vectors of " + std::to_string(options.sub) +
                            " don't divide");
  }
  const std::size_t groups = values.rows() * (values.cols() / options.sub);
  if (groups < options.words) {
    refuse_tensor(name, std::to_string(groups) + " sub-vectors, fewer than " +
                            std::to_string(options.words) + " centres");
  }
}

// The eigenvectors of rows^T rows, as rows, of the largest eigenvalue first, and what is left of
// the sum of eigenvalues behind the first d, [d].
struct Directions {
  Matrix<float> rows;
  std::vector<double> left;
};
Directions directions_of(const Matrix<float>& rows, const Control& control) {
  const Eigen::SelfAdjointEigenSolver<kith::Dense> solver(
      to_dense(sum_of_products(rows.view(), rows.view(), without_progress(control))));
  Directions found;
  found.rows = to_floats(solver.eigenvectors().rowwise().reverse().transpose());
  found.left.assign(rows.cols() + 1, 0.0);
  for (std::size_t d = rows.cols(); d > 0; --d) {
    const double value = solver.eigenvalues()(static_cast<Eigen::Index>(rows.cols() - d));
    found.left[d - 1] = found.left[d] + std::max(0.0, value);
  }
  return found;
}

Matrix<float> first_rows(const Matrix<float>& rows, std::size_t count) {
  Matrix<float> some(count, rows.cols());
  for (std::size_t i = 0; i < count; ++i) std::copy_n(rows.row(i), rows.cols(), some.row(i));
  return some;
}

Matrix<float> centres_of(const Matrix<float>& rows, const CompressOptions& options) {
  constexpr std::size_t kIterations = 25, kRowsAWord = 1024;
  KMeansOptions means;
  means.clusters = options.words;
  means.iterations = kIterations;
  means.rows_per_cluster = kRowsAWord;
  means.seed = options.seed;
  means.control = without_progress(options.control);
  return kmeans(rows.view(), means);
}

std::vector<std::uint32_t> nearest_of(const Matrix<float>& rows, const Matrix<float>& centres,
                                      const Control& control, double* error = nullptr) {
  std::vector<std::uint32_t> ids(rows.rows());
  std::vector<float> distances(rows.rows());
  Centres(centres.clone()).nearest(rows.view(), without_progress(control), ids, distances);
  if (error != nullptr) *error = std::accumulate(distances.begin(), distances.end(), 0.0);
  return ids;
}

PackedTensor pack_codes(PackedTensor tensor, const Matrix<float>& values,
                        const CompressOptions& options) {
  check_shape(tensor.name, values, options);
  tensor.packing = Packing::codes;
  tensor.sub = options.sub;
  Matrix<float> rows;
  if (options.method == "lr2vq" && options.dim != 0 && options.dim < options.sub) {
    PackedTensor low =
        representations_of(tensor.name, values, options.sub, options.dim, options.control);
    rows = std::move(low.centres);
    tensor.expansion = std::move(low.expansion);
    round_to_half(tensor.expansion, tensor.name);
  } else {
    rows = sub_vectors(values, options.sub);
  }
  tensor.centres = centres_of(rows, options);
  round_to_half(tensor.centres, tensor.name);
  tensor.codes = nearest_of(rows, tensor.centres, options.control);
  return tensor;
}

PackedTensor pack_low_rank(PackedTensor tensor, const Matrix<float>& values,
                           const CompressOptions& options) {
  tensor.packing = Packing::low_rank;
  const std::size_t most = std::min(values.rows(), values.cols());
  // By default as many as take the bytes that codes would.
  std::size_t rank = options.dim;
  if (rank == 0) {
    const std::size_t codes = values.rows() * values.cols() /
                              std::max<std::size_t>(options.sub, 1) *
                              static_cast<std::size_t>(code_bits(options.words)) / 8;
    rank = std::clamp<std::size_t>(codes / (2 * (values.rows() + values.cols())), 1, most);
  }
  if (rank > most) {
    refuse_tensor(tensor.name, "a rank of " + std::to_string(rank) + ", expected " +
                                   std::to_string(most) + " at most");
  }
  tensor.expansion = first_rows(directions_of(values, options.control).rows, rank);
  tensor.centres = Matrix<float>(values.rows(), rank);
  simd::matmul(values.view(), tensor.expansion.view(), tensor.centres);
  round_to_half(tensor.expansion, tensor.name);
  round_to_half(tensor.centres, tensor.name);
  return tensor;
}

PackedTensor pack_bytes(PackedTensor tensor, const Matrix<float>& values) {
  constexpr float kMost = 127;
  tensor.packing = Packing::int8;
  for (std::size_t i = 0; i < values.rows(); ++i) {
    float largest = 0;
    for (std::size_t j = 0; j < values.cols(); ++j) {
      largest = std::max(largest, std::abs(values(i, j)));
    }
    const float scale = largest / kMost;
    tensor.scales.push_back(scale);
    for (std::size_t j = 0; j < values.cols(); ++j) {
      const float level = scale > 0 ? std::nearbyint(values(i, j) / scale) : 0;
      tensor.values.push_back(static_cast<std::int8_t>(std::clamp(level, -kMost, kMost)));
    }
  }
  return tensor;
}

// A tensor of one or two dimensions.
Matrix<float> read_values(const TensorStore& store, const std::string& name) {
  const auto& shape = store.shape(name);
  if (shape.size() != 1 && shape.size() != 2) {
    throw Error(ErrorCode::unsupported, store.path() + ": tensor '" + name + "' has " +
                                            std::to_string(shape.size()) +
                                            " dimensions, expected one or two");
  }
  return shape.size() == 1 ? store.read(name, 1, shape[0]) : store.read(name, shape[0], shape[1]);
}

std::vector<std::string> choose_tensors(const TensorStore& store, const CompressOptions& options) {
  if (options.tensors.empty()) return large_matrices(store, options);
  for (const std::string& name : options.tensors) {
    if (!store.has(name)) {
      throw Error(ErrorCode::not_found, store.path() + ": tensor '" + name + "' is missing");
    }
    if (store.shape(name).size() != 2) refuse_tensor(name, "not of two dimensions");
  }
  return options.tensors;
}

std::size_t bytes_of(const std::vector<std::string>& files) {
  std::size_t sum = 0;
  for (const std::string& file : files) sum += fs::file_size(file);
  return sum;
}

// E(d) over all tensors, and the d that it chooses.
std::size_t choose_dim(const TensorStore& store, const std::vector<std::string>& names,
                       const CompressOptions& options, std::vector<DimensionError>& dims) {
  constexpr double kNearlyLeast = 1.05;
  double total = 0;
  for (std::size_t d = 1; d <= options.sub; ++d) dims.push_back({.dim = d});
  Progress progress(options.control, "try dimensions", names.size() * options.sub);
  for (const std::string& name : names) {
    const Matrix<float> values = read_values(store, name);
    check_shape(name, values, options);
    double squares = 0;
    const std::vector<DimensionError> own = dimension_errors(values, options, &squares, &progress);
    total += squares;
    for (std::size_t i = 0; i < own.size(); ++i) {
      dims[i].low_rank += own[i].low_rank;
      dims[i].clustering += own[i].clustering;
    }
  }
  double least = 1e300;
  for (DimensionError& each : dims) {
    each.low_rank /= std::max(total, 1e-300);
    each.clustering /= std::max(total, 1e-300);
    least = std::min(least, each.low_rank + each.clustering);
  }
  for (const DimensionError& each : dims) {
    if (each.low_rank + each.clustering <= kNearlyLeast * least) return each.dim;
  }
  return options.sub;
}

}  // namespace

std::vector<std::string> large_matrices(const TensorStore& store, const CompressOptions& options) {
  constexpr std::size_t kGroupsAWord = 4, kLeastValues = 4096;
  std::vector<std::string> chosen;
  for (const std::string& name : store.names()) {
    const auto& shape = store.shape(name);
    if (shape.size() != 2 || !store.is_float(name)) continue;
    const std::size_t least =
        is_clustered(options) ? options.sub * options.words * kGroupsAWord : kLeastValues;
    if (shape[0] * shape[1] >= least) chosen.push_back(name);
  }
  if (chosen.empty()) refuse(store.path() + ": no matrix is large enough to be compressed");
  return chosen;
}

PackedTensor pack_tensor(const std::string& name, const Matrix<float>& values,
                         const CompressOptions& options) {
  check(options);
  PackedTensor tensor;
  tensor.name = name;
  tensor.rows = values.rows();
  tensor.cols = values.cols();
  if (options.method == "lowrank") return pack_low_rank(std::move(tensor), values, options);
  if (options.method == "int8") return pack_bytes(std::move(tensor), values);
  return pack_codes(std::move(tensor), values, options);
}

PackedTensor representations_of(const std::string& name, const Matrix<float>& values,
                                std::size_t sub, std::size_t dim, const Control& control) {
  if (sub == 0 || dim == 0 || dim > sub || values.cols() % sub != 0) {
    refuse_tensor(name, std::to_string(dim) + " dimensions of sub-vectors of " +
                            std::to_string(sub) + " values, in rows of " +
                            std::to_string(values.cols()));
  }
  const Matrix<float> rows = sub_vectors(values, sub);
  PackedTensor tensor;
  tensor.name = name;
  tensor.rows = values.rows();
  tensor.cols = values.cols();
  tensor.sub = sub;
  tensor.codes.resize(rows.rows());
  std::iota(tensor.codes.begin(), tensor.codes.end(), 0U);
  tensor.expansion = first_rows(directions_of(rows, control).rows, dim);
  tensor.centres = Matrix<float>(rows.rows(), dim);
  simd::matmul(rows.view(), tensor.expansion.view(), tensor.centres);
  return tensor;
}

std::vector<DimensionError> dimension_errors(const Matrix<float>& values,
                                             const CompressOptions& options, double* squares,
                                             Progress* progress) {
  constexpr std::size_t kMostRows = 65536;
  const Matrix<float> all = sub_vectors(values, options.sub);
  const auto chosen = random_sample(all.rows(), kMostRows, options.seed);
  const Matrix<float> rows = copy_rows(all.view(), chosen);
  const Directions directions = directions_of(rows, options.control);
  *squares = squares_of(rows);
  std::vector<DimensionError> dims;
  for (std::size_t d = 1; d <= options.sub; ++d) {
    throw_if_cancelled(options.control);
    Matrix<float> reduced(rows.rows(), d);
    simd::matmul(rows.view(), directions.rows.view().slice(0, d), reduced);
    DimensionError each{.dim = d, .low_rank = directions.left[d], .clustering = 0};
    nearest_of(reduced, centres_of(reduced, options), options.control, &each.clustering);
    dims.push_back(each);
    if (progress != nullptr) progress->add(1);
  }
  return dims;
}

void write_packed_model(const std::string& from, const std::string& out,
                        const std::vector<PackedTensor>& tensors, bool with_logs) {
  const std::string place = find_modules(from).transformer;
  const TensorStore store = TensorStore::open_folder(place);
  NewFolder folder(out);
  std::set<fs::path> weights;
  for (const std::string& file : store.files()) weights.insert(fs::path(file).lexically_normal());
  weights.insert((fs::path(place) / "model.safetensors.index.json").lexically_normal());
  for (const std::string& name : model_files(from)) {
    const fs::path path = (fs::path(from) / name).lexically_normal();
    const bool log = *fs::path(name).begin() == "training";
    if (weights.contains(path) || (log && !with_logs)) continue;
    fs::copy_file(path, folder.file(name));
  }
  const std::string inside = fs::path(place).lexically_relative(from).string();
  const std::string prefix = inside == "." || inside.empty() ? "" : inside + "/";
  std::set<std::string> packed;
  for (const PackedTensor& tensor : tensors) packed.insert(tensor.name);
  std::vector<Matrix<float>> kept;
  std::vector<NamedTensor> others;
  for (const std::string& name : store.names()) {
    if (packed.contains(name) || !store.is_float(name)) continue;
    const Matrix<float> values = read_values(store, name);
    // Row after row, without padding.
    Matrix<float> dense(1, values.rows() * values.cols());
    for (std::size_t i = 0; i < values.rows(); ++i) {
      std::copy_n(values.row(i), values.cols(), dense.row(0) + i * values.cols());
    }
    kept.push_back(std::move(dense));
    others.push_back({name, store.shape(name), {kept.back().row(0), kept.back().cols()}});
  }
  if (!others.empty()) write_tensors(folder.file(prefix + "model.safetensors"), others);
  write_packed(folder.file(prefix + kPackedFile), tensors);
  folder.commit();
}

CompressSummary compress_model(const std::string& from, const std::string& out,
                               const CompressOptions& given) {
  CompressOptions options = given;
  check(options);
  std::error_code none;
  if (fs::exists(out, none) && !(fs::is_directory(out, none) && fs::is_empty(out, none))) {
    refuse(out + ": exists already, expected the name of a new folder");
  }
  const std::string place = find_modules(from).transformer;
  const TensorStore store = TensorStore::open_folder(place);
  if (fs::exists(fs::path(place) / kPackedFile)) {
    refuse(from + ": compressed already, expected a model of whole tensors");
  }
  const std::vector<std::string> names = choose_tensors(store, options);
  CompressSummary summary;
  if (options.method == "lr2vq" && options.dim == 0) {
    options.dim = choose_dim(store, names, options, summary.dims);
  }
  if (options.method == "lr2vq") summary.dim = options.dim;
  Progress progress(options.control, "compress", names.size());
  std::vector<PackedTensor> tensors;
  for (const std::string& name : names) {
    throw_if_cancelled(options.control);
    const Matrix<float> values = read_values(store, name);
    const PackedTensor& packed = tensors.emplace_back(pack_tensor(name, values, options));
    const Matrix<float> decoded = packed.decode();
    double error = 0;
    for (std::size_t i = 0; i < values.rows(); ++i) {
      for (std::size_t j = 0; j < values.cols(); ++j) {
        error += std::pow(double{values(i, j)} - decoded(i, j), 2);
      }
    }
    summary.tensors.push_back({.name = name,
                               .rows = values.rows(),
                               .cols = values.cols(),
                               .dim = packed.packing == Packing::int8 ? 0 : packed.dim(),
                               .before = values.rows() * values.cols() * sizeof(float),
                               .after = packed.bytes(),
                               .error = error / std::max(squares_of(values), 1e-300)});
    progress.add(1);
  }
  summary.before = bytes_of(store.files());
  write_packed_model(from, out, tensors);
  summary.after = bytes_of(TensorStore::open_folder(find_modules(out).transformer).files());
  return summary;
}

}  // namespace kith::encode

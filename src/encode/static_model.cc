#include "encode/static_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "base/random.h"
#include "encode/modules.h"
#include "encode/tensor_store.h"
#include "json/json.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr std::size_t kGrain = 64;  // texts a thread takes at once
constexpr std::size_t kMostWords = 1 << 26, kMostWidth = 1 << 16, kMostDirections = 1 << 10;

double dot(const double* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += a[j] * static_cast<double>(b[j]);
  return sum;
}

}  // namespace

StaticModel::StaticModel(Matrix<float> words, std::vector<float> weights, Matrix<float> common,
                         bool normalize, std::string type)
    : words_(std::move(words)),
      weights_(std::move(weights)),
      common_(std::move(common)),
      normalize_(normalize) {
  const std::size_t width = words_.cols();
  info_ = {.architecture = std::move(type),
           .layers = 0,
           .width = width,
           .vocabulary = words_.rows() + 1,  // and the unknown word
           .max_tokens = std::numeric_limits<std::size_t>::max(),
           .parameters = words_.rows() * (width + 1) + common_.rows() * width,
           .dim = width,
           .modules = {"weighted mean"}};
  if (common_.rows() != 0) {
    info_.modules.push_back("without " + std::to_string(common_.rows()) + " common component" +
                            (common_.rows() == 1 ? "" : "s"));
  }
  if (normalize_) info_.modules.emplace_back("normalize");
}

StaticModel StaticModel::open(const std::string& folder) {
  const Json json = Json::read(folder + "/config.json");
  const std::size_t rows = json.whole("vocab_size", 2, kMostWords) - 1;
  const std::size_t width = json.whole("hidden_size", 1, kMostWidth);
  const std::size_t directions = json.whole("common_components", 0, kMostDirections, 0);
  const TensorStore store = TensorStore::open_folder(folder);
  for (const std::string& name : store.names()) {
    if (name == "words.vectors" || name == "words.weights") continue;
    if (name == "common" && directions != 0) continue;
    throw Error(ErrorCode::corrupt,
                store.path() + ": tensor '" + name + "' has no place in a model of type sif");
  }
  const Matrix<float> weights = store.read("words.weights", 1, rows);
  return {store.read("words.vectors", rows, width),
          {weights.data(), weights.data() + rows},
          directions == 0 ? Matrix<float>() : store.read("common", directions, width),
          json.boolean("normalize", true)};
}

StaticShape static_shape(const TensorStore& store) {
  const auto& shape = store.shape(kStaticTensor);
  if (shape.size() != 2 || shape[0] == 0 || shape[0] > kMostWords || shape[1] == 0 ||
      shape[1] > kMostWidth) {
    throw Error(ErrorCode::corrupt, store.path() + ": tensor '" + kStaticTensor +
                                        "', expected two dimensions: tokens and components");
  }
  return {shape[0], shape[1]};
}

StaticModel StaticModel::open_embedding(const std::string& folder, bool normalize) {
  const TensorStore store = TensorStore::open_folder(folder);
  const StaticShape shape = static_shape(store);
  Matrix<float> words = store.read(kStaticTensor, shape.tokens, shape.width);
  std::vector<float> weights(words.rows(), 1);
  return {std::move(words), std::move(weights), {}, normalize, "static"};
}

StaticModel StaticModel::open_with_head(const Modules& modules) {
  StaticModel model = open_embedding(modules.transformer, false);
  model.head_.emplace(modules, PooledModel{.width = model.words_.cols(), .layers = 0});
  model.info_.by_token = modules.by_token;
  model.info_.dim = model.head_->dim();
  model.info_.modules = model.head_->descriptions();
  if (!modules.by_token) model.info_.modules.front() = "weighted mean";
  model.info_.parameters += model.head_->parameters();
  return model;
}

Matrix<float> StaticModel::token_vectors(std::span<const TokenSequence> sequences,
                                         const Control& control) const {
  std::vector<std::uint32_t> ids;
  for (const TokenSequence& sequence : sequences) {
    ids.insert(ids.end(), sequence.ids.begin(), sequence.ids.end());
  }
  Matrix<float> vectors(ids.size(), words_.cols());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < words_.rows()) std::copy_n(words_.row(ids[i]), words_.cols(), vectors.row(i));
  }
  if (head_) vectors = head_->apply(control, std::move(vectors));
  parallel_for(control, ids.size(), kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      if (ids[i] >= words_.rows()) {
        std::fill_n(vectors.row(i), vectors.cols(), 0.0f);  // where a layer has a bias
      } else {
        normalize(vectors.row(i), vectors.cols());
      }
    }
  });
  return vectors;
}

void StaticModel::encode_one(std::span<const std::uint32_t> ids, float* out) const {
  const std::size_t width = words_.cols();
  std::vector<double> sum(width);
  std::size_t known = 0;
  for (const std::uint32_t id : ids) {
    if (id >= words_.rows()) continue;
    const float* word = words_.row(id);
    for (std::size_t j = 0; j < width; ++j) {
      sum[j] += static_cast<double>(weights_[id]) * static_cast<double>(word[j]);
    }
    ++known;
  }
  for (double& x : sum) x /= static_cast<double>(std::max<std::size_t>(known, 1));
  for (std::size_t c = 0; c < common_.rows(); ++c) {
    const double along = dot(sum.data(), common_.row(c), width);
    for (std::size_t j = 0; j < width; ++j) sum[j] -= along * static_cast<double>(common_(c, j));
  }
  double square = 0;
  for (const double x : sum) square += x * x;
  const double scale = normalize_ && square > 0 ? 1 / std::sqrt(square) : 1;
  for (std::size_t j = 0; j < width; ++j) out[j] = static_cast<float>(scale * sum[j]);
}

Matrix<float> StaticModel::encode(std::span<const TokenSequence> sequences,
                                  const Control& control) const {
  Matrix<float> vectors(sequences.size(), words_.cols());
  parallel_for(control, sequences.size(), kGrain,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t i = begin; i < end; ++i) {
                   encode_one(sequences[i].ids, vectors.row(i));
                 }
               });
  if (head_) return head_->apply(control, std::move(vectors));
  return vectors;
}

std::vector<float> sif_weights(std::span<const double> shares, double a) {
  std::vector<float> weights;
  for (const double p : shares) weights.push_back(static_cast<float>(a / (a + p)));
  return weights;
}

Matrix<float> common_directions(MatrixView<const float> rows, std::size_t count) {
  const std::size_t n = rows.cols();
  count = std::min(count, n);
  std::vector<double> products(n * n);  // transpose(rows) * rows
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const float* row = rows.row(i);
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b <= a; ++b) {
        products[a * n + b] += static_cast<double>(row[a]) * static_cast<double>(row[b]);
      }
    }
  }
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) products[a * n + b] = products[b * n + a];
  }
  constexpr int kRounds = 200;
  Matrix<float> found(count, n);
  for (std::size_t c = 0; c < count; ++c) {
    Random random(1, c);
    std::vector<double> v(n), next(n);
    for (double& x : v) x = random.normal();
    for (int round = 0; round <= kRounds; ++round) {
      for (std::size_t other = 0; other < c; ++other) {
        const double along = dot(v.data(), found.row(other), n);
        for (std::size_t j = 0; j < n; ++j) v[j] -= along * static_cast<double>(found(other, j));
      }
      double square = 0;
      for (const double x : v) square += x * x;
      if (square == 0) return found;  // rows of fewer directions; zeros take nothing out
      for (double& x : v) x /= std::sqrt(square);
      if (round == kRounds) break;
      for (std::size_t a = 0; a < n; ++a) {
        next[a] = 0;
        for (std::size_t b = 0; b < n; ++b) next[a] += products[a * n + b] * v[b];
      }
      std::swap(v, next);
    }
    for (std::size_t j = 0; j < n; ++j) found(c, j) = static_cast<float>(v[j]);
  }
  return found;
}

}  // namespace kith::encode

#include "papers/common/elastic_model.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cpu_time.h"
#include "kith/error.h"

namespace kith::papers {
namespace {

TextEncoder open(const std::string& folder, std::size_t tokens) {
  ModelOptions options;
  options.context.tokens = tokens;
  return TextEncoder::open(folder, options);
}

// The first dimensions of each row, to unit length.
Matrix<float> cut(const Matrix<float>& rows, std::size_t dim) {
  Matrix<float> result(rows.rows(), dim);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double squares = 0;
    for (std::size_t j = 0; j < dim; ++j) squares += double{rows(i, j)} * rows(i, j);
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (std::size_t j = 0; j < dim; ++j) {
      result(i, j) = static_cast<float>(rows(i, j) * scale);
    }
  }
  return result;
}

}  // namespace

ElasticModel::ElasticModel(const std::string& folder, std::size_t tokens)
    : name_(folder), model_(open(folder, tokens)), layer_(layers()), dim_(dim()) {}

void ElasticModel::choose(std::size_t layer, std::size_t width) {
  if (width > dim()) {
    throw Error(ErrorCode::invalid_argument, name_ + ": " + std::to_string(width) +
                                                 " dimensions, expected at most " +
                                                 std::to_string(dim()));
  }
  layer_ = layer == 0 ? layers() : layer;
  dim_ = width == 0 ? dim() : width;
}

const Matrix<float>& ElasticModel::whole(const TextPart& part, std::span<const std::uint32_t> which,
                                         const Control& control) {
  const Key key{part.texts.data(), which.size(), layer_};
  if (const auto found = vectors_.find(key); found != vectors_.end()) return found->second;
  std::vector<std::string_view> texts;
  for (const std::uint32_t text : which) texts.emplace_back(part.texts[text]);
  TextEncodeOptions options;
  if (layer_ != layers()) options.layer = layer_;  // some poolings read all of them
  options.normalize = false;
  options.control = control;
  return vectors_.emplace(key, std::move(model_.encode(texts, options).vectors)).first->second;
}

Matrix<float> ElasticModel::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                  const Control& control) {
  return cut(whole(part, which, control), dim_);
}

double encoding_seconds(const std::string& folder, std::span<const std::string> texts,
                        std::size_t tokens, std::size_t layer, const Control& control) {
  const TextEncoder model = open(folder, tokens);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  TextEncodeOptions options;
  if (layer != 0) options.layer = layer;
  options.control = control;
  options.control.threads = 1;
  const double before = cpu_seconds();
  model.encode(views, options);
  return cpu_seconds() - before;
}

}  // namespace kith::papers

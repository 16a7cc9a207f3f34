#include "encode/concepts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "encode/tensor_store.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

}  // namespace

ConceptsFile read_concepts(const std::string& folder, std::size_t inputs) {
  const Json json = Json::read(folder + "/config.json");
  if (json.whole("in_features", 1, 1 << 20) != inputs) {
    json.refuse("in_features", std::to_string(inputs) + ", the dimension of what goes in");
  }
  ConceptsFile file;
  file.concepts = read_concept_names(Json::read(folder + "/" + kConceptsFile));
  file.settings = read_concept_settings(json);
  const std::size_t count = file.concepts.size();
  if (json.whole("out_features", 1, kMostConcepts) != count) {
    json.refuse("out_features", std::to_string(count) + ", as " + kConceptsFile + " has names");
  }
  const TensorStore store = TensorStore::open_file(folder + "/model.safetensors");
  ModuleTensors tensors(store, "", "a Concepts module");
  file.rows = tensors.read("linear.weight", count, inputs);
  file.bias = tensors.read("linear.bias", 1, count);
  file.prior = tensors.read("prior", 1, count);
  file.importance = tensors.read("importance", 1, count);
  tensors.refuse_extra();
  return file;
}

ConceptsModule::ConceptsModule(const ConceptsFile& file)
    : weights_(file.rows, file.bias.data()), settings_(file.settings) {
  for (std::size_t j = 0; j < file.concepts.size(); ++j) {
    prior_.push_back(file.prior(0, j));
    prior_share_.push_back(static_cast<float>(sigmoid(file.prior(0, j))));
    scale_.push_back(static_cast<float>(std::sqrt(softplus(file.importance(0, j)))));
  }
}

std::string ConceptsModule::description() const {
  std::string text = std::to_string(outputs()) + " concepts";
  if (settings_.top > 0) text += ", the top " + std::to_string(settings_.top);
  return text;
}

void ConceptsModule::finish(float* row, std::vector<std::uint32_t>& order) const {
  const std::size_t n = outputs();
  const std::size_t nearest = static_cast<std::size_t>(std::max_element(row, row + n) - row);
  std::size_t active = 0;
  for (std::size_t j = 0; j < n; ++j) {
    float s = row[j];
    if (settings_.activation == ConceptActivation::sigmoid) {
      s = static_cast<float>(sigmoid(double{row[j]} + double{prior_[j]})) - prior_share_[j];
    }
    row[j] = scale_[j] * std::max(0.0F, s);
    active += row[j] > 0 ? 1 : 0;
  }
  if (active == 0) row[nearest] = scale_[nearest] * kLeastActivation;
  if (settings_.top == 0 || active <= settings_.top) return;
  order.resize(n);
  std::iota(order.begin(), order.end(), 0U);
  const auto first_left_out = order.begin() + static_cast<std::ptrdiff_t>(settings_.top);
  std::nth_element(order.begin(), first_left_out, order.end(),
                   [&](std::uint32_t a, std::uint32_t b) {
                     return row[a] > row[b] || (row[a] == row[b] && a < b);
                   });
  std::for_each(first_left_out, order.end(), [&](std::uint32_t j) { row[j] = 0; });
}

Matrix<float> ConceptsModule::apply(WorkerTeam& team, const Matrix<float>& pooled,
                                    simd::DenseScratch& scratch) const {
  Matrix<float> out(pooled.rows(), outputs());
  simd::dense(team, pooled, weights_, out, scratch);
  std::vector<std::uint32_t> order;
  for (std::size_t i = 0; i < out.rows(); ++i) finish(out.row(i), order);
  return out;
}

}  // namespace kith::encode

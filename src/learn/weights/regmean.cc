#include "learn/weights/regmean.h"

#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr double kPull = 1e-8;

// As doubles, what is off the diagonal scaled.
at::Tensor gram_of_layer(const std::string& model, const std::string& name, const at::Tensor& gram,
                         std::int64_t inputs, double off_diagonal) {
  if (gram.dim() != 2 || gram.size(0) != inputs || gram.size(1) != inputs) {
    refuse(model + ": the Gram matrix of '" + name + "' isn't of " + std::to_string(inputs) +
           " inputs");
  }
  const at::Tensor values = gram.detach().to(torch::kCPU, torch::kDouble);
  if (!at::isfinite(values).all().item<bool>()) {
    refuse(model + ": the Gram matrix of '" + name + "' has a value that is not finite");
  }
  const at::Tensor diagonal = torch::diag(values.diagonal());
  return values * off_diagonal + diagonal * (1 - off_diagonal);
}

void check(const TaskVectors& vectors, const std::vector<Parameters>& grams,
           const RegMeanOptions& options) {
  if (grams.size() != vectors.size()) {
    refuse("Gram matrices of " + std::to_string(grams.size()) + " models, expected " +
           std::to_string(vectors.size()));
  }
  if (!(options.off_diagonal >= 0 && options.off_diagonal <= 1)) {
    refuse("off_diagonal " + std::to_string(options.off_diagonal) +
           ", expected a number from 0 to 1");
  }
  for (std::size_t i = 0; i < grams.size(); ++i) {
    for (const Parameter& each : grams[i]) {
      if (!vectors.base.has(each.name) || vectors.base[each.name].dim() != 2) {
        refuse(vectors.names[i] + ": a Gram matrix of '" + each.name +
               "', which is no dense layer's weight");
      }
      for (std::size_t j = 0; j < grams.size(); ++j) {
        if (grams[j].has(each.name)) continue;
        refuse(vectors.names[j] + ": no Gram matrix of '" + each.name + "', but " +
               vectors.names[i] + " has one");
      }
    }
  }
}

// Since the least squares are in differences of weights alone, vectors stand for the weights.
at::Tensor layer(const TaskVectors& vectors, const std::vector<Parameters>& grams,
                 const std::string& name, const at::Tensor& mean, const RegMeanOptions& options) {
  const auto by_inputs = [&](const at::Tensor& x) { return options.transposed ? x : x.t(); };
  const at::Tensor start = by_inputs(mean.to(torch::kDouble));
  const std::int64_t inputs = start.size(0);
  at::Tensor left = torch::zeros({inputs, inputs}, torch::kDouble);
  at::Tensor right = torch::zeros_like(start);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const at::Tensor gram =
        gram_of_layer(vectors.names[i], name, grams[i][name], inputs, options.off_diagonal);
    left += gram;
    right += gram.mm(by_inputs(vectors.vectors[i][name].to(torch::kDouble)) - start);
  }
  const double middle = left.diagonal().mean().item<double>();
  if (!(middle > 0)) return mean;  // no input was ever seen
  left.diagonal().add_(kPull * middle);
  return by_inputs(start + at::linalg_solve(left, right)).to(torch::kFloat32).contiguous();
}

}  // namespace

Parameters merge_regmean(const TaskVectors& vectors, const std::vector<Parameters>& grams,
                         const RegMeanOptions& options) {
  check(vectors, grams, options);
  const std::vector<double> shares(vectors.size(), 1.0 / static_cast<double>(vectors.size()));
  Parameters merged;
  for (const Parameter& each : combine(vectors.vectors, shares)) {
    merged.add(each.name, grams[0].has(each.name)
                              ? layer(vectors, grams, each.name, each.value, options)
                              : each.value);
  }
  return merged;
}

}  // namespace kith::learn

#include "learn/nn/concept_head.h"

#include <algorithm>
#include <cmath>

#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

at::Tensor weights_of(const at::Tensor& importance) {
  return torch::nn::functional::softplus(importance);
}

template <class Value>
at::Tensor of_each(const std::vector<encode::NamedConcept>& concepts, const Value& value) {
  std::vector<float> values;
  for (const encode::NamedConcept& each : concepts) {
    values.push_back(static_cast<float>(value(each.share)));
  }
  return torch::tensor(values);
}

at::Tensor unit_rows(const at::Tensor& x) {
  return torch::nn::functional::normalize(x, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

}  // namespace

std::string words_of_name(const std::string& name) {
  std::string words;
  for (const char c : name) {
    const bool apart = c == ':' || c == '-' || c == '_' || c == '.' || c == '/';
    if (!apart) {
      words += c;
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return words;
}

ConceptHead::ConceptHead(const ConceptOptions& options, const at::Tensor& name_vectors)
    : options_(options) {
  number_names();
  weight_ = unit_rows(name_vectors - name_vectors.mean(0)).clone().set_requires_grad(true);
  bias_ = torch::zeros({name_vectors.size(0)}).set_requires_grad(true);
  prior_ = of_each(options_.concepts,
                   [&](double share) { return encode::prior_log_odds(share, options_.settings); });
  const auto start = [](double share) { return std::log(std::expm1(-std::log(share))); };
  importance_ = of_each(options_.concepts, start).set_requires_grad(true);
}

ConceptHead::ConceptHead(const encode::ConceptsFile& file)
    : options_{.settings = file.settings, .concepts = file.concepts},
      weight_(tensor_of(file.rows).set_requires_grad(true)),
      bias_(tensor_of(file.bias).view({-1}).set_requires_grad(true)),
      prior_(tensor_of(file.prior).view({-1})),
      importance_(tensor_of(file.importance).view({-1}).set_requires_grad(true)) {
  number_names();
}

void ConceptHead::number_names() {
  if (options_.concepts.empty()) refuse("concepts: none, expected at least one");
  encode::ConceptNames names;
  for (const encode::NamedConcept& each : options_.concepts) {
    const std::string refusal = names.refusal(each.name);
    if (!refusal.empty()) refuse("concepts: " + refusal);
    if (!(each.share > 0) || !(each.share < 1)) {
      refuse("concepts: '" + each.name + "' has a share of " + std::to_string(each.share) +
             ", expected one between 0 and 1");
    }
    numbers_.emplace(each.name, static_cast<std::int64_t>(numbers_.size()));
  }
}

Parameters ConceptHead::parameters() const {
  Parameters all;
  all.add("weight", weight_);
  all.add("bias", bias_);
  all.add("prior", prior_);
  all.add("importance", importance_);
  return all;
}

at::Tensor ConceptHead::given(const std::vector<const std::vector<std::string>*>& lists) const {
  at::Tensor given = torch::zeros({static_cast<std::int64_t>(lists.size()), size()});
  auto at = given.accessor<float, 2>();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (const std::string& name : *lists[i]) {
      const auto found = numbers_.find(name);
      if (found != numbers_.end()) at[static_cast<std::int64_t>(i)][found->second] = 1;
    }
  }
  return given.to(weight_.device());
}

at::Tensor ConceptHead::positive_weights() const {
  return of_each(options_.concepts,
                 [&](double share) { return encode::positive_weight(share, options_.settings); })
      .to(weight_.device());
}

at::Tensor ConceptHead::evidence(const at::Tensor& pooled) const {
  return torch::linear(pooled, weight_, bias_);
}

at::Tensor ConceptHead::log_odds(const at::Tensor& evidence) const { return evidence + prior_; }

at::Tensor ConceptHead::activations(const at::Tensor& evidence) const {
  at::Tensor s = evidence;
  if (options_.settings.activation == encode::ConceptActivation::sigmoid) {
    s = (evidence + prior_).sigmoid() - prior_.sigmoid();
  }
  s = s.relu();
  // Where nothing is active, a little of the nearest; its gradient is that of nothing.
  const at::Tensor nearest = torch::zeros_like(evidence).scatter_(
      1, evidence.detach().argmax(1, true), encode::kLeastActivation);
  return torch::where((s > 0).any(1, true), s, nearest);
}

at::Tensor ConceptHead::vectors(const at::Tensor& evidence) const {
  const at::Tensor x = activations(evidence) * weights_of(importance_).sqrt();
  const auto top = static_cast<std::int64_t>(options_.settings.top);
  if (top == 0 || top >= size()) return x;
  const at::Tensor kept = torch::zeros_like(x).scatter_(1, std::get<1>(x.detach().topk(top, 1)), 1);
  return x * kept;
}

void ConceptHead::write(const encode::NewFolder& folder, const std::string& place) const {
  const encode::ConceptSettings& settings = options_.settings;
  encode::write_json(
      folder.file(place + "/config.json"),
      {{"in_features", weight_.size(1)},
       {"out_features", size()},
       {"activation", encode::kConceptActivations[static_cast<std::size_t>(settings.activation)]},
       {"top", settings.top},
       {"absent_weight", settings.absent_weight},
       {"positive_weight", settings.positive_weight}});
  nlohmann::ordered_json names = nlohmann::ordered_json::array();
  for (const encode::NamedConcept& each : options_.concepts) {
    names.push_back({{"name", each.name}, {"share", each.share}});
  }
  encode::write_json(folder.file(place + "/" + encode::kConceptsFile), {{"concepts", names}});
  Parameters tensors;
  tensors.add("linear.weight", weight_);
  tensors.add("linear.bias", bias_);
  tensors.add("prior", prior_);
  tensors.add("importance", importance_);
  write_parameters(folder.file(place + "/model.safetensors"), tensors);
}

}  // namespace kith::learn

#include "learn/train/optimiser.h"

#include <algorithm>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using torch::optim::OptimizerParamGroup;

const OptimiserGroup* group_of(const OptimiserOptions& options, const std::string& name) {
  for (const OptimiserGroup& group : options.groups) {
    for (const std::string& start : group.match) {
      if (name.starts_with(start)) return &group;
    }
  }
  return nullptr;
}

void check_groups(const OptimiserOptions& options, const Parameters& trained) {
  for (const OptimiserGroup& group : options.groups) {
    for (const std::string& start : group.match) {
      const bool used = std::any_of(trained.begin(), trained.end(), [&](const Parameter& each) {
        return each.name.starts_with(start);
      });
      if (used) continue;
      throw Error(ErrorCode::invalid_argument,
                  "optimiser group '" + start + "': no trained tensor's name starts so");
    }
  }
}

}  // namespace

struct Optimiser::State {
  Parameters trained;
  bool adam = true;
  std::vector<double> rates;  // of each tensor, before the schedule
  std::unique_ptr<torch::optim::Optimizer> optimiser;
};

Optimiser::Optimiser(const OptimiserOptions& options, const Parameters& trained)
    : state_(std::make_unique<State>()) {
  check_groups(options, trained);
  state_->trained = trained;
  state_->adam = options.name == "adamw";
  if (!state_->adam && options.name != "sgd") {
    throw Error(ErrorCode::invalid_argument,
                "optimiser '" + options.name + "', expected adamw or sgd");
  }
  // A group a tensor: rates and decays differ by name.
  std::vector<OptimizerParamGroup> groups;
  for (const Parameter& each : trained) {
    const OptimiserGroup* group = group_of(options, each.name);
    const double rate = options.learning_rate * (group != nullptr ? group->rate_factor : 1);
    double decay = each.value.dim() >= 2 ? options.weight_decay : 0;
    if (group != nullptr && group->weight_decay >= 0) decay = group->weight_decay;
    state_->rates.push_back(rate);
    if (state_->adam) {
      auto own = std::make_unique<torch::optim::AdamWOptions>(rate);
      own->betas({options.beta1, options.beta2}).eps(options.epsilon).weight_decay(decay);
      groups.emplace_back(std::vector<at::Tensor>{each.value}, std::move(own));
    } else {
      auto own = std::make_unique<torch::optim::SGDOptions>(rate);
      own->momentum(options.momentum).weight_decay(decay);
      groups.emplace_back(std::vector<at::Tensor>{each.value}, std::move(own));
    }
  }
  if (state_->adam) {
    state_->optimiser = std::make_unique<torch::optim::AdamW>(
        groups, torch::optim::AdamWOptions(options.learning_rate));
  } else {
    state_->optimiser = std::make_unique<torch::optim::SGD>(
        groups, torch::optim::SGDOptions(options.learning_rate));
  }
}

Optimiser::~Optimiser() = default;

void Optimiser::zero_gradients() { state_->optimiser->zero_grad(); }

double Optimiser::clip(double most) {
  std::vector<at::Tensor> tensors;
  for (const Parameter& each : state_->trained) {
    if (each.value.grad().defined()) tensors.push_back(each.value);
  }
  if (tensors.empty()) return 0;
  constexpr double kNever = 1e30;
  return torch::nn::utils::clip_grad_norm_(tensors, most > 0 ? most : kNever);
}

void Optimiser::step(double factor) {
  std::vector<OptimizerParamGroup>& groups = state_->optimiser->param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].options().set_lr(state_->rates[i] * factor);
  }
  state_->optimiser->step();
}

Parameters Optimiser::state() const {
  Parameters all;
  auto& states = state_->optimiser->state();
  for (const Parameter& each : state_->trained) {
    const auto at = states.find(c10::guts::to_string(each.value.unsafeGetTensorImpl()));
    if (at == states.end()) continue;
    if (state_->adam) {
      const auto& own = static_cast<const torch::optim::AdamWParamState&>(*at->second);
      all.add(each.name + ".step", torch::full({1}, static_cast<double>(own.step())));
      all.add(each.name + ".mean", own.exp_avg());
      all.add(each.name + ".square", own.exp_avg_sq());
    } else {
      const auto& own = static_cast<const torch::optim::SGDParamState&>(*at->second);
      if (own.momentum_buffer().defined()) all.add(each.name + ".momentum", own.momentum_buffer());
    }
  }
  return all;
}

void Optimiser::restore(const Parameters& state) {
  auto& states = state_->optimiser->state();
  const auto tensor = [&](const Parameter& each, const char* part) {
    const std::string name = each.name + part;
    if (!state.has(name) || state[name].sizes() != each.value.sizes()) {
      throw Error(ErrorCode::corrupt, "the optimiser's '" + name + "' is missing or misshapen");
    }
    return state[name].to(each.value.device()).clone();
  };
  for (const Parameter& each : state_->trained) {
    const std::string key = c10::guts::to_string(each.value.unsafeGetTensorImpl());
    if (state_->adam && state.has(each.name + ".step")) {
      auto own = std::make_unique<torch::optim::AdamWParamState>();
      own->step(static_cast<std::int64_t>(state[each.name + ".step"][0].item<float>()));
      own->exp_avg(tensor(each, ".mean"));
      own->exp_avg_sq(tensor(each, ".square"));
      states[key] = std::move(own);
    } else if (!state_->adam && state.has(each.name + ".momentum")) {
      auto own = std::make_unique<torch::optim::SGDParamState>();
      own->momentum_buffer(tensor(each, ".momentum"));
      states[key] = std::move(own);
    }
  }
}

}  // namespace kith::learn

#include "learn/weights/probe.h"

#include <algorithm>
#include <optional>

#include "learn/refuse.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/recipe.h"
#include "learn/train/recipe_parts.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

void read_search(TomlTable& table, ProbeOptions& into) {
  constexpr const char* kShapes[] = {"constant", "cosine"};
  SelfPositioningOptions& position = into.self_positioning;
  AtlasOptions& atlas = into.atlas;
  std::int64_t steps = 0;
  table.whole("steps", steps, 1, kMostSteps);
  if (table.has("steps")) position.steps = atlas.steps = into.fisher_steps = steps;
  table.number("penalty", position.penalty, 0, kAnyNumber);
  table.number("weight_rate", position.weight_rate, 0, kAnyNumber);
  table.number("scale_rate", position.scale_rate, 0, kAnyNumber);
  table.number("momentum", position.momentum, 0, 1);
  table.number("learning_rate", atlas.learning_rate, 0, kAnyNumber);
  table.number("weight_decay", atlas.weight_decay, 0, kAnyNumber);
  table.text("schedule", atlas.schedule, kShapes);
  table.number("clip", atlas.clip, 0, kAnyNumber);
  table.boolean("isotropic", atlas.isotropic);
  table.whole("partitions", atlas.partitions, 1, 1 << 20);
  table.whole("budget", atlas.budget, 0, 1 << 20);
  table.number("l1", atlas.l1, 0, kAnyNumber);
  table.texts("forget", into.forget);
  const auto is_there = [&](const std::string& name) {
    return std::ranges::any_of(into.sources,
                               [&](const TrainSource& each) { return each.options.name == name; });
  };
  if (!std::ranges::all_of(into.forget, is_there)) table.refuse("forget", "names of sources");
  table.refuse_others();
}

TextModelOptions options_of(const std::string& folder) {
  TextModelOptions options;
  options.base = folder;
  return options;
}

}  // namespace

ProbeOptions read_probe(const std::string& path) {
  TomlTable table = TomlTable::read(path);
  ProbeOptions options;
  options.sources = read_sources(table);
  if (auto train = table.table("train")) {
    train->whole("batch", options.batch, 1, 1 << 20);
    train->whole("query_tokens", options.query_tokens, 0, 1 << 24);
    train->whole("document_tokens", options.document_tokens, 0, 1 << 24);
    train->whole("seed", options.seed, 0, kMostSteps);
    train->refuse_others();
  }
  options.atlas.seed = options.seed;
  if (auto search = table.table("search")) read_search(*search, options);
  table.refuse_others();
  return options;
}

struct Probe::State {
  State(const std::string& folder, const ProbeOptions& probe, const Control& steering)
      : options(probe), control(steering), model(options_of(folder), probe.seed) {
    for (const TrainSource& source : options.sources) {
      examples.push_back(read_examples(source.options));
      objectives.emplace_back(model, source.loss, ElasticOptions{});
    }
    const auto forgotten = static_cast<double>(std::ranges::count_if(
        options.sources, [&](const TrainSource& each) { return forgets(each); }));
    const double kept = static_cast<double>(options.sources.size()) - forgotten;
    for (const TrainSource& source : options.sources) {
      shares.push_back(forgets(source) ? -1 / forgotten : 1 / kept);
    }
  }
  bool forgets(const TrainSource& source) const {
    return std::ranges::count(options.forget, source.options.name) > 0;
  }

  // From number 0 on.
  void begin() {
    samplers.clear();
    for (const auto& source : examples) {
      samplers.emplace_back(std::vector{SourceSize{source.size(), 1}},
                            static_cast<std::size_t>(options.batch), options.seed);
    }
  }

  const ProbeOptions options;
  const Control control;
  TextModel model;
  std::vector<std::vector<Example>> examples;
  std::vector<Objective> objectives;
  std::vector<double> shares;  // of each source's loss
  std::vector<Sampler> samplers;
  std::int64_t number = -1;
  std::vector<TextBatch> batches;  // of `number`
};

Probe::Probe(const std::string& folder, const ProbeOptions& options, const Control& control)
    : state_(std::make_unique<State>(folder, options, control)) {}
Probe::~Probe() = default;

Parameters Probe::tensors(const Parameters& named) const {
  const Parameters all = state_->model.parameters();
  Parameters some;
  for (const Parameter& each : named) some.add(each.name, all[each.name]);
  return some;
}

double Probe::step(std::int64_t number) {
  State& state = *state_;
  if (number != state.number) {
    if (number == 0) state.begin();
    state.batches.clear();
    state.number = number;
    for (std::size_t s = 0; s < state.options.sources.size(); ++s) {
      const TrainSource& source = state.options.sources[s];
      state.batches.push_back(make_batch(state.model, state.examples[s],
                                         state.samplers[s].next().rows, source.options, source.loss,
                                         {static_cast<std::size_t>(state.options.query_tokens),
                                          static_cast<std::size_t>(state.options.document_tokens)},
                                         state.control));
    }
  }
  double loss = 0;
  for (std::size_t s = 0; s < state.batches.size(); ++s) {
    const double share = state.shares[s];
    loss += share * state.objectives[s].step(state.batches[s], {.scale = share});
  }
  return loss;
}

std::vector<Parameters> fisher_weights(Probe& probe, const TaskVectors& vectors,
                                       std::int64_t steps) {
  const Parameters model = probe.tensors(vectors.base);
  std::vector<Parameters> fishers;
  for (const Parameters& vector : vectors.vectors) {
    model.assign(add_to_base(vectors, vector));
    std::vector<at::Tensor> sums(model.size());
    for (std::int64_t step = 0; step < steps; ++step) {
      for (const Parameter& each : model) at::Tensor(each.value).mutable_grad() = at::Tensor();
      probe.step(step);
      std::size_t p = 0;
      for (const Parameter& each : model) {
        at::Tensor& sum = sums[p++];
        if (!sum.defined()) sum = torch::zeros_like(each.value).detach();
        if (each.value.grad().defined()) sum += each.value.grad().square();
      }
    }
    Parameters& fisher = fishers.emplace_back();
    std::size_t p = 0;
    for (const Parameter& each : model) {
      fisher.add(each.name, sums[p++] / static_cast<double>(steps));
    }
  }
  return fishers;
}

}  // namespace kith::learn

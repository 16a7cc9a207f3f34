// Losses of a model on a few batches of texts: what searches for coefficients, and Fisher's
// weights, look at. Texts come from training data, never from what the merged model is tested on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kith/control.h"
#include "learn/nn/parameters.h"
#include "learn/train/trainer.h"
#include "learn/weights/atlas.h"
#include "learn/weights/self_positioning.h"

namespace kith::learn {

struct ProbeOptions {
  std::vector<TrainSource> sources;  // a batch of each makes a step, all of the same weight
  // Names of sources that are to be unlearned: the mean of their losses is taken from that of the
  // others'.
  std::vector<std::string> forget;
  std::int64_t batch = 128;  // examples of a source
  std::int64_t query_tokens = 0, document_tokens = 0;
  std::uint64_t seed = 1;
  SelfPositioningOptions self_positioning;
  AtlasOptions atlas;
  std::int64_t fisher_steps = 20;  // whose squared gradients are averaged
};

// [[data]] and [loss] as of a training, [train] with batch, query_tokens, document_tokens and seed,
// and [search]. Throws as read_recipe() does, and invalid_argument for a source to forget that
// isn't there.
ProbeOptions read_probe(const std::string& path);

class Probe {
 public:
  // `folder`: of a model of the kind that is merged. Throws what reading it and the texts does.
  Probe(const std::string& folder, const ProbeOptions& options, const Control& control);
  ~Probe();

  // The model's tensors of these names, which steps read and whose gradients they leave. Throws
  // not_found for a name that it doesn't have.
  Parameters tensors(const Parameters& named) const;

  // The mean over the sources of the loss of their batches of this number, without dropout, less
  // that over the sources to forget; adds its gradients. The first call is for number 0, the next
  // for 0 or 1 more.
  double step(std::int64_t number);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of each model that `vectors` hold: the mean over steps of the squared gradients of the loss at
// its weights, as merge_fisher() takes them. The probe's model has the last one's weights at the
// end.
std::vector<Parameters> fisher_weights(Probe& probe, const TaskVectors& vectors,
                                       std::int64_t steps);

}  // namespace kith::learn

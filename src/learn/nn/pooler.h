// From the states of a text's tokens to one vector: sentence-transformers' poolings, and those that
// are trained. docs/models.md has the modules that hold them in a model's folder.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "encode/model_folder.h"
#include "encode/modules.h"
#include "learn/nn/parameters.h"
#include "learn/nn/tokens.h"

namespace kith::learn {

struct PoolerOptions {
  // cls, mean, max, mean_sqrt_len, weighted_mean or last; latent (NV-Embed), self_attention,
  // last_layer, multi_layer (Tang and Yang, 2024), weighted_layers (then the mean).
  std::string kind = "mean";
  bool include_prompt = true;
  // Of trained ones. heads 0: the model's; head_dim 0: width / heads.
  std::int64_t latents = 32, heads = 0, head_dim = 0;
  // What last_layer and multi_layer read: "last" token, "mean" of tokens, or (last_layer) "all".
  // Empty: all of the last layer or the means of all where tokens look both ways, else the last.
  std::string tokens = {};
};

// Immutable but for the tensors' values.
class Pooler {
 public:
  virtual ~Pooler() = default;

  // `states`: element l is the state behind layer l, [N, width]; `layer`: the one that stands for
  // the last. Returns [S, dim()].
  virtual at::Tensor pool(const std::vector<at::Tensor>& states, std::size_t layer,
                          const Tokens& tokens) const = 0;
  virtual std::int64_t dim() const = 0;
  virtual Parameters parameters() const = 0;

  // Writes what it consists of; returns how modules.json lists that.
  virtual std::vector<encode::Module> write(const encode::NewFolder& folder) const = 0;
};

struct PooledModel {
  std::int64_t width = 0, heads = 0, layers = 0;
  bool causal = false;
};

// Throws invalid_argument for an unknown kind, naming those there are.
std::unique_ptr<Pooler> make_pooler(const PoolerOptions& options, const PooledModel& model,
                                    std::uint64_t seed);
// What a model's folder has.
std::unique_ptr<Pooler> read_pooler(const encode::Modules& modules, const PooledModel& model);

}  // namespace kith::learn

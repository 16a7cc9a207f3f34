#include "encode/latent_pooling.h"

#include <vector>

#include "kith/control.h"

namespace kith::encode {
namespace {

constexpr std::size_t kMostLatents = 1 << 16;

}  // namespace

LatentConfig read_latent_config(const Json& json, std::size_t width) {
  return {.latents = json.whole("latents", 1, kMostLatents),
          .sizes = read_head_sizes(json, width),
          .include_prompt = json.boolean("include_prompt", true)};
}

LatentPooling::LatentPooling(const LatentConfig& config, ModuleTensors& tensors)
    : config_(config), block_(tensors, config.sizes) {
  WorkerTeam team{Control()};
  const Matrix<float> latents = tensors.read("latents", config.latents, config.sizes.width);
  latents_ = block_.packed(block_.keys_and_values(team, latents));
}

std::string LatentPooling::description() const {
  return "latent pooling over " + std::to_string(config_.latents) + " latents" +
         (config_.include_prompt ? "" : " without the prompt");
}

void LatentPooling::pool(WorkerTeam& team, MatrixView<const float> states, const TokenBatch& batch,
                         MatrixView<float> out) const {
  std::vector<RowRange> ranges;
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    const std::size_t skipped = config_.include_prompt ? 0 : batch.prompts[s];
    ranges.push_back({batch.begin[s] + skipped, batch.begin[s + 1]});
  }
  const Matrix<float> attended = block_.attend(team, block_.queries(team, states), latents_);
  block_.finish(team, states, attended, ranges, out);
}

}  // namespace kith::encode

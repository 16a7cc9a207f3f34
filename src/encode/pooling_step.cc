#include "encode/pooling_step.h"

#include "encode/nvembed.h"

namespace kith::encode {
namespace {

constexpr const char* kFile = "/model.safetensors";

Pooling mean_pooling() {
  Pooling pooling;
  pooling.mean = true;
  return pooling;
}

}  // namespace

PoolingStep::PoolingStep(const PooledModel& model) : model_(model), pooling_(mean_pooling()) {}

void PoolingStep::read(const std::string& kind, const std::string& folder) {
  const Json json = Json::read(folder + "/config.json");
  if (kind == "Pooling") {
    expect_width(json, model_.width);
    pooling_ = read_pooling(json);
    return;
  }
  const bool whole_model = kind == kNvEmbedPooling;
  const TensorStore store =
      whole_model ? TensorStore::open_folder(folder) : TensorStore::open_file(folder + kFile);
  ModuleTensors tensors(store, whole_model ? kNvEmbedPrefix : "", "a module " + kind);
  if (whole_model) {
    pooling_ = LatentPooling(read_nvembed_latents(json, model_.width), tensors);
  } else if (kind == "LatentPooling") {
    pooling_ = LatentPooling(read_latent_config(json, model_.width), tensors);
  } else if (kind == "SelfAttentionPooling") {
    pooling_ = SelfAttentionPooling(read_self_attention_config(json, model_.width), tensors);
  } else if (kind == "LayerPooling") {
    pooling_ = LayerPooling(read_layer_pooling_config(json, model_.width), model_.layers, tensors);
  } else {
    mixed_.emplace(json, model_.width, model_.layers, tensors);
  }
  tensors.refuse_extra();
  parameters_ += tensors.parameters();
}

std::size_t PoolingStep::dim() const {
  const auto* plain = std::get_if<Pooling>(&pooling_);
  return plain != nullptr ? plain->count() * model_.width : model_.width;
}

std::vector<std::string> PoolingStep::descriptions() const {
  std::vector<std::string> all;
  if (mixed_) all.push_back(mixed_->description());
  all.push_back(std::visit([](const auto& pooling) { return pooling.description(); }, pooling_));
  return all;
}

bool PoolingStep::reads_all_layers() const {
  const auto* layers = std::get_if<LayerPooling>(&pooling_);
  return mixed_ || (layers != nullptr && layers->reads_all_layers());
}

bool PoolingStep::include_prompt() const {
  if (const auto* plain = std::get_if<Pooling>(&pooling_)) return plain->include_prompt;
  const auto* latent = std::get_if<LatentPooling>(&pooling_);
  return latent == nullptr || latent->include_prompt();
}

void PoolingStep::pool(const Control& control, const TokenBatch& batch, const RunLayers& run,
                       MatrixView<float> out) const {
  WorkerTeam team(control);
  if (const auto* layers = std::get_if<LayerPooling>(&pooling_)) {
    return layers->pool(team, batch, run, out);
  }
  const Matrix<float> mixed = mixed_ ? mixed_->run(batch, run) : Matrix<float>();
  const MatrixView<const float> states = mixed_ ? mixed.view() : run({});
  if (const auto* latent = std::get_if<LatentPooling>(&pooling_)) {
    latent->pool(team, states, batch, out);
  } else if (const auto* attention = std::get_if<SelfAttentionPooling>(&pooling_)) {
    attention->pool(team, states, batch, out);
  } else {
    const Pooling& plain = std::get<Pooling>(pooling_);
    for (std::size_t s = 0; s < batch.sequences(); ++s) {
      const std::size_t begin = batch.begin[s], count = batch.begin[s + 1] - begin;
      plain.pool(states.slice(begin, count), batch.prompts[s], out.row(s));
    }
  }
}

}  // namespace kith::encode

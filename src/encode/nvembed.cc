#include "encode/nvembed.h"

#include <algorithm>

#include "encode/llama.h"
#include "encode/pooling.h"

namespace kith::encode {
namespace {

using Modules = std::vector<std::pair<std::string, std::string>>;

// Of the released model: latents, heads and a head's width.
constexpr std::size_t kLatents = 512, kHeads = 8, kHeadDim = 4096;

Config nvembed_config(const Json& json) {
  json.expect_text("mask_type", {"b"});
  Config config = mistral_config(json.object("text_config"));
  config.architecture = kNvEmbedType;
  // The window that the file may carry is not applied when attention looks both ways.
  for (LayerPlan& layer : config.layers) layer.back = layer.forward = kUnlimited;
  return config;
}

Names nvembed_names(const Json& json, const Config& config) {
  Names names = llama_names(json, config);
  names.prefixes = {"embedding_model."};
  names.unused.push_back(std::string(kNvEmbedPrefix) + "*");  // the pooling reads these
  return names;
}

}  // namespace

LatentConfig read_nvembed_latents(const Json& json, std::size_t width) {
  const Json latent = json.object("latent_attention_config");
  for (const char* key : {"hidden_dim", "latent_dim"}) {
    if (latent.whole(key, 1, 1 << 20, width) != width) {
      latent.refuse(key, std::to_string(width) + ", the model's width", ErrorCode::unsupported);
    }
  }
  // Instructions are left out of the mean only where padding stands behind texts.
  const bool masked =
      json.boolean("is_mask_instruction", true) && json.text("padding_side", "right") == "right";
  return {.latents = latent.whole("num_latents_value", 1, 1 << 16, kLatents),
          .sizes = {.width = width,
                    .heads = latent.whole("num_cross_heads", 1, 1 << 12, kHeads),
                    .head_dim = latent.whole("cross_dim_head", 1, 1 << 16, kHeadDim)},
          .include_prompt = !masked};
}

Modules nvembed_modules(const std::string& folder, Modules listed) {
  const std::pair<std::string, std::string> own = {kNvEmbedPooling, folder};
  if (listed.empty()) {
    const Json latent = Json::read(folder + "/config.json").object("latent_attention_config");
    Modules all = {own};
    if (latent.boolean("output_normalize", true)) all.emplace_back("Normalize", "");
    return all;
  }
  const std::string& kind = listed[0].first;
  if (kind == "Pooling") {
    const Json json = Json::read(listed[0].second + "/config.json");
    const Pooling pooling = read_pooling(json);
    if (pooling.count() != 1 || !pooling.mean) {
      json.unsupported(pooling.description() + ", but NV-Embed's latents are pooled by mean");
    }
  } else {
    throw Error(ErrorCode::unsupported,
                folder + ": a module " + kind + ", but NV-Embed has its own pooling");
  }
  listed[0] = own;
  return listed;
}

std::optional<std::uint32_t> nvembed_end(const Json& json) {
  constexpr std::uint32_t kMistralEnd = 2;
  if (!json.boolean("add_eos", true)) return {};
  return json.object("text_config").whole("eos_token_id", kMistralEnd);
}

extern const Architecture kNvEmbed{kNvEmbedType, nvembed_config, nvembed_names};

}  // namespace kith::encode

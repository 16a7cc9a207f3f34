// Any JSON as config.json, and as the file of a pooling, ends in a setting or in a kith::Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "encode/architecture.h"
#include "encode/late_interaction.h"
#include "encode/latent_pooling.h"
#include "encode/layer_pooling.h"
#include "encode/nvembed.h"
#include "encode/pooling.h"
#include "encode/self_attention_pooling.h"
#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::encode;
  using kith::Json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Json json = Json::parse(text, "fuzz");
    const Architecture& architecture = architecture_of(json);
    const Config config = read_config(json);
    architecture.names(json, config);
    if (config.head_dim == 0 || config.layers.empty()) __builtin_trap();
  } catch (const kith::Error&) {
  }
  try {
    read_pooling(Json::parse(text, "fuzz"));
  } catch (const kith::Error&) {
  }
  try {
    Prompts prompts;
    const auto late = late_interaction_of(Json::parse(text, "fuzz"), prompts);
    if (late && (late->query_tokens == 0 || late->document_tokens == 0)) __builtin_trap();
  } catch (const kith::Error&) {
  }
  using Read = void (*)(const Json&);
  constexpr std::size_t kWidth = 384;
  for (const Read read : {Read([](const Json& json) { read_latent_config(json, kWidth); }),
                          Read([](const Json& json) { read_layer_pooling_config(json, kWidth); }),
                          Read([](const Json& json) { read_self_attention_config(json, kWidth); }),
                          Read([](const Json& json) { read_nvembed_latents(json, kWidth); })}) {
    try {
      read(Json::parse(text, "fuzz"));
    } catch (const kith::Error&) {
    }
  }
  return 0;
}

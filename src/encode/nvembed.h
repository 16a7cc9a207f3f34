// NV-Embed as its authors released it (Lee et al., 2024): a Mistral that looks both ways, and its
// latent pooling, in one folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "encode/latent_pooling.h"
#include "json/json.h"

namespace kith::encode {

inline constexpr const char* kNvEmbedType = "nvembed";  // model_type in config.json
// How the pooling inside the model stands among the modules behind it, and its tensors' prefix.
inline constexpr const char* kNvEmbedPooling = "NvEmbedPooling";
inline constexpr const char* kNvEmbedPrefix = "latent_attention_model.";

// `latent_attention_config`, where the file leaves sizes out those of the released model.
LatentConfig read_nvembed_latents(const Json& json, std::size_t width);

// What follows the transformer, as Modules::ahead has it: the latent pooling, in place of the mean
// that modules.json may name, and what is listed behind that; else, where config.json says so,
// unit length. Throws unsupported for another pooling than the mean.
std::vector<std::pair<std::string, std::string>> nvembed_modules(
    const std::string& folder, std::vector<std::pair<std::string, std::string>> listed);

// The token that ends every text, put there before texts are cut; none where `add_eos` is false.
std::optional<std::uint32_t> nvembed_end(const Json& json);

}  // namespace kith::encode

// What models made of Llama's relatives read as these do.
#pragma once

#include "encode/architecture.h"

namespace kith::encode {

Config mistral_config(const Json& json);
Names llama_names(const Json& json, const Config& config);

}  // namespace kith::encode

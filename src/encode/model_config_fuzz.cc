// Any JSON as config.json, and as the file of a pooling, ends in a setting or in a kith::Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "encode/architecture.h"
#include "encode/pooling.h"
#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::encode;
  using kith::Json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Json json = Json::parse(text, "fuzz");
    const Architecture& architecture = architecture_of(json);
    const Config config = architecture.config(json);
    architecture.names(json, config);
    if (config.head_dim == 0 || config.layers.empty()) __builtin_trap();
  } catch (const kith::Error&) {
  }
  try {
    read_pooling(Json::parse(text, "fuzz"), 384);
  } catch (const kith::Error&) {
  }
  return 0;
}

// Any document and weights, with a zero byte between, end in a graph model or in a kith::Error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "encode/graph_model.h"
#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith::encode;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(0, all.find('\0'));
  const std::size_t begin = std::min(text.size() + 1, size);
  try {
    const GraphModel graph = parse_graph_model(
        kith::Json::parse(text, "fuzz"),
        std::span(reinterpret_cast<const std::byte*>(data) + begin, size - begin));
    std::size_t values = 0;
    for (const auto& [name, tensor] : graph.weights) {
      values += tensor.floats.size() + tensor.ints.size();
    }
    if (values * 4 != size - begin) __builtin_trap();
  } catch (const kith::Error&) {
  }
  return 0;
}

#include "encode/graph_model.h"

#include <cstring>
#include <filesystem>

#include "base/mapped_file.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr std::size_t kItem = 4;  // bytes of a float32 and of an int32

GraphTensor read_tensor(const Json& json, std::span<const std::byte> bytes, std::size_t& at) {
  GraphTensor tensor;
  const std::size_t room = (bytes.size() - at) / kItem;
  std::size_t count = 1;
  const Json shape = json.required("shape");
  shape.expect_array();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    tensor.shape.push_back(shape.element(i).whole());
    if (tensor.shape.back() != 0 && count > room / tensor.shape.back()) {
      json.corrupt("'" + json.text("name") + "' is larger than the rest of the weights");
    }
    count *= tensor.shape.back();
  }
  if (count > room) json.corrupt("'" + json.text("name") + "' lies behind the weights' end");
  if (json.has("quantization")) json.unsupported("quantised weights");
  const auto copy = [&](auto& values) {
    values.resize(count);
    if (count != 0) std::memcpy(values.data(), bytes.data() + at, count * kItem);
  };
  json.word("dtype", {"float32", "int32"}, 0) == 0 ? copy(tensor.floats) : copy(tensor.ints);
  at += count * kItem;
  return tensor;
}

// The lists of weights, one behind the other.
template <class Use>
void for_each_group(const Json& json, const Use& use) {
  const Json groups = json.required("weightsManifest");
  groups.expect_array();
  for (std::size_t i = 0; i < groups.size(); ++i) use(groups.element(i));
}

// Files lie beside model.json, so that it can't reach outside.
std::string beside(const std::string& model, const Json& group, const std::string& file) {
  if (file.empty() || file.find('/') != std::string::npos || file == "." || file == "..") {
    group.refuse("paths", "names of files beside the model's");
  }
  return (std::filesystem::path(model).parent_path() / file).string();
}

GraphNode read_node(const Json& json) {
  return {.name = json.text("name"),
          .op = json.text("op"),
          .inputs = json.has("input") ? json.texts("input") : std::vector<std::string>(),
          .attributes = json.member("attr")};
}

}  // namespace

const GraphTensor& GraphModel::weight(const std::string& name) const {
  const auto at = weights.find(name);
  if (at != weights.end()) return at->second;
  throw Error(ErrorCode::not_found, model + ": weight '" + name + "' is missing");
}

GraphModel parse_graph_model(const Json& json, std::span<const std::byte> bytes) {
  GraphModel graph;
  graph.model = json.place();
  const Json nodes = json.object("modelTopology").required("node");
  nodes.expect_array();
  for (std::size_t i = 0; i < nodes.size(); ++i) graph.nodes.push_back(read_node(nodes.element(i)));
  std::size_t at = 0;
  for_each_group(json, [&](const Json& group) {
    const Json weights = group.required("weights");
    weights.expect_array();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Json weight = weights.element(i);
      const std::string name = weight.text("name");
      if (!graph.weights.emplace(name, read_tensor(weight, bytes, at)).second) {
        weight.corrupt("a second '" + name + "'");
      }
    }
  });
  if (at != bytes.size()) {
    throw Error(ErrorCode::corrupt, graph.model + ": weights of " + std::to_string(at) +
                                        " bytes, but the files hold " +
                                        std::to_string(bytes.size()));
  }
  return graph;
}

GraphModel read_graph_model(const std::string& path) {
  const Json json = Json::read(path);
  std::vector<std::byte> bytes;
  for_each_group(json, [&](const Json& group) {
    for (const std::string& name : group.texts("paths")) {
      const auto file = MappedFile::open(beside(path, group, name));
      bytes.insert(bytes.end(), file->bytes().begin(), file->bytes().end());
    }
  });
  return parse_graph_model(json, bytes);
}

}  // namespace kith::encode

// A TensorFlow.js graph model: model.json tells the graph's nodes and what its weights are called;
// the weights lie one behind the other in the files that it lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "json/json.h"

namespace kith::encode {

struct GraphTensor {
  std::vector<std::size_t> shape;  // none: a single number
  std::vector<float> floats;       // the values of a float32 tensor
  std::vector<std::int32_t> ints;  // those of an int32 one
};

struct GraphNode {
  std::string name, op;
  std::vector<std::string> inputs;  // names of nodes; "name:1" is a node's second result
  Json attributes;
};

struct GraphModel {
  std::vector<GraphNode> nodes;
  std::map<std::string, GraphTensor> weights;

  // Throws not_found, naming `model`, for what isn't there.
  const GraphTensor& weight(const std::string& name) const;
  std::string model;  // what errors call it
};

// `path`: model.json. Throws not_found for a file that isn't there; corrupt for malformed ones and
// weights whose sizes don't add up; unsupported for types other than float32 and int32 and for
// quantised weights.
GraphModel read_graph_model(const std::string& path);

// The same from memory: the document, and the bytes of all weights.
GraphModel parse_graph_model(const Json& json, std::span<const std::byte> weights);

}  // namespace kith::encode

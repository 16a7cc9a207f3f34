#include "encode/onnx_writer.h"

#include <bit>
#include <cstring>

#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr std::uint64_t kFloat = 1, kInt64 = 7;       // TensorProto.DataType
constexpr std::uint64_t kIrVersion = 8, kOpset = 17;  // of ONNX 1.12, which has layer norms
constexpr std::size_t kMostBytes = (std::size_t{1} << 31) - 1;

std::string_view bytes_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

ProtoMessage value_info(const std::string& name, std::uint64_t type,
                        const std::vector<std::string>& axes, std::size_t last) {
  ProtoMessage shape;
  for (const std::string& axis : axes) {
    ProtoMessage dimension;
    dimension.bytes(2, axis);
    shape.message(1, dimension);
  }
  if (last != 0) {
    ProtoMessage dimension;
    dimension.whole(1, last);
    shape.message(1, dimension);
  }
  ProtoMessage tensor, of_type, info;
  tensor.whole(1, type);
  tensor.message(2, shape);
  of_type.message(1, tensor);
  info.bytes(1, name);
  info.message(2, of_type);
  return info;
}

}  // namespace

void ProtoMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ProtoMessage::whole(unsigned field, std::uint64_t value) {
  varint(field << 3);
  varint(value);
}

void ProtoMessage::real(unsigned field, float value) {
  varint(field << 3 | 5);
  bytes_.append(bytes_of(&value, sizeof value));
}

void ProtoMessage::bytes(unsigned field, std::string_view value) {
  varint(field << 3 | 2);
  varint(value.size());
  bytes_.append(value);
}

OnnxGraph::Value OnnxGraph::input(const std::string& name, const std::vector<std::string>& axes) {
  graph_.message(11, value_info(name, kInt64, axes, 0));
  return name;
}

void OnnxGraph::output(const Value& value, const std::string& name,
                       const std::vector<std::string>& axes, std::size_t last) {
  ProtoMessage node;
  node.bytes(1, value);
  node.bytes(2, name);
  node.bytes(4, "Identity");
  graph_.message(1, node);
  graph_.message(12, value_info(name, kFloat, axes, last));
}

OnnxGraph::Value OnnxGraph::constant(const std::string& name,
                                     const std::vector<std::uint64_t>& shape, std::uint64_t type,
                                     std::string_view bytes) {
  ProtoMessage tensor;
  for (const std::uint64_t extent : shape) tensor.whole(1, extent);
  tensor.whole(2, type);
  tensor.bytes(8, name);
  tensor.bytes(9, bytes);
  graph_.message(5, tensor);
  return name;
}

OnnxGraph::Value OnnxGraph::tensor(const std::string& name, const std::vector<std::uint64_t>& shape,
                                   std::span<const float> values) {
  return constant(name, shape, kFloat, bytes_of(values.data(), values.size_bytes()));
}

OnnxGraph::Value OnnxGraph::numbers(const std::vector<std::int64_t>& values) {
  return constant(fresh(), {values.size()}, kInt64,
                  bytes_of(values.data(), values.size() * sizeof(std::int64_t)));
}

OnnxGraph::Value OnnxGraph::whole_number(std::int64_t value) {
  return constant(fresh(), {}, kInt64, bytes_of(&value, sizeof value));
}

OnnxGraph::Value OnnxGraph::number(float value) {
  return constant(fresh(), {}, kFloat, bytes_of(&value, sizeof value));
}

OnnxGraph::Value OnnxGraph::node(const std::string& operation, const std::vector<Value>& inputs,
                                 const std::vector<Attribute>& attributes) {
  constexpr std::uint64_t kReal = 1, kWhole = 2, kWholes = 7;  // AttributeProto.AttributeType
  Value result = fresh();
  ProtoMessage node;
  for (const Value& input : inputs) node.bytes(1, input);
  node.bytes(2, result);
  node.bytes(3, result);
  node.bytes(4, operation);
  for (const Attribute& attribute : attributes) {
    ProtoMessage message;
    message.bytes(1, attribute.name);
    switch (attribute.kind) {
      case Attribute::Kind::whole:
        message.whole(3, static_cast<std::uint64_t>(attribute.wholes[0]));
        message.whole(20, kWhole);
        break;
      case Attribute::Kind::wholes:
        for (const std::int64_t value : attribute.wholes) {
          message.whole(8, static_cast<std::uint64_t>(value));
        }
        message.whole(20, kWholes);
        break;
      case Attribute::Kind::real:
        message.real(2, attribute.real);
        message.whole(20, kReal);
        break;
    }
    node.message(5, message);
  }
  graph_.message(1, node);
  return result;
}

std::string OnnxGraph::file() const {
  ProtoMessage opset, graph = graph_, model;
  graph.bytes(2, "kith");
  opset.bytes(1, "");
  opset.whole(2, kOpset);
  model.whole(1, kIrVersion);
  model.bytes(2, "kith");
  model.message(8, opset);
  if (graph.bytes().size() + model.bytes().size() > kMostBytes) {
    throw Error(ErrorCode::unsupported, "an ONNX file of " + std::to_string(graph.bytes().size()) +
                                            " bytes, expected less than 2 GiB");
  }
  model.message(7, graph);
  return model.bytes();
}

}  // namespace kith::encode

// ONNX files: a graph of operations and their weights, in Protocol Buffers' encoding, of which this
// writes the few messages that ONNX needs. (onnx.proto of the ONNX project names fields and
// numbers.)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kith::encode {

// A message under construction: fields by number.
class ProtoMessage {
 public:
  void whole(unsigned field, std::uint64_t value);
  void real(unsigned field, float value);
  void bytes(unsigned field, std::string_view value);
  void message(unsigned field, const ProtoMessage& value) { bytes(field, value.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  std::string bytes_;
};

// Builds a graph node by node; a value is the name of what a node gives.
class OnnxGraph {
 public:
  using Value = std::string;

  struct Attribute {
    enum class Kind : std::uint8_t { whole, wholes, real } kind;
    std::string name;
    std::vector<std::int64_t> wholes;
    float real = 0;
  };
  static Attribute whole(const std::string& name, std::int64_t value) {
    return {Attribute::Kind::whole, name, {value}, 0};
  }
  static Attribute wholes(const std::string& name, std::vector<std::int64_t> values) {
    return {Attribute::Kind::wholes, name, std::move(values), 0};
  }
  static Attribute real(const std::string& name, float value) {
    return {Attribute::Kind::real, name, {}, value};
  }

  // An axis of unknown extent has a name, others a size.
  Value input(const std::string& name, const std::vector<std::string>& axes);  // int64
  void output(const Value& value, const std::string& name, const std::vector<std::string>& axes,
              std::size_t last);  // float32; `last`: extent of the axis behind those

  Value tensor(const std::string& name, const std::vector<std::uint64_t>& shape,
               std::span<const float> values);
  Value numbers(const std::vector<std::int64_t>& values);  // a list of int64
  Value whole_number(std::int64_t value);                  // one int64
  Value number(float value);                               // one float32
  Value node(const std::string& operation, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {});

  // The whole file. Throws unsupported when it would have 2 GiB or more, the most a message may.
  std::string file() const;

 private:
  Value fresh() { return std::string("v").append(std::to_string(names_++)); }
  Value constant(const std::string& name, const std::vector<std::uint64_t>& shape,
                 std::uint64_t type, std::string_view bytes);

  ProtoMessage graph_;
  std::size_t names_ = 0;
};

}  // namespace kith::encode

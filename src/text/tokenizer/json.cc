#include "text/tokenizer/json.h"

#include <limits>

namespace kith::tokenizer {

Node Node::member(const char* name) const {
  static const nlohmann::json kNull;
  expect_object();
  const auto found = value_->find(name);
  return {found == value_->end() ? kNull : *found, place_ + "." + name};
}

Node Node::element(std::size_t index) const {
  return {(*value_)[index], place_ + "[" + std::to_string(index) + "]"};
}

Node Node::required(const char* name) const {
  Node node = member(name);
  if (node.is_null()) node.corrupt("missing");
  return node;
}

const std::string& Node::text() const {
  if (!value_->is_string()) corrupt("expected a string");
  return value_->get_ref<const std::string&>();
}

bool Node::boolean() const {
  if (!value_->is_boolean()) corrupt("expected true or false");
  return value_->get<bool>();
}

double Node::number() const {
  if (!value_->is_number()) corrupt("expected a number");
  return value_->get<double>();
}

std::uint32_t Node::whole() const {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  // (A number above 2^63 becomes negative here.)
  const std::int64_t value = value_->is_number_integer() ? value_->get<std::int64_t>() : -1;
  if (value < 0 || value > kMost) corrupt("expected a whole number from 0 to 4294967295");
  return static_cast<std::uint32_t>(value);
}

void Node::expect_array() const {
  if (!value_->is_array()) corrupt("expected an array");
}

void Node::expect_object() const {
  if (!value_->is_object()) corrupt("expected an object");
}

std::string Node::text(const char* name, std::string_view otherwise) const {
  const Node node = member(name);
  return node.is_null() ? std::string(otherwise) : node.text();
}

bool Node::boolean(const char* name, bool otherwise) const {
  const Node node = member(name);
  return node.is_null() ? otherwise : node.boolean();
}

std::uint32_t Node::whole(const char* name, std::uint32_t otherwise) const {
  const Node node = member(name);
  return node.is_null() ? otherwise : node.whole();
}

std::size_t Node::word(const char* name, std::initializer_list<std::string_view> words,
                       std::size_t otherwise) const {
  const Node node = member(name);
  if (node.is_null()) return otherwise;
  std::string known;
  std::size_t position = 0;
  for (const std::string_view word : words) {
    if (node.text() == word) return position;
    known.append(position++ == 0 ? "" : ", ").append(word);
  }
  node.unsupported("'" + node.text() + "', expected one of " + known);
}

void Node::corrupt(const std::string& reason) const {
  throw Error(ErrorCode::corrupt, place_ + ": " + reason);
}

void Node::unsupported(const std::string& reason) const {
  throw Error(ErrorCode::unsupported, place_ + ": " + reason);
}

}  // namespace kith::tokenizer

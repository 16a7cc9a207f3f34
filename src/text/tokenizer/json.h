// Reading the members of a tokenizer.json with errors that say where: every Node knows the file it
// is of and its place there ("tokenizer.json: model.vocab: expected an object").
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "kith/error.h"

namespace kith::tokenizer {

class Node {
 public:
  Node(const nlohmann::json& value, std::string place) : value_(&value), place_(std::move(place)) {}

  const nlohmann::json& json() const { return *value_; }
  const std::string& place() const { return place_; }
  bool is_null() const { return value_->is_null(); }

  // A member of an object: absent ones and nulls read alike.
  Node member(const char* name) const;
  bool has(const char* name) const { return !member(name).is_null(); }
  Node element(std::size_t index) const;
  std::size_t size() const { return value_->size(); }

  // The value, or corrupt when it is of another type.
  const std::string& text() const;
  bool boolean() const;
  double number() const;
  std::uint32_t whole() const;  // from 0 to 2^32 - 1
  void expect_array() const;
  void expect_object() const;

  // A member's value, or `otherwise` where it is absent or null.
  std::string text(const char* name, std::string_view otherwise) const;
  bool boolean(const char* name, bool otherwise) const;
  std::uint32_t whole(const char* name, std::uint32_t otherwise) const;
  std::string required_text(const char* name) const { return required(name).text(); }
  Node required(const char* name) const;
  std::string type() const { return required_text("type"); }

  // Position of member `name` among `words`; unsupported, with them listed, when it is none.
  std::size_t word(const char* name, std::initializer_list<std::string_view> words,
                   std::size_t otherwise) const;

  [[noreturn]] void corrupt(const std::string& reason) const;
  [[noreturn]] void unsupported(const std::string& reason) const;

 private:
  const nlohmann::json* value_;
  std::string place_;
};

}  // namespace kith::tokenizer

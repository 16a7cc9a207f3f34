// JSON objects, one a line, with checks whose errors name file and line.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kith::judge {

class JsonLine {
 public:
  JsonLine(std::string file, std::size_t number, nlohmann::json object)
      : file_(std::move(file)), number_(number), object_(std::move(object)) {}

  std::size_t number() const { return number_; }  // from 1
  bool has(const std::string& key) const;
  // Whether any of the keys is there: the first one that is, or "".
  std::string first_of(std::initializer_list<const char*> keys) const;
  bool is_list(const std::string& key) const;

  // A string; empty ones (but for white space) are refused unless `may_be_empty`.
  std::string text(const std::string& key, bool may_be_empty = false) const;
  // A string, or a whole number as it is spelt.
  std::string id(const std::string& key) const;
  double number(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;  // a list, none of them empty
  std::vector<std::string> ids(const std::string& key) const;

  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  const nlohmann::json& at(const std::string& key) const;
  std::string text_of(const nlohmann::json& value, const std::string& key, bool may_be_empty) const;
  std::string id_of(const nlohmann::json& value, const std::string& key) const;
  const nlohmann::json& list(const std::string& key) const;

  std::string file_;
  std::size_t number_;
  nlohmann::json object_;
};

// Calls use for every line that isn't blank; throws corrupt where one isn't an object, not_found
// when there is no file.
void for_each_json_line(const std::string& path, const std::function<void(const JsonLine&)>& use);

// The first line that isn't blank; throws corrupt when there is none.
JsonLine first_json_line(const std::string& path);

// Whether a text is nothing but white space.
bool is_blank(std::string_view text);

}  // namespace kith::judge

#include "learn/train/toml.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/read_file.h"
#include "kith/error.h"

namespace kith::learn {
namespace {

[[noreturn]] void refuse_document(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

toml::table parse_table(const std::string& text, const std::string& name) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    refuse_document(name + ": line " + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
  }
}

// "key = value", the value as TOML or else as text.
toml::table parse_setting(const std::string& key, const std::string& value,
                          const std::string& setting) {
  try {
    return toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    toml::table table;
    table.insert_or_assign("value", value);
    return table;
  }
  refuse_document("setting '" + setting + "': '" + key + "' can't be set");
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, by);) parts.push_back(part);
  return parts;
}

// The node one step below, made as a table where there is none.
toml::node* step_down(toml::node* at, const std::string& part, const std::string& setting) {
  if (toml::array* array = at->as_array()) {
    std::size_t index = 0;
    const auto end = part.data() + part.size();
    if (std::from_chars(part.data(), end, index).ptr != end || index >= array->size()) {
      refuse_document("setting '" + setting + "': '" + part + "', expected a number below " +
                      std::to_string(array->size()));
    }
    return array->get(index);
  }
  toml::table* table = at->as_table();
  if (table == nullptr) {
    refuse_document("setting '" + setting + "': nothing can lie below a value");
  }
  if (table->get(part) == nullptr) table->insert(part, toml::table{});
  return table->get(part);
}

void apply(toml::table& root, const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    refuse_document("setting '" + setting + "', expected KEY=VALUE");
  }
  const std::string key = setting.substr(0, equals);
  toml::table value = parse_setting(key, setting.substr(equals + 1), setting);
  std::vector<std::string> parts = split(key, '.');
  const std::string last = parts.back();
  parts.pop_back();
  toml::node* at = &root;
  for (const std::string& part : parts) at = step_down(at, part, setting);
  toml::table* table = at->as_table();
  if (table == nullptr) refuse_document("setting '" + setting + "': '" + last + "' has no place");
  value.get("value")->visit([&](auto& node) { table->insert_or_assign(last, node); });
}

std::string shown(const toml::node& node) {
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

nlohmann::json json_of(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = json_of(value);
    return object;
  }
  if (const auto* array = node.as_array()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& value : *array) list.push_back(json_of(value));
    return list;
  }
  if (const auto value = node.value_exact<bool>()) return *value;
  if (const auto value = node.value_exact<std::int64_t>()) {
    if (*value >= 0) return static_cast<std::uint64_t>(*value);
    return *value;
  }
  if (const auto value = node.value_exact<double>()) return *value;
  return node.value_or(std::string());
}

}  // namespace

struct TomlTable::Node {
  std::shared_ptr<toml::table> document;
  const toml::table* table = nullptr;
  std::string name, place;  // the file; where the table is, such as "train."
  std::set<std::string> known;

  const toml::node* find(const std::string& key) {
    known.insert(key);
    return table->get(key);
  }
};

TomlTable::TomlTable(std::unique_ptr<Node> node) : node_(std::move(node)) {}
TomlTable::TomlTable(TomlTable&&) noexcept = default;
TomlTable& TomlTable::operator=(TomlTable&&) noexcept = default;
TomlTable::~TomlTable() = default;

TomlTable TomlTable::read(const std::string& path, const Overrides& overrides) {
  return parse(read_file(path), path, overrides);
}

TomlTable TomlTable::parse(const std::string& text, const std::string& name,
                           const Overrides& overrides) {
  auto document = std::make_shared<toml::table>(parse_table(text, name));
  for (const std::string& setting : overrides) apply(*document, setting);
  auto node = std::make_unique<Node>();
  node->table = document.get();
  node->document = std::move(document);
  node->name = name;
  return TomlTable(std::move(node));
}

bool TomlTable::has(const std::string& key) const { return node_->table->contains(key); }

void TomlTable::refuse(const std::string& key, const std::string& expected) const {
  const toml::node* value = node_->table->get(key);
  std::string message = node_->name;
  if (value != nullptr && value->source().begin.line > 0) {
    message += ": line " + std::to_string(value->source().begin.line);
  }
  message += ": " + node_->place + key;
  message += value == nullptr ? " is missing" : ": " + shown(*value);
  refuse_document(message + ", expected " + expected);
}

void TomlTable::text(const std::string& key, std::string& value) {
  const toml::node* node = node_->find(key);
  if (node == nullptr) return;
  if (!node->is_string()) refuse(key, "a text in quotes");
  value = node->value_or(std::string());
}

void TomlTable::text(const std::string& key, std::string& value,
                     std::span<const char* const> words) {
  text(key, value);
  if (!has(key)) return;
  std::string known;
  for (const char* word : words) {
    if (value == word) return;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  refuse(key, "one of " + known);
}

void TomlTable::boolean(const std::string& key, bool& value) {
  const toml::node* node = node_->find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) refuse(key, "true or false");
  value = node->value_or(false);
}

namespace {

std::string between(double low, double high) {
  std::ostringstream text;
  text << "a number from " << low << " to " << high;
  return text.str();
}
std::string between(std::int64_t low, std::int64_t high) {
  return "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
}

bool is_number(const toml::node& node, double low, double high) {
  const double value = node.value_or(std::nan(""));
  return node.is_number() && value >= low && value <= high;
}
bool is_whole(const toml::node& node, std::int64_t low, std::int64_t high) {
  const std::int64_t value = node.value_or(low);
  return node.is_integer() && value >= low && value <= high;
}

}  // namespace

void TomlTable::number(const std::string& key, double& value, double low, double high) {
  const toml::node* node = node_->find(key);
  if (node == nullptr) return;
  if (!is_number(*node, low, high)) refuse(key, between(low, high));
  value = node->value_or(0.0);
}

void TomlTable::whole(const std::string& key, std::int64_t& value, std::int64_t low,
                      std::int64_t high) {
  const toml::node* node = node_->find(key);
  if (node == nullptr) return;
  if (!is_whole(*node, low, high)) refuse(key, between(low, high));
  value = node->value_or(low);
}

void TomlTable::whole(const std::string& key, std::size_t& value, std::size_t low,
                      std::size_t high) {
  auto number = static_cast<std::int64_t>(value);
  whole(key, number, static_cast<std::int64_t>(low), static_cast<std::int64_t>(high));
  value = static_cast<std::size_t>(number);
}

template <class Value, class Fits>
void TomlTable::list(const std::string& key, const std::string& expected, const Fits& fits,
                     std::vector<Value>& value) {
  const toml::node* node = node_->find(key);
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) refuse(key, expected);
  value.clear();
  for (const toml::node& each : *array) {
    if (!fits(each)) refuse(key, expected);
    value.push_back(each.value_or(Value()));
  }
}

void TomlTable::texts(const std::string& key, std::vector<std::string>& value) {
  if (const toml::node* node = node_->find(key); node != nullptr && node->is_string()) {
    value = {node->value_or(std::string())};
    return;
  }
  list(
      key, "texts in brackets", [](const toml::node& each) { return each.is_string(); }, value);
}

void TomlTable::numbers(const std::string& key, std::vector<double>& value, double low,
                        double high) {
  list(
      key, "in brackets numbers, each " + between(low, high),
      [&](const toml::node& each) { return is_number(each, low, high); }, value);
}

void TomlTable::wholes(const std::string& key, std::vector<std::int64_t>& value, std::int64_t low,
                       std::int64_t high) {
  list(
      key, "in brackets numbers, each " + between(low, high),
      [&](const toml::node& each) { return is_whole(each, low, high); }, value);
}

void TomlTable::any(const std::string& key, nlohmann::json& value) {
  const toml::node* node = node_->find(key);
  if (node != nullptr) value = json_of(*node);
}

std::optional<TomlTable> TomlTable::table(const std::string& key) {
  const toml::node* node = node_->find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) refuse(key, "a table");
  auto inner = std::make_unique<Node>();
  inner->document = node_->document;
  inner->table = node->as_table();
  inner->name = node_->name;
  inner->place = node_->place + key + ".";
  return TomlTable(std::move(inner));
}

std::vector<TomlTable> TomlTable::tables(const std::string& key) {
  std::vector<TomlTable> all;
  const toml::node* node = node_->find(key);
  if (node == nullptr) return all;
  const toml::array* array = node->as_array();
  if (array == nullptr) refuse(key, "tables, each under [[" + node_->place + key + "]]");
  for (const toml::node& each : *array) {
    if (!each.is_table()) refuse(key, "tables, each under [[" + node_->place + key + "]]");
    auto inner = std::make_unique<Node>();
    inner->document = node_->document;
    inner->table = each.as_table();
    inner->name = node_->name;
    inner->place = node_->place + key + "." + std::to_string(all.size()) + ".";
    all.push_back(TomlTable(std::move(inner)));
  }
  return all;
}

std::vector<std::string> TomlTable::keys() const {
  std::vector<std::string> all;
  for (const auto& [key, value] : *node_->table) all.emplace_back(key.str());
  return all;
}

void TomlTable::refuse_others() const {
  for (const auto& [key, value] : *node_->table) {
    const std::string name(key.str());
    if (node_->known.contains(name)) continue;
    std::string known;
    for (const std::string& each : node_->known) known += (known.empty() ? "" : ", ") + each;
    refuse(name, "no such key here; there are " + known);
  }
}

std::string TomlTable::document() const {
  std::ostringstream text;
  text << *node_->document << "\n";
  return text.str();
}

}  // namespace kith::learn

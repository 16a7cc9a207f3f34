#include "json/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/mapped_file.h"

namespace kith {
namespace {

std::string shown(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all.append(all.empty() ? "" : ", ").append(word);
  return all;
}

}  // namespace

Json::Json(nlohmann::json value, std::string name)
    : document_(std::make_shared<const nlohmann::json>(std::move(value))),
      value_(document_.get()),
      place_(std::move(name)) {}

Json Json::parse(std::string_view text, const std::string& name) {
  try {
    nlohmann::json document = nlohmann::json::parse(text.begin(), text.end());
    if (document.is_object()) return {std::move(document), name};
  } catch (const nlohmann::json::parse_error& error) {
    throw Error(ErrorCode::corrupt,
                name + ": not a JSON object: malformed at byte " + std::to_string(error.byte));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::corrupt, name + ": not a JSON object: " + error.what());
  }
  throw Error(ErrorCode::corrupt, name + ": not a JSON object");
}

Json Json::read(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

// ---- The value itself ---------------------------------------------------------------------------

const std::string& Json::text() const {
  if (!value_->is_string()) corrupt("expected a string");
  return value_->get_ref<const std::string&>();
}

bool Json::boolean() const {
  if (!value_->is_boolean()) corrupt("expected true or false");
  return value_->get<bool>();
}

double Json::number() const {
  if (!value_->is_number()) corrupt("expected a number");
  return value_->get<double>();
}

std::uint32_t Json::whole() const {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  // (A number above 2^63 becomes negative here.)
  const std::int64_t value = value_->is_number_integer() ? value_->get<std::int64_t>() : -1;
  if (value < 0 || value > kMost) corrupt("expected a whole number from 0 to 4294967295");
  return static_cast<std::uint32_t>(value);
}

void Json::expect_array() const {
  if (!value_->is_array()) corrupt("expected an array");
}

void Json::expect_object() const {
  if (!value_->is_object()) corrupt("expected an object");
}

// ---- What lies inside ---------------------------------------------------------------------------

const nlohmann::json* Json::find(const std::string& key) const {
  expect_object();
  const auto at = value_->find(key);
  return at == value_->end() || at->is_null() ? nullptr : &*at;
}

Json Json::member(const std::string& key) const {
  static const nlohmann::json kNull;
  const nlohmann::json* value = find(key);
  return {*this, value == nullptr ? kNull : *value, place_of(key), false};
}

Json Json::required(const std::string& key) const {
  Json found = member(key);
  if (found.is_null()) found.corrupt("missing");
  return found;
}

Json Json::object(const std::string& key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr || !value->is_object()) refuse(key, "an object");
  return {*this, *value, place_of(key), false};
}

Json Json::element(std::size_t index) const {
  std::string place = whole_document_ ? place_of("[") : place_ + "[";
  place.append(std::to_string(index)).append("]");
  return {*this, (*value_)[index], std::move(place), false};
}

Json Json::within(const nlohmann::json& value) const {
  return {*this, value, place_, whole_document_};
}

// ---- A member's value ---------------------------------------------------------------------------

std::string Json::text(const std::string& key, std::optional<std::string> otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr && otherwise) return *otherwise;
  if (value == nullptr || !value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

std::vector<std::string> Json::texts(const std::string& key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr || !value->is_array()) refuse(key, "a list of strings");
  std::vector<std::string> all;
  for (const nlohmann::json& element : *value) {
    if (!element.is_string()) refuse(key, "a list of strings");
    all.push_back(element.get<std::string>());
  }
  return all;
}

bool Json::boolean(const std::string& key, bool otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::uint32_t Json::whole(const std::string& key, std::uint32_t otherwise) const {
  const Json found = member(key);
  return found.is_null() ? otherwise : found.whole();
}

std::size_t Json::whole(const std::string& key, std::size_t low, std::size_t high,
                        std::optional<std::size_t> otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr && otherwise) return *otherwise;
  if (value != nullptr && value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= low && number <= high) return number;
  }
  refuse(key, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
}

double Json::number(const std::string& key, double low, double high,
                    std::optional<double> otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr && otherwise) return *otherwise;
  const std::string expected = "a number from " + shown(low) + " to " + shown(high);
  if (value == nullptr || !value->is_number()) refuse(key, expected);
  const auto number = value->get<double>();
  if (!std::isfinite(number) || number < low || number > high) refuse(key, expected);
  return number;
}

std::size_t Json::word(const std::string& key, std::initializer_list<std::string_view> words,
                       std::size_t otherwise) const {
  const Json found = member(key);
  if (found.is_null()) return otherwise;
  std::string known;
  std::size_t position = 0;
  for (const std::string_view word : words) {
    if (found.text() == word) return position;
    known.append(position++ == 0 ? "" : ", ").append(word);
  }
  found.unsupported("'" + found.text() + "', expected one of " + known);
}

void Json::expect_text(const std::string& key, const std::vector<std::string>& known) const {
  if (!has(key)) return;
  if (std::ranges::count(known, text(key)) == 0) {
    refuse(key, joined(known), ErrorCode::unsupported);
  }
}

// ---- Errors -------------------------------------------------------------------------------------

void Json::corrupt(const std::string& reason) const {
  throw Error(ErrorCode::corrupt, place_ + ": " + reason);
}

void Json::unsupported(const std::string& reason) const {
  throw Error(ErrorCode::unsupported, place_ + ": " + reason);
}

void Json::refuse(const std::string& key, const std::string& expected, ErrorCode code) const {
  constexpr std::size_t kShown = 60;
  const nlohmann::json* value = find(key);
  std::string seen = value == nullptr
                         ? "missing"
                         : value->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (seen.size() > kShown) seen = seen.substr(0, kShown) + "...";
  throw Error(code, place_of(key) + ": " + seen + ", expected " + expected);
}

}  // namespace kith

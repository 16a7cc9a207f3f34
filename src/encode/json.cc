#include "encode/json.h"

#include <algorithm>
#include <cmath>

#include "base/mapped_file.h"

namespace kith::encode {
namespace {

std::string shown(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) {
    if (!all.empty()) all += ", ";
    all += word;
  }
  return all;
}

}  // namespace

Json::Json(std::string name, std::string_view text) : name_(std::move(name)) {
  object_ = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object_.is_object()) throw Error(ErrorCode::corrupt, name_ + ": not a JSON object");
}

Json::Json(std::string name, nlohmann::json object)
    : name_(std::move(name)), object_(std::move(object)) {
  if (!object_.is_object()) throw Error(ErrorCode::corrupt, name_ + ": not a JSON object");
}

Json Json::read(const std::string& path) {
  const auto file = MappedFile::open(path);
  return {path, std::string_view(reinterpret_cast<const char*>(file->bytes().data()),
                                 file->bytes().size())};
}

const nlohmann::json* Json::find(const std::string& key) const {
  const auto at = object_.find(key);
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

bool Json::has(const std::string& key) const { return find(key) != nullptr; }

void Json::refuse(const std::string& key, const std::string& expected, ErrorCode code) const {
  constexpr std::size_t kShown = 60;
  const nlohmann::json* value = find(key);
  std::string seen = value == nullptr
                         ? "missing"
                         : value->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (seen.size() > kShown) seen = seen.substr(0, kShown) + "...";
  throw Error(code, name_ + ": " + key + ": " + seen + ", expected " + expected);
}

std::size_t Json::whole(const std::string& key, std::size_t low, std::size_t high,
                        std::optional<std::size_t> otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr && otherwise) return *otherwise;
  const std::string expected =
      "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  if (value == nullptr || !value->is_number_integer()) refuse(key, expected);
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= low && number <= high) return number;
  }
  refuse(key, expected);
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

bool Json::boolean(const std::string& key, bool otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::string Json::text(const std::string& key, std::optional<std::string> otherwise) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr && otherwise) return *otherwise;
  if (value == nullptr || !value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

Json Json::object(const std::string& key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr || !value->is_object()) refuse(key, "an object");
  return {name_ + ": " + key, *value};
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

void Json::expect_text(const std::string& key, const std::vector<std::string>& known) const {
  if (!has(key)) return;
  const std::string value = text(key);
  if (std::ranges::count(known, value) == 0) {
    refuse(key, joined(known), ErrorCode::unsupported);
  }
}

}  // namespace kith::encode

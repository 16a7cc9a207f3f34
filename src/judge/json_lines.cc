#include "judge/json_lines.h"

#include <cmath>

#include "base/mapped_file.h"
#include "formats/lines.h"
#include "kith/error.h"

namespace kith::judge {
namespace {

[[noreturn]] void refuse_line(const std::string& file, std::size_t number,
                              const std::string& reason) {
  throw Error(ErrorCode::corrupt, file + ": line " + std::to_string(number) + ": " + reason);
}

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

nlohmann::json parse(const std::string& file, std::size_t number, std::string_view line) {
  nlohmann::json object =
      nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) refuse_line(file, number, "not a JSON object");
  return object;
}

}  // namespace

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool JsonLine::has(const std::string& key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

std::string JsonLine::first_of(std::initializer_list<const char*> keys) const {
  for (const char* key : keys) {
    if (has(key)) return key;
  }
  return {};
}

bool JsonLine::is_list(const std::string& key) const { return has(key) && at(key).is_array(); }

const nlohmann::json& JsonLine::at(const std::string& key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) refuse("no \"" + key + "\"");
  return *found;
}

std::string JsonLine::text_of(const nlohmann::json& value, const std::string& key,
                              bool may_be_empty) const {
  if (!value.is_string()) refuse("\"" + key + "\" is not a text");
  std::string text = value.get<std::string>();
  if (!may_be_empty && is_blank(text)) refuse("\"" + key + "\" is empty");
  return text;
}

std::string JsonLine::id_of(const nlohmann::json& value, const std::string& key) const {
  if (value.is_number_integer()) return value.dump();
  if (!value.is_string()) refuse("\"" + key + "\" is neither a text nor a whole number");
  return value.get<std::string>();
}

const nlohmann::json& JsonLine::list(const std::string& key) const {
  const nlohmann::json& value = at(key);
  if (!value.is_array()) refuse("\"" + key + "\" is not a list");
  return value;
}

std::string JsonLine::text(const std::string& key, bool may_be_empty) const {
  return text_of(at(key), key, may_be_empty);
}

std::string JsonLine::id(const std::string& key) const { return id_of(at(key), key); }

double JsonLine::number(const std::string& key) const {
  const nlohmann::json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    refuse("\"" + key + "\" is not a number");
  }
  return value.get<double>();
}

std::vector<std::string> JsonLine::texts(const std::string& key) const {
  std::vector<std::string> all;
  for (const nlohmann::json& value : list(key)) all.push_back(text_of(value, key, false));
  return all;
}

std::vector<std::string> JsonLine::ids(const std::string& key) const {
  std::vector<std::string> all;
  for (const nlohmann::json& value : list(key)) all.push_back(id_of(value, key));
  return all;
}

void JsonLine::refuse(const std::string& reason) const { refuse_line(file_, number_, reason); }

void for_each_json_line(const std::string& path, const std::function<void(const JsonLine&)>& use) {
  const auto file = MappedFile::open(path);
  formats::for_each_line(text_of(*file),
                         [&](std::string_view line, std::size_t, std::size_t number) {
                           if (is_blank(line)) return;
                           use(JsonLine(path, number, parse(path, number, line)));
                         });
}

JsonLine first_json_line(const std::string& path) {
  const auto file = MappedFile::open(path);
  const std::string_view text = text_of(*file);
  std::size_t number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (!is_blank(line)) return {path, number, parse(path, number, line)};
    at = end + 1;
  }
  throw Error(ErrorCode::corrupt, path + ": holds nothing");
}

}  // namespace kith::judge

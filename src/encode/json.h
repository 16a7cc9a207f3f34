// A JSON object of a model folder, read with checks: every error names the file, the setting, the
// value seen and what was expected.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kith/error.h"

namespace kith::encode {

class Json {
 public:
  // `name` is how errors call it. Throws corrupt unless the text is one JSON object.
  Json(std::string name, std::string_view text);
  Json(std::string name, nlohmann::json object);
  // Throws not_found when there is no such file.
  static Json read(const std::string& path);

  const std::string& name() const { return name_; }
  // Present and not null.
  bool has(const std::string& key) const;

  // A whole number in [low, high]. Without `otherwise` the key must be there.
  std::size_t whole(const std::string& key, std::size_t low, std::size_t high,
                    std::optional<std::size_t> otherwise = std::nullopt) const;
  // A finite number in [low, high].
  double number(const std::string& key, double low, double high,
                std::optional<double> otherwise = std::nullopt) const;
  bool boolean(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key,
                   std::optional<std::string> otherwise = std::nullopt) const;
  // An object inside; the key must be there.
  Json object(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;
  const nlohmann::json& raw() const { return object_; }

  // Throws unsupported unless the text under `key` is absent or one of `known`.
  void expect_text(const std::string& key, const std::vector<std::string>& known) const;

  [[noreturn]] void refuse(const std::string& key, const std::string& expected,
                           ErrorCode code = ErrorCode::corrupt) const;

 private:
  const nlohmann::json* find(const std::string& key) const;

  std::string name_;
  nlohmann::json object_;
};

}  // namespace kith::encode

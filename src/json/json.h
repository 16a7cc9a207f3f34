// A JSON document read with checks. Every value knows the file that it is of and its place there,
// and every error says both, mostly with the value seen and what was expected:
// "config.json: rope_scaling.factor: 0, expected a number from 1 to 1000000".
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kith/error.h"

namespace kith {

// A value in a document that it shares; cheap to copy. A member that is null counts as absent.
class Json {
 public:
  // `name` is how errors call the document.
  Json(nlohmann::json value, std::string name);
  // Throws corrupt unless the text is one JSON object.
  static Json parse(std::string_view text, const std::string& name);
  // Also throws not_found when there is no such file.
  static Json read(const std::string& path);

  const nlohmann::json& raw() const { return *value_; }
  const std::string& place() const { return place_; }
  bool is_null() const { return value_->is_null(); }

  // ---- The value itself; corrupt when it is of another type -------------------------------------
  const std::string& text() const;
  bool boolean() const;
  double number() const;
  std::uint32_t whole() const;  // from 0 to 2^32 - 1
  void expect_array() const;
  void expect_object() const;

  // ---- What lies inside -------------------------------------------------------------------------
  bool has(const std::string& key) const { return find(key) != nullptr; }
  Json member(const std::string& key) const;    // null when absent
  Json required(const std::string& key) const;  // corrupt when absent
  Json object(const std::string& key) const;    // corrupt unless it is one
  std::size_t size() const { return value_->size(); }
  Json element(std::size_t index) const;
  // A value inside under this one's name, for the many members of a vocabulary.
  Json within(const nlohmann::json& value) const;

  // ---- A member's value; without `otherwise` it must be there -----------------------------------
  std::string text(const std::string& key,
                   std::optional<std::string> otherwise = std::nullopt) const;
  std::string type() const { return text("type"); }
  std::vector<std::string> texts(const std::string& key) const;
  bool boolean(const std::string& key, bool otherwise) const;
  std::uint32_t whole(const std::string& key, std::uint32_t otherwise) const;
  std::size_t whole(const std::string& key, std::size_t low, std::size_t high,
                    std::optional<std::size_t> otherwise = std::nullopt) const;
  double number(const std::string& key, double low, double high,
                std::optional<double> otherwise = std::nullopt) const;  // finite

  // Position of the member's text among `words`; unsupported, with them listed, when it is none.
  std::size_t word(const std::string& key, std::initializer_list<std::string_view> words,
                   std::size_t otherwise) const;
  // Throws unsupported unless the text under `key` is absent or one of `known`.
  void expect_text(const std::string& key, const std::vector<std::string>& known) const;

  // ---- Errors -----------------------------------------------------------------------------------
  [[noreturn]] void corrupt(const std::string& reason) const;
  [[noreturn]] void unsupported(const std::string& reason) const;
  // Shows the member's value beside what was expected.
  [[noreturn]] void refuse(const std::string& key, const std::string& expected,
                           ErrorCode code = ErrorCode::corrupt) const;

 private:
  Json(const Json& parent, const nlohmann::json& value, std::string place, bool whole_document)
      : document_(parent.document_),
        value_(&value),
        place_(std::move(place)),
        whole_document_(whole_document) {}

  const nlohmann::json* find(const std::string& key) const;
  std::string place_of(const std::string& key) const {
    return place_ + (whole_document_ ? ": " : ".") + key;
  }

  std::shared_ptr<const nlohmann::json> document_;
  const nlohmann::json* value_;
  std::string place_;
  bool whole_document_ = true;
};

}  // namespace kith

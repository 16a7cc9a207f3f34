// A TOML document read with checks: every key must be known, every value of its type and within its
// bounds; errors name the file, the line and the key, the value seen and what was expected.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace kith::learn {

// Settings from the command line: "train.steps=100" or "data.0.weight=2", the value as TOML writes
// it, or plain text. They overrule what the file says.
using Overrides = std::vector<std::string>;

class TomlTable {
 public:
  // Throws not_found, or invalid_argument with the place of a syntax error, for a key that occurs
  // twice, and for an override that has no "=" or names what can't be.
  static TomlTable read(const std::string& path, const Overrides& overrides = {});
  static TomlTable parse(const std::string& text, const std::string& name,
                         const Overrides& overrides = {});

  TomlTable(TomlTable&&) noexcept;
  TomlTable& operator=(TomlTable&&) noexcept;
  ~TomlTable();

  bool has(const std::string& key) const;

  // `value` is changed only when the key is there.
  void text(const std::string& key, std::string& value);
  void text(const std::string& key, std::string& value, std::span<const char* const> words);
  void boolean(const std::string& key, bool& value);
  void number(const std::string& key, double& value, double low, double high);
  void whole(const std::string& key, std::int64_t& value, std::int64_t low, std::int64_t high);
  void whole(const std::string& key, std::size_t& value, std::size_t low, std::size_t high);
  void texts(const std::string& key, std::vector<std::string>& value);
  void numbers(const std::string& key, std::vector<double>& value, double low, double high);
  void wholes(const std::string& key, std::vector<std::int64_t>& value, std::int64_t low,
              std::int64_t high);
  // Anything, as JSON.
  void any(const std::string& key, nlohmann::json& value);

  // The table under a key; unset where there is none.
  std::optional<TomlTable> table(const std::string& key);
  // The tables of an array, such as [[data]].
  std::vector<TomlTable> tables(const std::string& key);
  std::vector<std::string> keys() const;

  // Throws invalid_argument for the first key that nothing asked for, with those that were.
  void refuse_others() const;
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

  // The whole document, overrides included, as TOML.
  std::string document() const;

 private:
  struct Node;
  // The elements under a key, each of which `fits`.
  template <class Value, class Fits>
  void list(const std::string& key, const std::string& expected, const Fits& fits,
            std::vector<Value>& value);
  explicit TomlTable(std::unique_ptr<Node> node);
  std::unique_ptr<Node> node_;
};

}  // namespace kith::learn

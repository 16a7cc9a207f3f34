// Tokens <-> their ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace kith::tokenizer {

using TokenId = std::uint32_t;

class Vocabulary {
 public:
  Vocabulary() = default;
  // (A copy's views would point into the first.)
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;
  ~Vocabulary() = default;

  // Two tokens may share an id (the last is its text), and a token's last id counts.
  void add(std::string_view token, TokenId id) {
    const auto place = ids_.try_emplace(std::string(token), id).first;
    place->second = id;
    tokens_[id] = place->first;  // nodes of the map stay where they are
  }
  std::optional<TokenId> find(std::string_view token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
  }
  std::optional<std::string_view> token(TokenId id) const {
    const auto found = tokens_.find(id);
    if (found == tokens_.end()) return std::nullopt;
    return found->second;
  }
  std::size_t size() const { return tokens_.size(); }
  template <class Use>
  void for_each_id(const Use& use) const {
    for (const auto& entry : tokens_) use(entry.first);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  std::unordered_map<TokenId, std::string_view> tokens_;
};

}  // namespace kith::tokenizer

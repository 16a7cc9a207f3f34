#include "encode/thinking.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "json/json.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr std::size_t kMostTokens = std::size_t{1} << 24;

std::uint32_t id_of(const Tokenizer& tokenizer, const std::string& token) {
  const std::optional<std::uint32_t> id = tokenizer.id(token);
  if (id) return *id;
  throw Error(ErrorCode::invalid_argument,
              "a thinking model's tokenizer lacks the token '" + token + "'");
}

// The text's tokens, without those that stand for parts of a sequence.
std::vector<std::uint32_t> plain_tokens(const Thinking& thinking, const Tokenizer& tokenizer,
                                        std::string_view text, std::size_t most) {
  std::vector<std::uint32_t> ids = tokenizer.encode(text, {.special_tokens = false}).ids;
  std::erase_if(ids, [&](std::uint32_t id) {
    return id == thinking.query || id == thinking.query_end || id == thinking.thought ||
           id == thinking.end || id == thinking.embed;
  });
  ids.resize(std::min(ids.size(), most));
  return ids;
}

}  // namespace

std::vector<std::uint32_t> Thinking::prompt(const Tokenizer& tokenizer,
                                            std::string_view text) const {
  std::vector<std::uint32_t> ids = lead;
  ids.push_back(query);
  const std::vector<std::uint32_t> own = plain_tokens(*this, tokenizer, text, query_tokens);
  ids.insert(ids.end(), own.begin(), own.end());
  ids.push_back(query_end);
  ids.push_back(thought);
  return ids;
}

void Thinking::finish(std::span<const std::uint32_t> thought_ids,
                      std::vector<std::uint32_t>& sequence) const {
  sequence.insert(sequence.end(), thought_ids.begin(), thought_ids.end());
  if (!thought_ids.empty()) sequence.push_back(end);
  sequence.push_back(embed);
}

std::vector<std::uint32_t> Thinking::document(const Tokenizer& tokenizer, std::string_view text,
                                              std::size_t most) const {
  std::vector<std::uint32_t> ids = lead;
  const std::size_t room = most - std::min(most, lead.size() + 1);
  const std::vector<std::uint32_t> own = plain_tokens(*this, tokenizer, text, room);
  ids.insert(ids.end(), own.begin(), own.end());
  ids.push_back(embed);
  return ids;
}

Thinking thinking_of(const ThinkingNames& names, const Tokenizer& tokenizer) {
  Thinking thinking{.query = id_of(tokenizer, names.query),
                    .query_end = id_of(tokenizer, names.query_end),
                    .thought = id_of(tokenizer, names.thought),
                    .end = id_of(tokenizer, names.end),
                    .embed = id_of(tokenizer, names.embed),
                    .lead = {}};
  const Encoding empty = tokenizer.encode("", {.use_file = false});
  if (!empty.ids.empty()) thinking.lead.push_back(empty.ids.front());
  return thinking;
}

std::optional<Thinking> read_thinking(const std::string& folder, const Tokenizer& tokenizer) {
  const std::string path = folder + "/" + kThinkingFile;
  if (!std::filesystem::exists(path)) return std::nullopt;
  const Json json = Json::read(path);
  Thinking thinking = thinking_of({.query = json.text("query"),
                                   .query_end = json.text("query_end"),
                                   .thought = json.text("thought"),
                                   .end = json.text("end"),
                                   .embed = json.text("embed")},
                                  tokenizer);
  thinking.query_tokens = json.whole("query_tokens", 1, kMostTokens);
  thinking.thought_tokens = json.whole("thought_tokens", 1, kMostTokens);
  return thinking;
}

std::string thinking_json(const ThinkingNames& names, const Thinking& thinking) {
  return nlohmann::ordered_json({{"query", names.query},
                                 {"query_end", names.query_end},
                                 {"thought", names.thought},
                                 {"end", names.end},
                                 {"embed", names.embed},
                                 {"query_tokens", thinking.query_tokens},
                                 {"thought_tokens", thinking.thought_tokens}})
             .dump(2) +
         "\n";
}

}  // namespace kith::encode

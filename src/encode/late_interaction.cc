#include "encode/late_interaction.h"

#include <algorithm>
#include <filesystem>

#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr const char* kSimilarity = "MaxSim";
constexpr std::size_t kMostTokens = 1 << 20;

std::string settings_of(const std::string& folder) {
  return folder + "/config_sentence_transformers.json";
}

bool says_maxsim(const Json& json) { return json.text("similarity_fn_name", "") == kSimilarity; }

}  // namespace

bool is_late_interaction(const std::string& folder) {
  const std::string path = settings_of(folder);
  return std::filesystem::exists(path) && says_maxsim(Json::read(path));
}

std::optional<LateInteraction> read_late_interaction(const std::string& folder, Prompts& prompts) {
  const std::string path = settings_of(folder);
  if (!std::filesystem::exists(path)) return std::nullopt;
  return late_interaction_of(Json::read(path), prompts);
}

std::optional<LateInteraction> late_interaction_of(const Json& json, Prompts& prompts) {
  if (!says_maxsim(json)) return std::nullopt;
  LateInteraction late;
  late.query_tokens = json.whole("query_length", 1, kMostTokens, late.query_tokens);
  late.document_tokens = json.whole("document_length", 1, kMostTokens, late.document_tokens);
  late.expand_queries = json.boolean("do_query_expansion", true);
  late.expansion_seen = json.boolean("attend_to_expansion_tokens", false);
  if (json.has("skiplist_words")) late.skipped = json.texts("skiplist_words");
  for (const char* name : {"query", "document"}) {
    const std::string prefix = json.text(std::string(name) + "_prefix", "");
    if (!prefix.empty()) prompts.by_name.try_emplace(name, prefix);
  }
  return late;
}

nlohmann::ordered_json late_interaction_json(const LateInteraction& late, const Prompts& prompts,
                                             const Tokenizer& tokenizer) {
  auto others = prompts.by_name;
  const auto prefix = [&](const char* name) -> std::string {
    const auto found = others.find(name);
    if (found == others.end() || !tokenizer.id(found->second)) return {};
    return others.extract(found).mapped();
  };
  const std::string query = prefix("query"), document = prefix("document");
  nlohmann::ordered_json json = {{"prompts", others}};
  if (!prompts.usual.empty()) json["default_prompt_name"] = prompts.usual;
  json["similarity_fn_name"] = kSimilarity;
  json["query_prefix"] = query;
  json["document_prefix"] = document;
  json["query_length"] = late.query_tokens;
  json["document_length"] = late.document_tokens;
  json["do_query_expansion"] = late.expand_queries;
  json["attend_to_expansion_tokens"] = late.expansion_seen;
  json["skiplist_words"] = late.skipped;
  return json;
}

std::vector<std::string> punctuation() {
  std::vector<std::string> words;
  for (const char mark : std::string("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")) {
    words.emplace_back(1, mark);
  }
  return words;
}

std::vector<std::uint32_t> skipped_ids(const LateInteraction& late, const Tokenizer& tokenizer) {
  std::vector<std::uint32_t> ids;
  for (const std::string& word : late.skipped) {
    if (const auto id = tokenizer.id(word)) ids.push_back(*id);
  }
  std::ranges::sort(ids);
  return ids;
}

std::uint32_t mask_token(const Tokenizer& tokenizer) {
  for (const char* name : {"[MASK]", "<mask>"}) {
    if (const auto id = tokenizer.id(name)) return *id;
  }
  throw Error(ErrorCode::unsupported,
              "query expansion: the vocabulary has neither [MASK] nor <mask>");
}

void expand(Encoding& encoding, std::uint32_t mask, std::size_t tokens) {
  const std::size_t length = std::max(tokens, encoding.ids.size());
  encoding.ids.resize(length, mask);
  encoding.types.resize(length);
  encoding.special.resize(length, 1);
}

}  // namespace kith::encode

#include "text/tokenizer/model.h"

#include <array>

namespace kith::tokenizer {
namespace {

// Files written before models had a type are told apart by their members.
std::string kind_of(const Json& node) {
  if (node.has("type")) return node.type();
  if (node.required("vocab").raw().is_array()) return "Unigram";
  if (node.has("merges")) return "BPE";
  return node.has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

}  // namespace

std::unique_ptr<Model> read_model(const Json& node) {
  const std::string kind = kind_of(node);
  if (kind == "WordPiece") return read_word_piece(node);
  if (kind == "BPE") return read_bpe(node);
  if (kind == "Unigram") return read_unigram(node);
  if (kind == "WordLevel") return read_word_level(node);
  node.unsupported("model '" + kind + "', expected WordPiece, BPE, Unigram or WordLevel");
}

Vocabulary read_vocabulary(const Json& node) {
  node.expect_object();
  Vocabulary vocabulary;
  for (const auto& [token, id] : node.raw().items()) {
    vocabulary.add(token, node.within(id).whole());
  }
  if (vocabulary.size() == 0) node.corrupt("no token");
  return vocabulary;
}

std::optional<TokenId> read_token(const Json& node, const char* name,
                                  const Vocabulary& vocabulary) {
  const Json member = node.member(name);
  if (member.is_null()) return std::nullopt;
  const std::optional<TokenId> id = vocabulary.find(member.text());
  if (!id) member.corrupt("'" + member.text() + "' is not in the vocabulary");
  return id;
}

std::vector<TokenId> byte_tokens(const Vocabulary& vocabulary) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::vector<TokenId> ids;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::array<char, 6> name = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    const auto id = vocabulary.find({name.data(), name.size()});
    if (!id) return {};
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace kith::tokenizer

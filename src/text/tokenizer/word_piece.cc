// WordPiece as BERT uses it: the longest token that begins the word, then the longest that goes on,
// and so to its end; a word with a part that no token covers is unknown as a whole.
#include "text/tokenizer/model.h"
#include "text/tokenizer/trie.h"

namespace kith::tokenizer {
namespace {

class WordPiece final : public Model {
 public:
  WordPiece(const Json& node, Vocabulary vocabulary)
      : Model(std::move(vocabulary)), most_letters_(node.whole("max_input_chars_per_word", 100)) {
    const auto unknown = read_token(node, "unk_token", this->vocabulary());
    if (!unknown) node.corrupt("unk_token is missing");
    unknown_ = *unknown;
    for (const auto& [token, id] : node.required("vocab").raw().items()) {
      pieces_.add(token, id.get<TokenId>());
    }
    inside_ = pieces_.walk(Trie::kRoot, node.text("continuing_subword_prefix", "##"));
  }

  void encode(std::string_view piece, std::vector<TokenId>& ids) const override {
    const std::size_t before = ids.size();
    if (piece.size() <= most_letters_ || letters(piece) <= most_letters_) {
      std::size_t at = 0;
      for (Trie::Node from = Trie::kRoot; from != Trie::kNowhere && at < piece.size();
           from = inside_) {
        const Trie::Match match = pieces_.longest(piece, at, from);
        if (match.length == 0) break;
        ids.push_back(match.value);
        at += match.length;
      }
      if (at == piece.size()) return;
    }
    ids.resize(before);
    ids.push_back(unknown_);
  }

 private:
  static std::size_t letters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (c & 0xc0) != 0x80 ? 1 : 0;
    return count;
  }

  std::size_t most_letters_;
  TokenId unknown_ = 0;
  Trie pieces_;
  Trie::Node inside_ = Trie::kNowhere;  // where tokens that go on a word begin
};

}  // namespace

std::unique_ptr<Model> read_word_piece(const Json& node) {
  return std::make_unique<WordPiece>(node, read_vocabulary(node.required("vocab")));
}

}  // namespace kith::tokenizer

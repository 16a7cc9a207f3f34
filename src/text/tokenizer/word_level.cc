// Words that are tokens as they stand.
#include "text/tokenizer/model.h"

namespace kith::tokenizer {
namespace {

class WordLevel final : public Model {
 public:
  WordLevel(const Json& node, Vocabulary vocabulary) : Model(std::move(vocabulary)) {
    const auto unknown = read_token(node, "unk_token", this->vocabulary());
    if (!unknown) node.corrupt("unk_token is missing");
    unknown_ = *unknown;
  }

  void encode(std::string_view piece, std::vector<TokenId>& ids) const override {
    ids.push_back(vocabulary().find(piece).value_or(unknown_));
  }

 private:
  TokenId unknown_ = 0;
};

}  // namespace

std::unique_ptr<Model> read_word_level(const Json& node) {
  return std::make_unique<WordLevel>(node, read_vocabulary(node.required("vocab")));
}

}  // namespace kith::tokenizer

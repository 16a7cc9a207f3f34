// Of all ways to cut a text into known pieces, the one whose scores (log probabilities) sum to
// most, found by Viterbi's recursion: T. Kudo, "Subword regularization", ACL 2018. A character that
// is no piece by itself may also be unknown, at a score 10 below the worst piece's; unknown ones in
// a row are one token, or their bytes where the vocabulary has them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "text/tokenizer/model.h"
#include "text/tokenizer/trie.h"

namespace kith::tokenizer {
namespace {

constexpr double kUnknownPenalty = 10;  // SentencePiece's

struct Piece {
  std::string text;
  double score;
};

std::vector<Piece> read_pieces(const Json& node) {
  node.expect_array();
  if (node.size() == 0) node.corrupt("no piece");
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Json entry = node.element(i);
    entry.expect_array();
    if (entry.size() != 2) entry.corrupt("expected a piece and its score");
    pieces.push_back({entry.element(0).text(), entry.element(1).number()});
    if (!std::isfinite(pieces.back().score)) entry.corrupt("its score is not finite");
  }
  return pieces;
}

Vocabulary numbered(const std::vector<Piece>& pieces) {
  Vocabulary vocabulary;
  TokenId id = 0;
  for (const Piece& piece : pieces) vocabulary.add(piece.text, id++);
  return vocabulary;
}

class Unigram final : public Model {
 public:
  Unigram(const Json& node, const std::vector<Piece>& pieces)
      : Model(numbered(pieces)), place_(node.place()) {
    double least = std::numeric_limits<double>::infinity();
    for (TokenId id = 0; id < pieces.size(); ++id) {
      trie_.add(pieces[id].text, id);
      scores_.push_back(pieces[id].score);
      least = std::min(least, pieces[id].score);
    }
    unknown_score_ = least - kUnknownPenalty;
    if (node.has("unk_id")) {
      unknown_ = node.required("unk_id").whole();
      if (*unknown_ >= pieces.size()) {
        node.required("unk_id").corrupt(std::to_string(*unknown_) + ", but there are " +
                                        std::to_string(pieces.size()) + " pieces");
      }
      scores_[*unknown_] = unknown_score_;
    }
    if (node.boolean("byte_fallback", false)) bytes_ = byte_tokens(vocabulary());
  }

  void encode(std::string_view piece, std::vector<TokenId>& ids) const override {
    const std::vector<Step> steps = best_steps(piece);
    std::vector<Step> path;  // from the end
    for (std::size_t end = piece.size(); end > 0; end = steps[end].begin) {
      path.push_back({.begin = end, .id = steps[end].id});
    }
    std::size_t at = 0;
    bool after_unknown = false;
    for (auto step = path.rbegin(); step != path.rend(); at = step++->begin) {
      const bool unknown = step->id == kUnknown || step->id == unknown_;
      if (!unknown) {
        ids.push_back(step->id);
      } else {
        add_unknown(piece.substr(at, step->begin - at), after_unknown, ids);
      }
      after_unknown = unknown;
    }
  }

 private:
  static constexpr TokenId kUnknown = std::numeric_limits<TokenId>::max();
  // The best way to get to a byte: where its last piece begins, and which one it is.
  struct Step {
    std::size_t begin = 0;
    TokenId id = kUnknown;
    double score = -std::numeric_limits<double>::infinity();
  };

  std::vector<Step> best_steps(std::string_view text) const {
    std::vector<Step> steps(text.size() + 1);
    steps[0].score = 0;
    for (std::size_t at = 0, next = 0; at < text.size(); at = next) {
      next = at + 1;
      while (next < text.size() && (text[next] & 0xc0) == 0x80) ++next;
      const double score = steps[at].score;
      const auto offer = [&](std::size_t end, TokenId id, double piece_score) {
        if (score + piece_score > steps[end].score) steps[end] = {at, id, score + piece_score};
      };
      bool has_character = false;
      Trie::Node node = Trie::kRoot;
      for (std::size_t end = at; end < text.size();) {
        node = trie_.step(node, text[end++]);
        if (node == Trie::kNowhere) break;
        if (trie_.value(node) == Trie::kNoValue) continue;
        offer(end, trie_.value(node), scores_[trie_.value(node)]);
        has_character = has_character || end == next;
      }
      if (!has_character) offer(next, kUnknown, unknown_score_);
    }
    return steps;
  }

  void add_unknown(std::string_view text, bool after_unknown, std::vector<TokenId>& ids) const {
    if (!bytes_.empty()) {
      for (const char byte : text) ids.push_back(bytes_[static_cast<unsigned char>(byte)]);
    } else if (!unknown_) {
      throw Error(ErrorCode::invalid_argument,
                  place_ + ": no piece for '" + std::string(text) + "', and no unk_id");
    } else if (!after_unknown) {
      ids.push_back(*unknown_);
    }
  }

  std::string place_;
  Trie trie_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  std::optional<TokenId> unknown_;
  std::vector<TokenId> bytes_;
};

}  // namespace

std::unique_ptr<Model> read_unigram(const Json& node) {
  return std::make_unique<Unigram>(node, read_pieces(node.required("vocab")));
}

}  // namespace kith::tokenizer

// Byte-pair encoding: a word begins as its characters; of all neighbours the pair whose merge was
// learned first becomes one token, leftmost first, until no pair has a merge. R. Sennrich, B.
// Haddow and A. Birch, "Neural machine translation of rare words with subword units", ACL 2016.
#include <algorithm>
#include <limits>
#include <queue>

#include "text/tokenizer/model.h"
#include "text/tokenizer/pair_table.h"

namespace kith::tokenizer {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
constexpr TokenId kUnmergeable = std::numeric_limits<TokenId>::max();  // a character without token

// Tokens of a word in a list, some of them merged away.
struct Symbol {
  TokenId id;
  std::size_t previous, next;
  bool gone = false;
};

struct Candidate {
  std::uint32_t rank;
  std::size_t at;  // of its left symbol
  TokenId left, right, result;
  // For a queue whose top has the lowest rank and, among equals, stands leftmost.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

std::pair<std::string, std::string> read_merge(const Json& node) {
  if (node.raw().is_array()) {
    if (node.size() != 2) node.corrupt("expected two tokens");
    return {node.element(0).text(), node.element(1).text()};
  }
  const std::string& text = node.text();
  const std::size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
    node.corrupt("'" + text + "', expected two tokens with a space between");
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

class Bpe final : public Model {
 public:
  Bpe(const Json& node, Vocabulary vocabulary)
      : Model(std::move(vocabulary)),
        merges_(node.required("merges").size()),
        unknown_(read_token(node, "unk_token", this->vocabulary())),
        prefix_(node.text("continuing_subword_prefix", "")),
        suffix_(node.text("end_of_word_suffix", "")),
        fuse_unknown_(node.boolean("fuse_unk", false)),
        ignore_merges_(node.boolean("ignore_merges", false)) {
    if (node.has("dropout") && node.member("dropout").number() != 0) {
      node.member("dropout").unsupported("expected none: it would make encoding random");
    }
    if (node.boolean("byte_fallback", false)) bytes_ = byte_tokens(this->vocabulary());
    read_merges(node.required("merges"));
  }

  void encode(std::string_view piece, std::vector<TokenId>& ids) const override {
    if (ignore_merges_) {
      if (const auto whole = vocabulary().find(piece)) return ids.push_back(*whole);
    }
    std::vector<Symbol> symbols = characters(piece);
    merge(symbols);
    for (const Symbol& symbol : symbols) {
      if (!symbol.gone && symbol.id != kUnmergeable) ids.push_back(symbol.id);
    }
  }

 private:
  void read_merges(const Json& node) {
    node.expect_array();
    for (std::size_t i = 0; i < node.size(); ++i) {
      const Json entry = node.element(i);
      const auto [left, right] = read_merge(entry);
      const auto token = [&](const std::string& text) {
        const auto id = vocabulary().find(text);
        if (!id) entry.corrupt("'" + text + "' is not in the vocabulary");
        return *id;
      };
      if (!right.starts_with(prefix_)) entry.corrupt("'" + right + "' lacks '" + prefix_ + "'");
      const TokenId result = token(left + right.substr(prefix_.size()));
      merges_.add(token(left), token(right), {static_cast<std::uint32_t>(i), result});
    }
  }

  std::vector<Symbol> characters(std::string_view piece) const {
    std::vector<Symbol> symbols;
    symbols.reserve(piece.size());
    std::string text;
    bool after_unknown = false;
    for (std::size_t at = 0; at < piece.size();) {
      std::size_t next = at + 1;
      while (next < piece.size() && (piece[next] & 0xc0) == 0x80) ++next;
      const std::string_view character = piece.substr(at, next - at);
      text.assign(at > 0 ? prefix_ : "").append(character);
      if (next == piece.size()) text.append(suffix_);
      const auto id = vocabulary().find(text);
      if (id) {
        add(symbols, *id);
      } else {
        add_unknown(symbols, character, after_unknown);
      }
      after_unknown = !id && bytes_.empty();
      at = next;
    }
    return symbols;
  }

  static void add(std::vector<Symbol>& symbols, TokenId id) {
    if (!symbols.empty()) symbols.back().next = symbols.size();
    symbols.push_back({id, symbols.empty() ? kNone : symbols.size() - 1, kNone});
  }

  void add_unknown(std::vector<Symbol>& symbols, std::string_view character,
                   bool after_unknown) const {
    if (!bytes_.empty()) {
      for (const char byte : character) add(symbols, bytes_[static_cast<unsigned char>(byte)]);
    } else if (!(fuse_unknown_ && after_unknown)) {
      add(symbols, unknown_.value_or(kUnmergeable));
    }
  }

  void merge(std::vector<Symbol>& symbols) const {
    std::priority_queue<Candidate> queue;
    const auto offer = [&](std::size_t at) {
      if (at == kNone || symbols[at].next == kNone) return;
      const TokenId left = symbols[at].id, right = symbols[symbols[at].next].id;
      const Merge* found = merges_.find(left, right);
      if (found != nullptr) queue.push({found->rank, at, left, right, found->result});
    };
    for (std::size_t at = 0; at < symbols.size(); ++at) offer(at);
    while (!queue.empty()) {
      const Candidate top = queue.top();
      queue.pop();
      Symbol& left = symbols[top.at];
      if (left.gone || left.id != top.left || left.next == kNone) continue;
      Symbol& right = symbols[left.next];
      if (right.id != top.right) continue;  // merged with another since
      right.gone = true;
      left.id = top.result;
      left.next = right.next;
      if (left.next != kNone) symbols[left.next].previous = top.at;
      offer(left.previous);
      offer(top.at);
    }
  }

  PairTable merges_;
  std::optional<TokenId> unknown_;
  std::string prefix_, suffix_;
  bool fuse_unknown_, ignore_merges_;
  std::vector<TokenId> bytes_;
};

}  // namespace

std::unique_ptr<Model> read_bpe(const Json& node) {
  return std::make_unique<Bpe>(node, read_vocabulary(node.required("vocab")));
}

}  // namespace kith::tokenizer

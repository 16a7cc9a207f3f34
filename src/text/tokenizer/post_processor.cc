#include "text/tokenizer/post_processor.h"

#include <algorithm>
#include <utility>

namespace kith::tokenizer {
namespace {

using What = Slot::What;

const Slot kFirst{What::first, 0, 0};

Slot token(TokenId id, std::uint32_t type = 0) { return {What::token, id, type}; }

// ["[SEP]", 102]
TokenId token_of(const Json& node) {
  node.expect_array();
  if (node.size() != 2) node.corrupt("expected a token and its id");
  return node.element(1).whole();
}

Template bert(const Json& node) {
  const TokenId cls = token_of(node.required("cls")), sep = token_of(node.required("sep"));
  return {{token(cls), kFirst, token(sep)},
          {token(cls), kFirst, token(sep), {What::second, 0, 1}, token(sep, 1)}};
}

// RoBERTa has one type of tokens and two separators between texts.
Template roberta(const Json& node) {
  const TokenId cls = token_of(node.required("cls")), sep = token_of(node.required("sep"));
  return {{token(cls), kFirst, token(sep)},
          {token(cls), kFirst, token(sep), token(sep), {What::second, 0, 0}, token(sep)}};
}

void add_slots(const Json& piece, const Json& special_tokens, std::vector<Slot>& slots) {
  if (piece.has("Sequence")) {
    const Json sequence = piece.required("Sequence");
    const std::string id = sequence.text("id");
    if (id != "A" && id != "B") sequence.corrupt("'" + id + "', expected A or B");
    slots.push_back({id == "A" ? What::first : What::second, 0, sequence.whole("type_id", 0)});
    return;
  }
  if (!piece.has("SpecialToken")) piece.unsupported("expected Sequence or SpecialToken");
  const Json special = piece.required("SpecialToken");
  const Json ids = special_tokens.required(special.text("id")).required("ids");
  ids.expect_array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    slots.push_back(token(ids.element(i).whole(), special.whole("type_id", 0)));
  }
}

std::vector<Slot> read_slots(const Json& node, const Json& special_tokens, bool pair) {
  node.expect_array();
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < node.size(); ++i) add_slots(node.element(i), special_tokens, slots);
  const auto count = [&](What what) {
    return std::count_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.what == what; });
  };
  if (count(What::first) != 1 || count(What::second) != (pair ? 1 : 0)) {
    node.unsupported(pair ? "expected texts A and B once each" : "expected text A once, and no B");
  }
  return slots;
}

Template templates(const Json& node) {
  const Json special = node.required("special_tokens");
  return {read_slots(node.required("single"), special, false),
          read_slots(node.required("pair"), special, true)};
}

std::vector<Slot> nothing_added(bool pair) {
  if (pair) return {kFirst, {What::second, 0, 1}};
  return {kFirst};
}

// One processor of a sequence may add tokens; that is how files are made (ByteLevel, then a
// template).
Template sequence(const Json& node) {
  node.expect_array();
  Template all{nothing_added(false), nothing_added(true)};
  bool found = false;
  for (std::size_t i = 0; i < node.size(); ++i) {
    Template next = read_template(node.element(i));
    if (added_tokens(next.single) + added_tokens(next.pair) == 0) continue;
    if (std::exchange(found, true)) node.unsupported("more than one processor that adds tokens");
    all = std::move(next);
  }
  return all;
}

}  // namespace

Template read_template(const Json& node) {
  if (node.is_null()) return {nothing_added(false), nothing_added(true)};
  const std::string type = node.type();
  if (type == "BertProcessing") return bert(node);
  if (type == "RobertaProcessing") return roberta(node);
  if (type == "TemplateProcessing") return templates(node);
  if (type == "ByteLevel") return {nothing_added(false), nothing_added(true)};  // offsets only
  if (type == "Sequence") return sequence(node.required("processors"));
  node.unsupported("post_processor '" + type + "' is not known");
}

std::size_t added_tokens(const std::vector<Slot>& slots) {
  return static_cast<std::size_t>(std::count_if(
      slots.begin(), slots.end(), [](const Slot& slot) { return slot.what == What::token; }));
}

}  // namespace kith::tokenizer

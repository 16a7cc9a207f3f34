#include "text/tokenizer/pre_tokeniser.h"

#include <unicode/uscript.h>

#include <optional>
#include <vector>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/gpt2_words.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

// Spans of single characters that are matched or not.
template <class Match>
std::vector<Span> character_spans(std::string_view text, const Match& match) {
  std::vector<Span> spans;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const bool matched = match(next_code_point(text, at));
    if (!matched && !spans.empty() && !spans.back().matched) {
      spans.back().end = at;
    } else {
      spans.push_back({start, at, matched});
    }
  }
  return spans;
}

class Bert final : public PreTokeniser {
 public:
  void cut(std::string_view text, bool, Pieces& out) const override {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      const char32_t code = next_code_point(text, at);
      if (is_space(code)) {
        out.end_piece();
      } else if (is_punctuation(code)) {
        out.end_piece();
        out.add(text.substr(start, at - start));
      } else {
        out.open().append(text, start, at - start);
      }
    }
    out.end_piece();
  }
};

class ByteLevel final : public PreTokeniser {
 public:
  explicit ByteLevel(const Json& node)
      : prefix_space_(node.boolean("add_prefix_space", false)),
        words_(node.boolean("use_regex", true)) {}

  void cut(std::string_view text, bool, Pieces& out) const override {
    std::string with_space;
    if (prefix_space_ && !text.starts_with(' ')) {
      with_space.append(" ").append(text);
      text = with_space;
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = words_ ? gpt2_word_end(text, at) : text.size();
      append_byte_letters(text.substr(at, end - at), out.open());
      out.end_piece();
      at = end;
    }
  }

 private:
  bool prefix_space_, words_;
};

// \w+|[^\w\s]+
class Whitespace final : public PreTokeniser {
 public:
  void cut(std::string_view text, bool, Pieces& out) const override {
    int before = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      const char32_t code = next_code_point(text, at);
      const int kind = is_word(code) ? 1 : is_space(code) ? 0 : 2;
      if (kind != before) out.end_piece();
      if (kind != 0) out.open().append(text, start, at - start);
      before = kind;
    }
    out.end_piece();
  }
};

class WhitespaceSplit final : public PreTokeniser {
 public:
  void cut(std::string_view text, bool, Pieces& out) const override {
    tokenizer::cut(text, character_spans(text, is_space), Behaviour::removed, out);
  }
};

class Punctuation final : public PreTokeniser {
 public:
  explicit Punctuation(const Json& node) : behaviour_(behaviour_of(node, Behaviour::isolated)) {}
  void cut(std::string_view text, bool, Pieces& out) const override {
    tokenizer::cut(text, character_spans(text, is_punctuation), behaviour_, out);
  }

 private:
  Behaviour behaviour_;
};

class Digits final : public PreTokeniser {
 public:
  explicit Digits(const Json& node)
      : behaviour_(node.boolean("individual_digits", false) ? Behaviour::isolated
                                                            : Behaviour::contiguous) {}
  void cut(std::string_view text, bool, Pieces& out) const override {
    tokenizer::cut(text, character_spans(text, is_numeric), behaviour_, out);
  }

 private:
  Behaviour behaviour_;
};

// SentencePiece's: a visible character stands for each space, and one before the text.
class Metaspace final : public PreTokeniser {
 public:
  explicit Metaspace(const Json& node)
      : replacement_(node.text("replacement", "\u2581")),
        written_(node.text("str_rep", replacement_)),
        split_(node.boolean("split", true)) {
    std::size_t at = 0;
    if (!replacement_.empty()) next_code_point(replacement_, at);
    if (at == 0 || at != replacement_.size()) {
      node.required("replacement").corrupt("expected one character");
    }
    // Older files have add_prefix_space instead.
    const bool prefix = node.boolean("add_prefix_space", true);
    prepend_ = static_cast<Prepend>(
        node.word("prepend_scheme", {"always", "first", "never"}, prefix ? 0 : 2));
  }

  void cut(std::string_view text, bool first, Pieces& out) const override {
    std::string marked;
    const bool prepend = prepend_ == Prepend::always || (prepend_ == Prepend::first && first);
    if (prepend && !text.starts_with(replacement_) && !text.starts_with(' ')) marked = written_;
    for (const char c : text) {
      if (c == ' ') {
        marked.append(written_);
      } else {
        marked.push_back(c);
      }
    }
    if (!split_) return out.add(marked);
    for (std::size_t at = 0; at < marked.size();) {
      std::size_t end = marked.find(replacement_, at + 1);
      if (end == std::string::npos) end = marked.size();
      out.add(std::string_view(marked).substr(at, end - at));
      at = end;
    }
  }

 private:
  enum class Prepend : std::uint8_t { always, first, never };
  std::string replacement_, written_;
  bool split_;
  Prepend prepend_ = Prepend::always;
};

class Split final : public PreTokeniser {
 public:
  explicit Split(const Json& node)
      : pattern_(node.required("pattern")),
        behaviour_(behaviour_of(node, Behaviour::isolated)),
        invert_(node.boolean("invert", false)) {}
  void cut(std::string_view text, bool, Pieces& out) const override {
    tokenizer::cut(text, pattern_.spans(text, invert_), behaviour_, out);
  }

 private:
  Pattern pattern_;
  Behaviour behaviour_;
  bool invert_;
};

// Cuts where the script changes; Japanese kana count as Han, and a space goes with what is before
// it.
class UnicodeScripts final : public PreTokeniser {
 public:
  void cut(std::string_view text, bool, Pieces& out) const override {
    std::optional<int> before;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      const std::optional<int> script = own_script(next_code_point(text, at));
      if (script && before && *script != *before) out.end_piece();
      out.open().append(text, start, at - start);
      if (script) before = script;
    }
    out.end_piece();
  }

 private:
  static std::optional<int> own_script(char32_t code) {
    constexpr char32_t kLongSound = 0x30fc;
    if (code == kLongSound) return USCRIPT_HAN;
    if (code == ' ') return std::nullopt;
    const int script = script_of(code);
    if (script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA) return USCRIPT_HAN;
    return script;
  }
};

class Sequence final : public PreTokeniser {
 public:
  explicit Sequence(const Json& node) {
    node.expect_array();
    for (std::size_t i = 0; i < node.size(); ++i) {
      auto part = read_pre_tokeniser(node.element(i));
      if (part) parts_.push_back(std::move(part));
    }
  }

  void cut(std::string_view text, bool first, Pieces& out) const override {
    if (parts_.empty()) return out.add(text);
    if (parts_.size() == 1) return parts_[0]->cut(text, first, out);
    Pieces now, next;
    parts_[0]->cut(text, first, now);
    for (std::size_t part = 1; part < parts_.size(); ++part) {
      Pieces& to = part + 1 == parts_.size() ? out : next;
      for (std::size_t i = 0; i < now.size(); ++i) parts_[part]->cut(now[i], first && i == 0, to);
      if (&to == &next) std::swap(now, next);
      next.clear();
    }
  }

 private:
  std::vector<std::unique_ptr<PreTokeniser>> parts_;
};

}  // namespace

std::unique_ptr<PreTokeniser> read_pre_tokeniser(const Json& node) {
  if (node.is_null()) return nullptr;
  const std::string type = node.type();
  if (type == "BertPreTokenizer") return std::make_unique<Bert>();
  if (type == "ByteLevel") return std::make_unique<ByteLevel>(node);
  if (type == "Whitespace") return std::make_unique<Whitespace>();
  if (type == "WhitespaceSplit") return std::make_unique<WhitespaceSplit>();
  if (type == "Punctuation") return std::make_unique<Punctuation>(node);
  if (type == "Digits") return std::make_unique<Digits>(node);
  if (type == "Metaspace") return std::make_unique<Metaspace>(node);
  if (type == "Split") return std::make_unique<Split>(node);
  if (type == "UnicodeScripts") return std::make_unique<UnicodeScripts>();
  if (type == "Sequence") return std::make_unique<Sequence>(node.required("pretokenizers"));
  node.unsupported("pre_tokenizer '" + type + "' is not known");
}

}  // namespace kith::tokenizer

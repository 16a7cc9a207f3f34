#include "text/tokenizer/normaliser.h"

#include <array>
#include <vector>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

// BERT's: control characters go, white space becomes spaces, ideographs get spaces around, then
// lower case and no accents.
class Bert final : public Normaliser {
 public:
  explicit Bert(const Json& node)
      : clean_(node.boolean("clean_text", true)),
        space_ideographs_(node.boolean("handle_chinese_chars", true)),
        lower_(node.boolean("lowercase", true)),
        strip_accents_(node.boolean("strip_accents", lower_)) {}

  void apply(std::string& text) const override {
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      const char32_t code = next_code_point(text, at);
      if (clean_ && dropped(code)) continue;
      if (clean_ && is_space(code)) {
        out.push_back(' ');
      } else if (code >= 0x80 && space_ideographs_ && is_cjk_ideograph(code)) {
        out.append(1, ' ').append(text, start, at - start).append(1, ' ');
      } else {
        out.append(text, start, at - start);
      }
    }
    text = lower_ ? lower(out) : std::move(out);
    if (strip_accents_ && !is_ascii(text)) text = without_marks(normal_form(text, Form::nfd));
  }

 private:
  static bool dropped(char32_t code) {
    if (code < 0x7f) return code < 0x20 && code != '\t' && code != '\n' && code != '\r';
    return code == text::kInvalid || is_control(code);
  }
  bool clean_, space_ideographs_, lower_, strip_accents_;
};

class Normal final : public Normaliser {
 public:
  explicit Normal(Form form) : form_(form) {}
  void apply(std::string& text) const override {
    if (!is_ascii(text)) text = normal_form(text, form_);
  }

 private:
  Form form_;
};

class Lowercase final : public Normaliser {
 public:
  void apply(std::string& text) const override { text = lower(text); }
};

class StripAccents final : public Normaliser {
 public:
  void apply(std::string& text) const override {
    if (!is_ascii(text)) text = without_marks(text);
  }
};

class Strip final : public Normaliser {
 public:
  explicit Strip(const Json& node)
      : left_(node.boolean("strip_left", true)), right_(node.boolean("strip_right", true)) {}
  void apply(std::string& text) const override {
    std::string_view kept = text;
    if (left_) kept = trim_start(kept);
    if (right_) kept = trim_end(kept);
    if (kept.size() != text.size()) text = std::string(kept);
  }

 private:
  bool left_, right_;
};

class Replace final : public Normaliser {
 public:
  explicit Replace(const Json& node)
      : pattern_(node.required("pattern")), content_(node.text("content")) {}
  void apply(std::string& text) const override { text = pattern_.replace(text, content_); }

 private:
  Pattern pattern_;
  std::string content_;
};

class Prepend final : public Normaliser {
 public:
  explicit Prepend(const Json& node) : prefix_(node.text("prepend")) {}
  void apply(std::string& text) const override {
    if (!text.empty()) text.insert(0, prefix_);
  }

 private:
  std::string prefix_;
};

// SentencePiece's rules for machine translation that are not normal forms.
class Nmt final : public Normaliser {
 public:
  void apply(std::string& text) const override {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      const char32_t code = next_code_point(text, at);
      if (dropped(code)) continue;
      if (spaced(code)) {
        out.push_back(' ');
      } else {
        out.append(text, start, at - start);
      }
    }
    text = std::move(out);
  }

 private:
  static bool dropped(char32_t code) {
    return (code >= 0x1 && code <= 0x8) || code == 0xb || (code >= 0xe && code <= 0x1f) ||
           code == 0x7f || code == 0x8f || code == 0x9f;
  }
  static bool spaced(char32_t code) {
    return code == 0x9 || code == 0xa || code == 0xc || code == 0xd || code == 0x1680 ||
           (code >= 0x200b && code <= 0x200f) || code == 0x2028 || code == 0x2029 ||
           code == 0x2581 || code == 0xfeff || code == 0xfffd;
  }
};

class Precompiled final : public Normaliser {
 public:
  explicit Precompiled(const Json& node) : map_(node.text(), node.place()) {}
  void apply(std::string& text) const override { text = map_.apply(text); }

 private:
  Charsmap map_;
};

class ByteLevel final : public Normaliser {
 public:
  void apply(std::string& text) const override {
    std::string out;
    append_byte_letters(text, out);
    text = std::move(out);
  }
};

class Sequence final : public Normaliser {
 public:
  explicit Sequence(const Json& node) {
    node.expect_array();
    for (std::size_t i = 0; i < node.size(); ++i)
      parts_.push_back(read_normaliser(node.element(i)));
  }
  void apply(std::string& text) const override {
    for (const auto& part : parts_) {
      if (part) part->apply(text);
    }
  }

 private:
  std::vector<std::unique_ptr<Normaliser>> parts_;
};

}  // namespace

std::unique_ptr<Normaliser> read_normaliser(const Json& node) {
  if (node.is_null()) return nullptr;
  const std::string type = node.type();
  if (type == "BertNormalizer") return std::make_unique<Bert>(node);
  if (type == "NFC") return std::make_unique<Normal>(Form::nfc);
  if (type == "NFD") return std::make_unique<Normal>(Form::nfd);
  if (type == "NFKC") return std::make_unique<Normal>(Form::nfkc);
  if (type == "NFKD") return std::make_unique<Normal>(Form::nfkd);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Strip") return std::make_unique<Strip>(node);
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (type == "Replace") return std::make_unique<Replace>(node);
  if (type == "Prepend") return std::make_unique<Prepend>(node);
  if (type == "Nmt") return std::make_unique<Nmt>();
  if (type == "Precompiled") {
    if (!node.has("precompiled_charsmap")) return nullptr;
    return std::make_unique<Precompiled>(node.required("precompiled_charsmap"));
  }
  if (type == "ByteLevel") return std::make_unique<ByteLevel>();
  if (type == "Sequence") return std::make_unique<Sequence>(node.required("normalizers"));
  node.unsupported("normalizer '" + type + "' is not known");
}

}  // namespace kith::tokenizer

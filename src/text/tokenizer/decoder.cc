#include "text/tokenizer/decoder.h"

#include <charconv>
#include <optional>
#include <utility>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string_view::npos;) {
    out.append(text, copied, at - copied).append(to);
    copied = at += from.size();
  }
  return out.append(text, copied, text.size() - copied);
}

void mend(std::string& bytes) {
  std::string mended;
  if (mend_utf8(bytes, mended) != 0) bytes = std::move(mended);
}

class WordPiece final : public Decoder {
 public:
  explicit WordPiece(const Json& node)
      : prefix_(node.text("prefix", "##")), cleanup_(node.boolean("cleanup", true)) {}

  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0) {
        if (!prefix_.empty() && token.starts_with(prefix_)) {
          token.erase(0, prefix_.size());
        } else {
          token.insert(0, 1, ' ');
        }
      }
      if (cleanup_) token = cleaned(token);
    }
  }

 private:
  // English spacing around punctuation and contractions.
  static std::string cleaned(std::string token) {
    constexpr std::pair<std::string_view, std::string_view> kTighter[] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (const auto& [from, to] : kTighter) token = replaced(token, from, to);
    return token;
  }
  std::string prefix_;
  bool cleanup_;
};

class ByteLevel final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      const std::size_t before = bytes.size();
      for (std::size_t at = 0; at < token.size();) {
        const auto byte = byte_of_letter(next_code_point(token, at));
        if (!byte) {  // an added token: text as it is
          bytes.resize(before);
          bytes.append(token);
          break;
        }
        bytes.push_back(static_cast<char>(*byte));
      }
    }
    mend(bytes);
    tokens = {bytes};
  }
};

class Metaspace final : public Decoder {
 public:
  explicit Metaspace(const Json& node) : replacement_(node.text("replacement", "\u2581")) {
    if (replacement_.empty()) node.required("replacement").corrupt("expected one character");
    const bool prefix = node.boolean("add_prefix_space", true);
    drops_first_ = node.word("prepend_scheme", {"always", "first", "never"}, prefix ? 0 : 2) != 2;
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i == 0 && drops_first_ && tokens[i].starts_with(replacement_)) {
        tokens[i].erase(0, replacement_.size());
      }
      tokens[i] = replaced(tokens[i], replacement_, " ");
    }
  }

 private:
  std::string replacement_;
  bool drops_first_;
};

class Bpe final : public Decoder {
 public:
  explicit Bpe(const Json& node) : suffix_(node.text("suffix", "</w>")) {}
  void apply(std::vector<std::string>& tokens) const override {
    if (suffix_.empty()) return;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replaced(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

// "<0xE2>", "<0x96>", "<0x81>" become the character of these bytes.
class ByteFallback final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      mend(bytes);
      out.push_back(std::exchange(bytes, {}));
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes.push_back(*byte);
      } else {
        flush();
        out.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(out);
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
    if (error != std::errc() || end != token.data() + 5) return std::nullopt;
    return static_cast<char>(value);
  }
};

class Fuse final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens = {all};
  }
};

// Cuts up to so many of one character off both ends of each token.
class Strip final : public Decoder {
 public:
  explicit Strip(const Json& node)
      : content_(node.text("content")),
        start_(node.whole("start", 0)),
        stop_(node.whole("stop", 0)) {
    if (content_.empty()) node.required("content").corrupt("expected one character");
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view kept = token;
      for (std::size_t i = 0; i < start_ && kept.starts_with(content_); ++i) {
        kept.remove_prefix(content_.size());
      }
      for (std::size_t i = 0; i < stop_ && kept.ends_with(content_); ++i) {
        kept.remove_suffix(content_.size());
      }
      token = std::string(kept);
    }
  }

 private:
  std::string content_;
  std::size_t start_, stop_;
};

class Replace final : public Decoder {
 public:
  explicit Replace(const Json& node)
      : pattern_(node.required("pattern")), content_(node.text("content")) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) token = pattern_.replace(token, content_);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Sequence final : public Decoder {
 public:
  explicit Sequence(const Json& node) {
    node.expect_array();
    for (std::size_t i = 0; i < node.size(); ++i) {
      auto part = read_decoder(node.element(i));
      if (part) parts_.push_back(std::move(part));
    }
  }
  void apply(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) part->apply(tokens);
  }

 private:
  std::vector<std::unique_ptr<Decoder>> parts_;
};

}  // namespace

std::unique_ptr<Decoder> read_decoder(const Json& node) {
  if (node.is_null()) return nullptr;
  const std::string type = node.type();
  if (type == "WordPiece") return std::make_unique<WordPiece>(node);
  if (type == "ByteLevel") return std::make_unique<ByteLevel>();
  if (type == "Metaspace") return std::make_unique<Metaspace>(node);
  if (type == "BPEDecoder") return std::make_unique<Bpe>(node);
  if (type == "ByteFallback") return std::make_unique<ByteFallback>();
  if (type == "Fuse") return std::make_unique<Fuse>();
  if (type == "Strip") return std::make_unique<Strip>(node);
  if (type == "Replace") return std::make_unique<Replace>(node);
  if (type == "Sequence") return std::make_unique<Sequence>(node.required("decoders"));
  node.unsupported("decoder '" + type + "' is not known");
}

}  // namespace kith::tokenizer

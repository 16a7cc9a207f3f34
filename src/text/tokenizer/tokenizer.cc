#include "kith/tokenizer.h"

#include <algorithm>
#include <mutex>

#include "base/mapped_file.h"
#include "base/parallel.h"
#include "json/json.h"
#include "kith/error.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/decoder.h"
#include "text/tokenizer/model.h"
#include "text/tokenizer/normaliser.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/pre_tokeniser.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/windows.h"
#include "text/tokenizer/word_cache.h"

namespace kith {
namespace {

using namespace tokenizer;  // NOLINT(google-build-using-namespace): all of this file is about it

constexpr std::size_t kBatchGrain = 32;  // texts a thread takes at once

// What one thread needs to encode; kept between calls for its buffers and the words it knows.
struct Scratch {
  WordCache cache;
  Pieces pieces;
  std::string mended, normalised;
  std::vector<AddedTokens::Part> parts, subparts;
};

}  // namespace

class Tokenizer::Implementation {
 public:
  explicit Implementation(const Json& root)
      : model_(read_model(root.required("model"))),
        normaliser_(read_normaliser(root.member("normalizer"))),
        pre_tokeniser_(read_pre_tokeniser(root.member("pre_tokenizer"))),
        added_(root.member("added_tokens"), normaliser_.get()),
        template_(read_template(root.member("post_processor"))),
        decoder_(read_decoder(root.member("decoder"))),
        truncation_(read_truncation(root.member("truncation"))),
        padding_(read_padding(root.member("padding"))) {}

  Encoding encode(std::string_view first, const std::string_view* second,
                  const TokenizeOptions& options) const {
    const auto scratch = borrow();
    Encoding encoding;
    const std::vector<TokenId> a = tokens(first, *scratch, encoding.invalid_bytes);
    std::vector<TokenId> b;
    if (second != nullptr) b = tokens(*second, *scratch, encoding.invalid_bytes);
    give_back(scratch);
    const auto& truncation =
        options.truncation || !options.use_file ? options.truncation : truncation_;
    assemble(a, second != nullptr ? &b : nullptr, truncation, options.special_tokens, encoding);
    return encoding;
  }

  const std::optional<Padding>& padding(const TokenizeOptions& options) const {
    return options.padding || !options.use_file ? options.padding : padding_;
  }

  std::string decode(std::span<const std::uint32_t> ids, bool skip_special) const {
    std::vector<std::string> texts;
    for (const std::uint32_t id : ids) {
      if (skip_special && added_.is_special(id)) continue;
      const auto text = token(id);
      if (!text) {
        throw Error(ErrorCode::invalid_argument,
                    "token id " + std::to_string(id) + " is not in the vocabulary");
      }
      texts.emplace_back(*text);
    }
    if (decoder_) decoder_->apply(texts);
    std::string all;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!decoder_ && i > 0) all.push_back(' ');
      all += texts[i];
    }
    return all;
  }

  std::optional<TokenId> id(std::string_view token) const {
    const auto added = added_.vocabulary().find(token);
    return added ? added : model_->vocabulary().find(token);
  }
  std::optional<std::string_view> token(TokenId id) const {
    const auto added = added_.vocabulary().token(id);
    return added ? added : model_->vocabulary().token(id);
  }
  std::size_t vocabulary_size() const {
    std::size_t size = model_->vocabulary().size();
    added_.vocabulary().for_each_id([&](TokenId id) {
      if (!model_->vocabulary().token(id)) ++size;
    });
    return size;
  }
  const std::optional<Truncation>& truncation() const { return truncation_; }
  const std::optional<Padding>& padding() const { return padding_; }

 private:
  std::shared_ptr<Scratch> borrow() const {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_shared<Scratch>();
    std::shared_ptr<Scratch> scratch = std::move(idle_.back());
    idle_.pop_back();
    return scratch;
  }
  void give_back(std::shared_ptr<Scratch> scratch) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

  std::vector<TokenId> tokens(std::string_view text, Scratch& scratch, std::size_t& invalid) const {
    const std::size_t bad = mend_utf8(text, scratch.mended);
    if (bad != 0) text = scratch.mended;
    invalid += bad;
    std::vector<TokenId> ids;
    ids.reserve(text.size() / 4 + 8);
    scratch.parts.clear();
    added_.split(text, false, scratch.parts);
    for (std::size_t i = 0; i < scratch.parts.size(); ++i) {
      if (scratch.parts[i].id != AddedTokens::kText) {
        ids.push_back(scratch.parts[i].id);
      } else {
        add_part(scratch.parts[i].text, i == 0, scratch, ids);
      }
    }
    return ids;
  }

  // A part of the text as it came, without tokens that are found there.
  void add_part(std::string_view text, bool first, Scratch& scratch,
                std::vector<TokenId>& ids) const {
    scratch.normalised = text;
    if (normaliser_) normaliser_->apply(scratch.normalised);
    scratch.subparts.clear();
    added_.split(scratch.normalised, true, scratch.subparts);
    for (std::size_t i = 0; i < scratch.subparts.size(); ++i) {
      if (scratch.subparts[i].id != AddedTokens::kText) {
        ids.push_back(scratch.subparts[i].id);
        continue;
      }
      scratch.pieces.clear();
      if (pre_tokeniser_) {
        pre_tokeniser_->cut(scratch.subparts[i].text, first && i == 0, scratch.pieces);
      } else {
        scratch.pieces.add(scratch.subparts[i].text);
      }
      for (std::size_t p = 0; p < scratch.pieces.size(); ++p) {
        add_piece(scratch.pieces[p], scratch.cache, ids);
      }
    }
  }

  void add_piece(std::string_view piece, WordCache& cache, std::vector<TokenId>& ids) const {
    if (piece.size() > WordCache::kMostWordBytes) return model_->encode(piece, ids);
    if (cache.find(piece, ids)) return;
    const std::size_t before = ids.size();
    model_->encode(piece, ids);
    cache.keep(piece, std::span(ids).subspan(before));
  }

  // Puts tokens into the template, in windows where they don't fit.
  void assemble(std::span<const TokenId> a, const std::vector<TokenId>* b,
                const std::optional<Truncation>& truncation, bool special,
                Encoding& encoding) const {
    const std::vector<Slot>& slots = b != nullptr ? template_.pair : template_.single;
    Lengths lengths{a.size(), b != nullptr ? b->size() : 0};
    const Truncation how = truncation.value_or(Truncation{});
    if (truncation) {
      const std::size_t added = special ? added_tokens(slots) : 0;
      if (how.max_length < added) {
        throw Error(ErrorCode::invalid_argument,
                    "truncation: a length of " + std::to_string(how.max_length) +
                        ", expected at least the " + std::to_string(added) + " special tokens");
      }
      lengths =
          truncated_lengths(lengths, how.max_length - added,
                            b != nullptr ? how.strategy : Truncation::Strategy::longest_first);
    }
    const std::vector<TokenId> none;
    const auto firsts = windows(a, lengths.first, how.stride, how.side);
    const auto seconds = windows(b != nullptr ? *b : none, lengths.second, how.stride, how.side);
    for (std::size_t i = 0; i < firsts.size(); ++i) {
      for (std::size_t j = 0; j < seconds.size(); ++j) {
        const bool main = i == 0 && j == 0;
        fill(slots, firsts[i], seconds[j], special,
             main ? encoding : encoding.overflow.emplace_back());
      }
    }
  }

  static void fill(const std::vector<Slot>& slots, std::span<const TokenId> a,
                   std::span<const TokenId> b, bool special, Encoding& encoding) {
    for (const Slot& slot : slots) {
      const bool token = slot.what == Slot::What::token;
      if (token && !special) continue;
      const std::span<const TokenId> one(&slot.id, 1);
      const auto ids = token ? one : slot.what == Slot::What::first ? a : b;
      encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
      encoding.types.resize(encoding.ids.size(), slot.type);
      encoding.special.resize(encoding.ids.size(), token ? 1 : 0);
    }
    encoding.attention.assign(encoding.ids.size(), 1);
  }

  std::unique_ptr<Model> model_;
  std::unique_ptr<Normaliser> normaliser_;
  std::unique_ptr<PreTokeniser> pre_tokeniser_;
  AddedTokens added_;
  Template template_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<Truncation> truncation_;
  std::optional<Padding> padding_;

  mutable std::mutex mutex_;  // guards idle_
  mutable std::vector<std::shared_ptr<Scratch>> idle_;
};

Tokenizer Tokenizer::open(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Tokenizer Tokenizer::parse(std::string_view json, const std::string& name) {
  return Tokenizer(std::make_unique<Implementation>(Json::parse(json, name)));
}

Tokenizer::Tokenizer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Encoding Tokenizer::encode(std::string_view text, const TokenizeOptions& options) const {
  Encoding encoding = implementation_->encode(text, nullptr, options);
  if (const auto& padding = implementation_->padding(options)) pad({&encoding, 1}, *padding);
  return encoding;
}

Encoding Tokenizer::encode(std::string_view first, std::string_view second,
                           const TokenizeOptions& options) const {
  Encoding encoding = implementation_->encode(first, &second, options);
  if (const auto& padding = implementation_->padding(options)) pad({&encoding, 1}, *padding);
  return encoding;
}

std::vector<Encoding> Tokenizer::encode(std::span<const std::string_view> texts,
                                        const TokenizeOptions& options) const {
  std::vector<Encoding> encodings(texts.size());
  parallel_for(options.control, texts.size(), kBatchGrain,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t i = begin; i < end; ++i) {
                   encodings[i] = implementation_->encode(texts[i], nullptr, options);
                 }
               });
  if (const auto& padding = implementation_->padding(options)) pad(encodings, *padding);
  return encodings;
}

std::string Tokenizer::decode(std::span<const std::uint32_t> ids, bool skip_special_tokens) const {
  return implementation_->decode(ids, skip_special_tokens);
}

std::optional<std::uint32_t> Tokenizer::id(std::string_view token) const {
  return implementation_->id(token);
}

std::optional<std::string> Tokenizer::token(std::uint32_t id) const {
  const auto found = implementation_->token(id);
  if (!found) return std::nullopt;
  return std::string(*found);
}

std::size_t Tokenizer::vocabulary_size() const { return implementation_->vocabulary_size(); }
const std::optional<Truncation>& Tokenizer::truncation() const {
  return implementation_->truncation();
}
const std::optional<Padding>& Tokenizer::padding() const { return implementation_->padding(); }

}  // namespace kith

// Texts to the token ids that an encoder takes, as a Hugging Face `tokenizer.json` tells: its
// normalizer, pre_tokenizer, model (WordPiece, BPE, Unigram or WordLevel), post_processor, added
// tokens, truncation, padding and decoder. A file with a part or an option that isn't known is
// refused with an error that names it. Part of libkith-encode.
//
//   const kith::Tokenizer tokenizer = kith::Tokenizer::open("model/tokenizer.json");
//   const kith::Encoding encoding = tokenizer.encode("nearest neighbours");
//
// Where implementations differ, ids are those of npm's @huggingface/tokenizers for what real
// encoders' files hold (tests/tokenizers/compare.sh compares), else those of Hugging Face's own:
// Whitespace, Digits and Punctuation know all of Unicode and behaviours, single_word counts, and a
// precompiled character map is followed rather than taken for NFKC. Offsets aren't kept.
//
// Thread-safety: any number of threads may call const functions at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"

namespace kith {

enum class Side : std::uint8_t { right, left };

// Keeps an encoding, special tokens included, within a length.
struct Truncation {
  // Of a pair, which text gives way: the longer one first, always the first or always the second.
  enum class Strategy : std::uint8_t { longest_first, only_first, only_second };
  std::size_t max_length = 512;
  Strategy strategy = Strategy::longest_first;
  std::size_t stride = 0;   // tokens that neighbouring windows of a cut text share
  Side side = Side::right;  // where tokens are cut off
};

// Fills encodings up to one length: a fixed one, else that of the longest in the batch.
struct Padding {
  std::optional<std::size_t> length;
  std::size_t multiple_of = 1;  // the length is rounded up to a multiple of this
  Side side = Side::right;      // where padding is put
  std::uint32_t id = 0, type = 0;
};

struct TokenizeOptions {
  bool special_tokens = true;  // what the post-processor adds, [CLS] and the like
  // In place of what the file says; with `use_file` off, nothing of the file's is used.
  std::optional<Truncation> truncation = {};
  std::optional<Padding> padding = {};
  bool use_file = true;
  Control control = {};  // of batches
};

// One text, or a pair, as an encoder takes it: one element a token everywhere.
struct Encoding {
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> types;     // 0, or 1 in the second text of a pair
  std::vector<std::uint8_t> attention;  // 1, or 0 for padding
  std::vector<std::uint8_t> special;    // 1 for what the post-processor or padding added
  std::vector<Encoding> overflow;       // the further windows of a text that was truncated
  std::size_t invalid_bytes = 0;        // of the texts: no UTF-8, read as U+FFFD
};

class Tokenizer {
 public:
  // Throws not_found or io, corrupt for malformed files, unsupported naming an unknown part.
  static Tokenizer open(const std::string& path);
  // From the file's content; `name` is what errors call it.
  static Tokenizer parse(std::string_view json, const std::string& name);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Throws invalid_argument for a truncation that can't be: a length below what special tokens
  // need, a stride not below the length that remains, a chosen text that is too short. Texts of
  // megabytes a second and thread; words met before cost a look-up.
  Encoding encode(std::string_view text, const TokenizeOptions& options = {}) const;
  Encoding encode(std::string_view first, std::string_view second,
                  const TokenizeOptions& options = {}) const;
  // Many texts over the threads of options.control, in order; padded to one length.
  std::vector<Encoding> encode(std::span<const std::string_view> texts,
                               const TokenizeOptions& options = {}) const;

  // Unknown ids throw invalid_argument.
  std::string decode(std::span<const std::uint32_t> ids, bool skip_special_tokens = true) const;

  std::optional<std::uint32_t> id(std::string_view token) const;
  std::optional<std::string> token(std::uint32_t id) const;
  std::size_t vocabulary_size() const;  // tokens with different ids, added ones included
  // What the file says.
  const std::optional<Truncation>& truncation() const;
  const std::optional<Padding>& padding() const;

 private:
  class Implementation;
  explicit Tokenizer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kith

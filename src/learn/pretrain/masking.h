// Which tokens of texts are hidden, and by what: BERT's corruption (Devlin et al., 2019), whole
// words at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kith/tokenizer.h"
#include "learn/nn/tokens.h"

namespace kith::learn {

struct MaskOptions {
  bool whole_words = true;  // all tokens of a word or none
  // What a chosen token becomes: the mask, a token at random, or with the rest of the probability
  // what it was.
  double mask = 0.8, random = 0.1;
};

struct Corruption {
  at::Tensor ids;              // int64 [N], in place of the tokens'
  at::Tensor places, targets;  // int64 [n]: chosen tokens, and what they were
};

class Masking {
 public:
  // `special`: ids that are never chosen. Throws invalid_argument when the tokenizer has no [MASK]
  // or <mask>.
  Masking(const Tokenizer& tokenizer, std::span<const std::uint32_t> special,
          const MaskOptions& options);

  // One corruption for each rate, ascending. Words come from one shuffled list a text, so that what
  // a lower rate hides a higher one hides too; at least one word of every text that has any, until
  // max(1, round(rate * tokens)) tokens are chosen. Text i is drawn by `seed` and `first` + i.
  std::vector<Corruption> corrupt(const Tokens& tokens, const std::vector<double>& rates,
                                  std::uint64_t seed, std::int64_t first) const;

 private:
  MaskOptions options_;
  std::int64_t mask_ = 0;
  std::vector<bool> special_, begins_word_;  // by id
  std::vector<std::int64_t> ordinary_;       // ids that random ones are drawn from
};

}  // namespace kith::learn

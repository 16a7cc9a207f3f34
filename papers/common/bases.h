// Small language models that several reproductions start from, pretrained once on Debian's
// descriptions and WordNet's glosses that `kith data train` gives, by one seed: differences between
// trials come from what is trained after, not from the base.
#pragma once

#include <cstddef>
#include <string>

#include "papers/common/paper.h"

namespace kith::papers {

// The sets that bases are made of: of a paper's `data`.
inline constexpr const char* kBaseData[] = {"train/texts", "train/wordnet"};

struct BaseSizes {
  std::size_t layers = 6, width = 128, heads = 4;
};
// Of quick trials a smaller one.
BaseSizes base_sizes(const Trial& trial);

// A file of the texts that bases are trained on.
std::string base_texts(const Trial& trial);

// Tokenizers of 8,192 entries: BERT's WordPiece, and bytes' pairs with <s> and </s> about a text.
std::string wordpiece_tokenizer(const Trial& trial);
std::string byte_tokenizer(const Trial& trial);

// Folders. BERT's kind, by masked language modelling; a llama (RMSNorm, rotary positions, gated
// feed-forward, 4 heads and 2 of keys and values), by predicting the next token.
std::string tiny_bert(const Trial& trial);
std::string tiny_lm(const Trial& trial);

}  // namespace kith::papers

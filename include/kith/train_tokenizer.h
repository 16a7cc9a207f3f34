// Tokenizers learned from texts, written in Hugging Face's form, which Tokenizer and others read:
//
//   kith::TokenizerTrainer trainer({.type = kith::TokenizerType::wordpiece, .vocabulary = 8000});
//   for (const auto& batch : batches) trainer.add(batch);
//   const kith::TrainedTokenizer trained = trainer.train();
//   const auto tokenizer = kith::Tokenizer::parse(trained.json, "tokenizer.json");
//
// WordPiece here is BERT's (its normaliser, "##" before what goes on a word, [CLS] text [SEP]), BPE
// GPT-2's (over bytes, so that no text is unknown). Both learn by byte-pair encoding: R. Sennrich,
// B. Haddow and A. Birch, "Neural machine translation of rare words with subword units", ACL 2016.
// Every word begins as its letters; the pair of neighbouring tokens that the texts hold most often
// becomes one token, over and over; of pairs that occur as often the one with the lower ids goes
// first. Unigram is SentencePiece's (NFKC, "\u2581" for spaces, <s> text </s>): T. Kudo, "Subword
// regularization", ACL 2018; it starts from the texts' frequent substrings and leaves out what
// costs the least likelihood. The result depends on the texts alone: neither on their order nor on
// threads. Part of libkith-encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"

namespace kith {

enum class TokenizerType : std::uint8_t { wordpiece, bpe, unigram };

// Defaults are those of Hugging Face's BertWordPieceTokenizer, which other types share.
struct TokenizerTraining {
  TokenizerType type = TokenizerType::wordpiece;
  std::size_t vocabulary = 30000;  // tokens to learn at most, special ones and letters included
  std::size_t min_frequency = 2;   // of a pair or substring that becomes a token
  // WordPiece and Unigram: the most frequent letters that are kept, 0: all. Another one is unknown,
  // in WordPiece with its word.
  std::size_t most_letters = 1000;
  bool lower_case = true;  // WordPiece: lower case, no accents
  bool ends = false;       // BPE: <s> text </s>, for decoders whose vectors are of the last token
  // After the type's own, which come first: [PAD] [UNK] [CLS] [SEP] [MASK], <|endoftext|> (with
  // `ends` <s> </s>), or <s> <pad> </s> <unk> <mask>.
  std::vector<std::string> special_tokens = {};
  Control control = {};
};

struct TrainedTokenizer {
  std::string json;            // a tokenizer.json
  std::size_t vocabulary = 0;  // tokens, which are fewer than asked where pairs get too rare
  std::size_t letters = 0;     // tokens that are a single letter or byte
  std::size_t texts = 0;
  std::size_t mended = 0;  // texts with bytes that are no UTF-8, read as U+FFFD
  std::uint64_t words = 0, distinct_words = 0;
  // Of all texts encoded by the new tokenizer, without special tokens.
  std::uint64_t tokens = 0, unknown_tokens = 0;
};

// Not thread-safe: one thread calls it, which uses those of its Control.
class TokenizerTrainer {
 public:
  // Throws invalid_argument for a special token that is empty or given twice.
  explicit TokenizerTrainer(TokenizerTraining training);
  ~TokenizerTrainer();
  TokenizerTrainer(const TokenizerTrainer&) = delete;
  TokenizerTrainer& operator=(const TokenizerTrainer&) = delete;

  // Counts the words of texts. Memory is that of the distinct words, for each thread.
  void add(std::span<const std::string_view> texts);

  // Throws invalid_argument when no text has a word, or when special tokens and letters alone are
  // more than the vocabulary; Error{cancelled}. Seconds for tens of megabytes of text; Unigram
  // takes longer, on all threads.
  TrainedTokenizer train() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kith

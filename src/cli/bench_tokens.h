// What `kith bench encode` gives a model to encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kith/control.h"
#include "kith/encoder.h"

namespace kith::cli {

struct BenchTokens {
  std::string source;  // "texts.txt", "descriptions of Debian packages" or "random tokens"
  std::vector<std::vector<std::uint32_t>> ids, types;
  std::vector<TokenSequence> sequences;  // of these, the longest first
  std::size_t tokens = 0;
};

struct BenchTokensOptions {
  std::string model;     // its folder
  std::string texts;     // a file; empty: Debian's descriptions where the cache has them
  std::string cache;     // see cache_folder.h
  std::size_t most = 0;  // texts, drawn by the seed
  std::uint64_t seed = 1;
  Control control;
};

// Texts as the model's tokenizer gives them, cut to its length; random ids of 4 to 64 tokens where
// there are neither texts nor descriptions, or no tokenizer. Throws what reading the files does.
BenchTokens bench_tokens(const EncoderInfo& info, const BenchTokensOptions& options);

}  // namespace kith::cli

// Retrieval among long texts that differ in one passage each: the passkey and needle tests of D.
// Zhu et al., "LongEmbed: extending embedding models for long context retrieval", 2024. What models
// cut off they can't find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/packages.h"
#include "kith/suite.h"

namespace kith::datasets {

// Tokens of the published texts, which have three words for every four of them.
inline constexpr std::size_t kLongTextTokens[] = {256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
inline constexpr std::size_t kLongTextQueries = 50, kLongTexts = 100;
std::size_t words_of(std::size_t tokens);

// A passage that is put into a text, and what asks for it.
struct Needle {
  std::string query, passage;
};

// "What is the passkey for Ada Abbot?" and the sentences that tell; no two of one name. Of the
// same seed other names are drawn for training than for tests.
std::vector<Needle> passkeys(std::size_t count, bool training, std::uint64_t seed);

// `words` words of five sentences again and again, and of running text from a random place on.
std::string garbage(std::size_t words);
std::string excerpt(std::span<const std::string_view> running, std::size_t words,
                    std::uint64_t seed);

// `filler` with the passage at a random end of a sentence, and so many words in all, or as many as
// the passage has.
std::string with_passage(const std::string& filler, const std::string& passage, std::size_t words,
                         std::uint64_t seed);

// A task for each length, called TOKENS: a text for every needle, of which the first half asks.
std::vector<Task> passkey_tasks(std::span<const std::size_t> tokens, std::uint64_t seed);
std::vector<Task> needle_tasks(std::span<const std::size_t> tokens, std::string_view running,
                               const std::vector<Needle>& needles, std::uint64_t seed);

// Words apart by white space; of the text's memory.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace kith::datasets

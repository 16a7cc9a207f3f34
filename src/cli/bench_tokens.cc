#include "cli/bench_tokens.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

#include "base/progress.h"
#include "base/random.h"
#include "datasets/debian.h"
#include "encode/modules.h"
#include "formats/text_stream.h"
#include "kith/error.h"
#include "kith/tokenizer.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShortest = 4, kLongest = 64;  // of random sequences
constexpr std::uint32_t kFirstId = 2;                // those before often stand for padding

std::vector<std::string> texts_of_file(const std::string& path) {
  formats::TextStream stream(path, {});
  std::vector<std::string> texts;
  for (formats::TextRecord record; stream.next(record);) texts.push_back(std::move(record.text));
  return texts;
}

std::vector<std::string> descriptions(const std::string& lists) {
  std::vector<std::string> texts;
  for (datasets::Description& each :
       datasets::read_descriptions(datasets::translation_files(lists).front())) {
    std::string& text = texts.emplace_back(std::move(each.summary));
    for (const std::string& paragraph : each.paragraphs) text.append(" ").append(paragraph);
  }
  return texts;
}

std::vector<std::string> drawn(std::vector<std::string> texts, std::size_t most,
                               std::uint64_t seed) {
  std::vector<std::string> kept;
  for (const std::uint32_t i : random_sample(texts.size(), most, seed)) {
    kept.push_back(std::move(texts[i]));
  }
  return kept;
}

void tokenize(const std::string& tokenizer, const std::vector<std::string>& texts,
              const EncoderInfo& info, const Control& control, BenchTokens& to) {
  TokenizeOptions options;
  options.truncation.emplace().max_length = info.max_tokens;
  options.use_file = false;
  options.control = without_progress(control);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (Encoding& encoding : Tokenizer::open(tokenizer).encode(views, options)) {
    if (encoding.ids.empty()) continue;
    to.ids.push_back(std::move(encoding.ids));
    to.types.push_back(std::move(encoding.types));
  }
}

void make_random(const EncoderInfo& info, std::size_t count, std::uint64_t seed, BenchTokens& to) {
  const std::size_t longest = std::min(kLongest, info.max_tokens);
  const std::size_t shortest = std::min(kShortest, longest);
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint32_t>& ids = to.ids.emplace_back(
        shortest + static_cast<std::size_t>(random.below(longest - shortest + 1)));
    for (std::uint32_t& id : ids) {
      id = kFirstId + static_cast<std::uint32_t>(random.below(info.vocabulary - kFirstId));
    }
    to.types.emplace_back();
  }
}

}  // namespace

BenchTokens bench_tokens(const EncoderInfo& info, const BenchTokensOptions& options) {
  const std::string tokenizer = encode::find_modules(options.model).transformer + "/tokenizer.json";
  const std::string lists = options.cache + "/apt/lists";
  BenchTokens tokens;
  const auto take = [&](const std::string& source, std::vector<std::string> texts) {
    tokens.source = source;
    tokenize(tokenizer, drawn(std::move(texts), options.most, options.seed), info, options.control,
             tokens);
  };
  if (!options.texts.empty()) {
    take(options.texts, texts_of_file(options.texts));
  } else if (fs::exists(tokenizer) && fs::exists(lists)) {
    take("descriptions of Debian packages", descriptions(lists));
  } else {
    tokens.source = "random tokens";
    make_random(info, options.most, options.seed, tokens);
  }
  if (tokens.ids.empty()) {
    throw Error(ErrorCode::corrupt, tokens.source + ": no text with a token");
  }
  for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
    tokens.sequences.push_back({.ids = tokens.ids[i], .types = tokens.types[i]});
    tokens.tokens += tokens.ids[i].size();
  }
  std::ranges::stable_sort(tokens.sequences, std::greater{},
                           [](const TokenSequence& each) { return each.ids.size(); });
  return tokens;
}

}  // namespace kith::cli

#include "learn/pretrain/masking.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/random.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// Of each id, whether it begins a word: by WordPiece's "##" before those that don't, or by the
// space before those that do, as byte-level and SentencePiece's tokenizers write it.
std::vector<bool> word_begins(const Tokenizer& tokenizer) {
  constexpr const char* kSpaces[] = {"Ġ", "▁"};
  const std::size_t size = tokenizer.vocabulary_size();
  std::vector<bool> continues(size), begins(size);
  bool pieces = false, spaces = false;
  for (std::uint32_t id = 0; id < size; ++id) {
    const std::string token = tokenizer.token(id).value_or("");
    continues[id] = token.size() > 2 && token.starts_with("##");
    begins[id] = std::ranges::any_of(kSpaces, [&](const char* s) { return token.starts_with(s); });
    pieces = pieces || continues[id];
    spaces = spaces || begins[id];
  }
  if (!pieces && spaces) return begins;
  for (std::size_t id = 0; id < size; ++id) begins[id] = !continues[id];
  return begins;
}

struct Word {
  std::int64_t begin, end;  // tokens
};

}  // namespace

Masking::Masking(const Tokenizer& tokenizer, std::span<const std::uint32_t> special,
                 const MaskOptions& options)
    : options_(options), special_(tokenizer.vocabulary_size()) {
  auto mask = tokenizer.id("[MASK]");
  if (!mask) mask = tokenizer.id("<mask>");
  if (!mask) refuse("masked language modelling: the tokenizer has no [MASK] or <mask>");
  mask_ = *mask;
  for (const std::uint32_t id : special) special_.at(id) = true;
  special_.at(*mask) = true;
  begins_word_ = word_begins(tokenizer);
  for (std::size_t id = 0; id < special_.size(); ++id) {
    if (!special_[id]) ordinary_.push_back(static_cast<std::int64_t>(id));
  }
  if (ordinary_.empty()) refuse("masked language modelling: all tokens are special");
}

std::vector<Corruption> Masking::corrupt(const Tokens& tokens, const std::vector<double>& rates,
                                         std::uint64_t seed, std::int64_t first) const {
  const at::Tensor own = tokens.ids.cpu();
  const auto* ids = own.data_ptr<std::int64_t>();
  std::vector<std::vector<std::int64_t>> corrupted(
      rates.size(), std::vector<std::int64_t>(ids, ids + own.numel()));
  std::vector<std::vector<std::int64_t>> places(rates.size());
  for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
    Random random(seed, static_cast<std::uint64_t>(first + s));
    std::vector<Word> words;
    std::int64_t ordinary = 0;
    for (std::int64_t i = tokens.begin[s]; i < tokens.begin[s + 1]; ++i) {
      const auto id = static_cast<std::size_t>(ids[i]);
      if (special_.at(id)) continue;
      ++ordinary;
      const bool joins =
          options_.whole_words && !begins_word_[id] && !words.empty() && words.back().end == i;
      if (joins) {
        ++words.back().end;
      } else {
        words.push_back({i, i + 1});
      }
    }
    for (std::size_t i = words.size(); i > 1; --i) std::swap(words[i - 1], words[random.below(i)]);
    for (std::size_t r = 0; r < rates.size(); ++r) {
      const std::int64_t wanted =
          std::max<std::int64_t>(1, std::llround(rates[r] * static_cast<double>(ordinary)));
      std::int64_t chosen = 0;
      for (const Word& word : words) {
        if (chosen >= wanted) break;
        for (std::int64_t i = word.begin; i < word.end; ++i, ++chosen) {
          places[r].push_back(i);
          const double draw = random.uniform();
          if (draw < options_.mask) {
            corrupted[r][static_cast<std::size_t>(i)] = mask_;
          } else if (draw < options_.mask + options_.random) {
            corrupted[r][static_cast<std::size_t>(i)] = ordinary_[random.below(ordinary_.size())];
          }
        }
      }
    }
  }
  std::vector<Corruption> result;
  for (std::size_t r = 0; r < rates.size(); ++r) {
    Corruption each;
    const at::Device device = tokens.ids.device();
    each.ids = torch::tensor(corrupted[r], torch::kInt64).to(device);
    each.places = torch::tensor(places[r], torch::kInt64).to(device);
    each.targets = tokens.ids.index_select(0, each.places);
    result.push_back(std::move(each));
  }
  return result;
}

}  // namespace kith::learn

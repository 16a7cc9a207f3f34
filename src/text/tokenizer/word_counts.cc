#include "text/tokenizer/word_counts.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/progress.h"
#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

constexpr std::size_t kGrain = 32;  // texts a thread takes at once

}  // namespace

WordCounts::WordCounts(const Normaliser* normaliser, const PreTokeniser* pre_tokeniser,
                       const Control& control)
    : normaliser_(normaliser),
      pre_tokeniser_(pre_tokeniser),
      control_(without_progress(control)),
      workers_(thread_count(control)) {}

void WordCounts::add(std::span<const std::string_view> texts) {
  parallel_for(control_, texts.size(), kGrain,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 for (std::size_t i = begin; i < end; ++i) count_text(texts[i], workers_[worker]);
               });
  texts_ += texts.size();
}

void WordCounts::count_text(std::string_view text, Worker& worker) const {
  if (mend_utf8(text, worker.whole) != 0) {
    text = worker.whole;
    ++worker.mended;
  }
  worker.text = text;
  if (normaliser_ != nullptr) normaliser_->apply(worker.text);
  worker.pieces.clear();
  if (pre_tokeniser_ != nullptr) {
    pre_tokeniser_->cut(worker.text, true, worker.pieces);
  } else {
    worker.pieces.add(worker.text);
  }
  for (std::size_t p = 0; p < worker.pieces.size(); ++p) count_word(worker.pieces[p], worker);
}

void WordCounts::count_word(std::string_view word, Worker& worker) {
  while (word.size() > kMostLetters) {
    std::size_t end = 0;
    for (std::size_t letters = 0; letters < kMostLetters && end < word.size(); ++letters) {
      next_code_point(word, end);
    }
    if (end == word.size()) break;
    ++worker.counts[std::string(word.substr(0, end))];
    word.remove_prefix(end);
  }
  const auto known = worker.counts.find(word);
  if (known != worker.counts.end()) {
    ++known->second;
  } else {
    worker.counts.emplace(word, 1);
  }
}

std::vector<CountedWord> WordCounts::sorted() const {
  std::vector<CountedWord> all;
  for (const Worker& worker : workers_) {
    for (const auto& [word, count] : worker.counts) all.push_back({word, count});
  }
  std::sort(all.begin(), all.end(),
            [](const CountedWord& a, const CountedWord& b) { return a.text < b.text; });
  std::vector<CountedWord> merged;  // what several threads met is one word
  for (CountedWord& word : all) {
    if (!merged.empty() && merged.back().text == word.text) {
      merged.back().count += word.count;
    } else {
      merged.push_back(std::move(word));
    }
  }
  return merged;
}

std::size_t WordCounts::mended() const {
  std::size_t sum = 0;
  for (const Worker& worker : workers_) sum += worker.mended;
  return sum;
}

}  // namespace kith::tokenizer

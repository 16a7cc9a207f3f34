#include "learn/pretrain/corpus.h"

#include <algorithm>

#include "formats/text_stream.h"
#include "learn/refuse.h"

namespace kith::learn {

Corpus::Corpus(const TextSourceOptions& options, const Tokenizer& tokenizer, std::size_t most,
               const Control& control) {
  constexpr std::size_t kBatch = 4096;
  TokenizeOptions tokenize;
  tokenize.truncation = tokenizer.truncation().value_or(Truncation{});
  tokenize.truncation->max_length = most;
  tokenize.truncation->stride = 0;
  tokenize.use_file = false;
  tokenize.control = control;
  std::vector<std::string> texts;
  const auto flush = [&] {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    for (const Encoding& each : tokenizer.encode(views, tokenize)) {
      add(each);
      for (const Encoding& further : each.overflow) add(further);
    }
    texts.clear();
  };
  std::int64_t read = 0;
  for (const std::string& file : options.files) {
    formats::TextStream stream(file, {.format = {}, .fields = options.fields, .id = {}});
    formats::TextRecord record;
    while ((options.limit == 0 || read < options.limit) && stream.next(record)) {
      ++read;
      texts.push_back(std::move(record.text));
      if (texts.size() == kBatch) flush();
    }
  }
  flush();
  if (pieces() == 0) {
    refuse((options.name.empty() ? "a text source" : options.name) +
           ": no text of 2 tokens or more");
  }
}

void Corpus::add(const Encoding& encoding) {
  const auto ordinary = std::ranges::count(encoding.special, 0);
  if (ordinary < 2) return;
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const std::uint32_t id = encoding.ids[i];
    ids_.push_back(id);
    if (encoding.special[i] == 0) continue;
    const auto at = std::ranges::lower_bound(special_, id);
    if (at == special_.end() || *at != id) special_.insert(at, id);
  }
  begin_.push_back(ids_.size());
}

TokenSequence Corpus::piece(std::size_t number) const {
  const auto first = ids_.begin() + static_cast<std::ptrdiff_t>(begin_.at(number));
  const auto last = ids_.begin() + static_cast<std::ptrdiff_t>(begin_.at(number + 1));
  return {.ids = {first, last}, .types = {}, .prompt = 0};
}

}  // namespace kith::learn

#include "mine/pair_texts.h"

#include <algorithm>

#include "formats/text_stream.h"

namespace kith::mine {

std::uint32_t PairTexts::place(TextPart& part, Places& places, std::string_view text) {
  const auto next = static_cast<std::uint32_t>(part.texts.size());
  const auto [at, fresh] = places.emplace(text, next);
  if (fresh) part.texts.emplace_back(text);
  return at->second;
}

void PairTexts::add_pair(std::string_view query, std::string_view positive) {
  const Pair pair{place(queries_, query_places_, query),
                  place(documents_, document_places_, positive)};
  pairs_.push_back(pair);
  positives_.resize(queries_.texts.size());
  auto& own = positives_[pair.query];
  if (std::ranges::find(own, pair.positive) == own.end()) own.push_back(pair.positive);
}

void PairTexts::add_documents(const std::string& path) {
  formats::TextStream stream(path, {});
  for (formats::TextRecord record; stream.next(record);) add_document(record.text);
}

bool PairTexts::answers(std::uint32_t query, std::uint32_t document) const {
  const auto& own = positives_[query];
  return std::ranges::find(own, document) != own.end() ||
         documents_.texts[document] == queries_.texts[query];
}

std::size_t PairTexts::most_answers() const {
  std::size_t most = 0;
  for (const auto& own : positives_) most = std::max(most, own.size() + 1);
  return most;
}

}  // namespace kith::mine

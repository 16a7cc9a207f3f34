// Pairs of a query and what answers it, as the texts that negatives are mined among.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kith/suite.h"

namespace kith::mine {

// Each text once, however many pairs it is of.
class PairTexts {
 public:
  struct Pair {
    std::uint32_t query, positive;  // positive: a document
  };

  void add_pair(std::string_view query, std::string_view positive);
  // A document that is no pair's positive.
  void add_document(std::string_view text) { place(documents_, document_places_, text); }
  // All of a file's, as TextStream reads it; throws as that does.
  void add_documents(const std::string& path);

  const TextPart& queries() const { return queries_; }
  const TextPart& documents() const { return documents_; }
  const std::vector<Pair>& pairs() const { return pairs_; }  // in the order in which they came
  // Whether a document is the positive of one of the query's pairs, or has the query's own text.
  bool answers(std::uint32_t query, std::uint32_t document) const;
  // The most documents that answer one query.
  std::size_t most_answers() const;

 private:
  using Places = std::unordered_map<std::string, std::uint32_t>;
  static std::uint32_t place(TextPart& part, Places& places, std::string_view text);

  TextPart queries_{.name = "queries", .texts = {}, .ids = {}};
  TextPart documents_{.name = "documents", .texts = {}, .ids = {}};
  Places query_places_, document_places_;
  std::vector<Pair> pairs_;
  std::vector<std::vector<std::uint32_t>> positives_;  // by query
};

}  // namespace kith::mine

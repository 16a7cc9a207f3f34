// The texts behind the Debian data sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kith::bench {

struct Documents {
  std::vector<std::string> labels;                // no line breaks
  std::vector<std::vector<std::uint64_t>> terms;  // see terms.h

  std::size_t size() const { return labels.size(); }
};

// One document an English description: names of its packages, summary and long description. The
// label is the first package's name.
Documents description_documents(const std::string& lists);

// Distinct sentences (as sorted terms) of all descriptions and translations in `lists` and of the
// *.txt files in `texts`, at least kMinTerms terms each; `limit` of them chosen by the seed. The
// label is the sentence.
inline constexpr std::size_t kMinTerms = 5;
Documents sentence_documents(const std::string& lists, const std::string& texts, std::size_t limit,
                             std::uint64_t seed);

}  // namespace kith::bench

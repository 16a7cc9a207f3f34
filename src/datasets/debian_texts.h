// Debian's descriptions with what is known of their packages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/debian.h"
#include "datasets/packages.h"

namespace kith::datasets {

struct DebianText {
  std::string id;                     // the first of its packages; made distinct where it isn't
  std::vector<std::string> packages;  // all that share the description
  std::string md5;
  std::string summary,
      text;  // short and long description; paragraphs of the long one apart by "\n"
  std::string section, source;
  std::vector<std::string> tags;
};

// Shares of the source packages that tasks test on, by in_test: retrieval, some five thousand
// queries and to spare; classifications, about 13,000 of 61,000 texts.
inline constexpr double kDebianQueryShare = 0.2;
inline constexpr double kDebianClassShare = 0.21;

// Whether any of those tasks may test on the source's packages.
bool tested_source(const std::string& source, std::uint64_t seed);

// Short and long description as one text: what is classified.
std::string whole_description(const DebianText& text);

// The distinct descriptions of Debian's main archive in the order of its list; those without a long
// one have an empty text.
std::vector<DebianText> debian_texts(Packages& packages);

}  // namespace kith::datasets

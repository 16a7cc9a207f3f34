// Debian's descriptions with what is known of their packages.
#pragma once

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

// The distinct descriptions of Debian's main archive in the order of its list; those without a long
// one have an empty text.
std::vector<DebianText> debian_texts(Packages& packages);

}  // namespace kith::datasets

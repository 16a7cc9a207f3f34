// Debian's package descriptions and their translations, as apt keeps them: files of stanzas with
// Package, Description-md5 and Description-LANGUAGE fields.
#pragma once

#include <string>
#include <vector>

namespace kith::bench {

struct Description {
  std::vector<std::string> packages;  // all that share the text
  std::string md5;                    // of the English text
  std::string summary;                // the first line
  // The long description: one string a paragraph or list item, without line breaks.
  std::vector<std::string> paragraphs;
};

// The distinct descriptions of a Translation file, in the file's order; those that share an md5 are
// merged. Throws not_found, or corrupt when the file holds no description.
std::vector<Description> read_descriptions(const std::string& path);

// The Translation files of Debian's main archive below an apt lists folder, sorted by name; the
// English one first. Throws not_found when there is no English one.
std::vector<std::string> translation_files(const std::string& lists);

}  // namespace kith::bench

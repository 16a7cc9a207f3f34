// Debian's packages, their descriptions and the translations of those, as apt keeps them: files of
// stanzas with fields such as Package, Section, Description-md5 and Description-LANGUAGE.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

namespace kith::datasets {

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

struct Package {
  std::string section, source;    // the source package's name, without its version
  std::vector<std::string> tags;  // of debtags: "role::program", "use::gameplaying" ...
  // Names of the packages that it depends on or recommends, of alternatives the first.
  std::vector<std::string> depends = {};
};

// The packages of a Packages file by name; of several versions the first. Throws not_found, or
// corrupt when the file holds no package.
std::unordered_map<std::string, Package> read_packages(const std::string& path);

// The Packages file of Debian's main archive below an apt lists folder. Throws not_found.
std::string packages_file(const std::string& lists);

// The Translation files of Debian's main archive below an apt lists folder, sorted by name; the
// English one first. Throws not_found when there is no English one.
std::vector<std::string> translation_files(const std::string& lists);

}  // namespace kith::datasets

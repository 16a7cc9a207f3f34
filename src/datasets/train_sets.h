// The makers of training sets, a file a family.
#pragma once

#include <cstdint>

#include "datasets/packages.h"
#include "datasets/training.h"

namespace kith::datasets {

void train_debian(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_translations(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_wordnet(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_similarity(Packages& packages, std::uint64_t seed, TrainingFile& file);
void train_dictionaries(Packages& packages, std::uint64_t seed, TrainingFile& file);

}  // namespace kith::datasets

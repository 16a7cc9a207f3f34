// The data sets that kith prepares as tasks: where each comes from, under which licence, and what
// is made of it. Equal texts are merged; where a set is split, what belongs together (packages of
// one source, passages of one document) lies on one side, so that siblings don't leak. The same
// seed makes the same tasks of the same packages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/packages.h"
#include "kith/suite.h"

namespace kith::datasets {

struct Dataset {
  std::string name, what;
  std::string packages;  // that it is fetched from
  std::string licence;
  // One task, or several of one kind. Throws what Packages throws, and corrupt for packages that
  // don't hold what they should.
  std::vector<Task> (*make)(Packages& packages, std::uint64_t seed);
  // Files beside the tasks, in the set's folder; null for none.
  void (*add_files)(Packages& packages, std::uint64_t seed, const std::string& folder) = nullptr;
};

// In the order of `kith data list`.
const std::vector<Dataset>& datasets();

// Throws not_found for a name that no set has.
const Dataset& find_dataset(const std::string& name);

// ---- The makers, a file a family ----------------------------------------------------------------
std::vector<Task> make_debian(Packages& packages, std::uint64_t seed);
void add_debian_files(Packages& packages, std::uint64_t seed, const std::string& folder);
std::vector<Task> make_sections(Packages& packages, std::uint64_t seed);
std::vector<Task> make_roles(Packages& packages, std::uint64_t seed);
std::vector<Task> make_tags(Packages& packages, std::uint64_t seed);
std::vector<Task> make_depends(Packages& packages, std::uint64_t seed);
void add_depends_files(Packages& packages, std::uint64_t seed, const std::string& folder);
std::vector<Task> make_bitext(Packages& packages, std::uint64_t seed);
std::vector<Task> make_manual_pages(Packages& packages, std::uint64_t seed);
std::vector<Task> make_foldoc(Packages& packages, std::uint64_t seed);
std::vector<Task> make_wordnet(Packages& packages, std::uint64_t seed);
std::vector<Task> make_definitions(Packages& packages, std::uint64_t seed);
std::vector<Task> make_similarity(Packages& packages, std::uint64_t seed);
std::vector<Task> make_senses(Packages& packages, std::uint64_t seed);
std::vector<Task> make_spam(Packages& packages, std::uint64_t seed);
std::vector<Task> make_reviews(Packages& packages, std::uint64_t seed);
std::vector<Task> make_brown(Packages& packages, std::uint64_t seed);
std::vector<Task> make_passkey(Packages& packages, std::uint64_t seed);
std::vector<Task> make_needle(Packages& packages, std::uint64_t seed);

}  // namespace kith::datasets

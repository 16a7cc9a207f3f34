// Debian's packages with what is known of them, as `kith data debian` lists them.
#pragma once

#include <string>
#include <vector>

#include "papers/common/paper.h"

namespace kith::papers {

// The seed by which `kith data` draws what is tested and `kith data train` leaves it out.
inline constexpr std::uint64_t kDataSeed = 1;

struct DebianPackage {
  std::string id, summary, text, section, source;
  std::vector<std::string> tags;  // ascending, without those of debtags' own book-keeping
  bool tested = false;            // no package of its source is trained on
};

// Those with a long description.
std::vector<DebianPackage> load_packages(const Trial& trial);

// What two packages share of their tags: |A and B| / |A or B|.
double shared_tags(const DebianPackage& a, const DebianPackage& b);

struct PackagePair {
  std::uint32_t first, second;  // places in the list
  double score;                 // shared_tags
};

// Pairs of packages of different sources, up to `wanted`, spread evenly over ten grades of
// shared_tags where there are enough. `which`: the places to draw from.
std::vector<PackagePair> draw_pairs(const std::vector<DebianPackage>& packages,
                                    const std::vector<std::uint32_t>& which, std::size_t wanted,
                                    std::uint64_t seed);

}  // namespace kith::papers

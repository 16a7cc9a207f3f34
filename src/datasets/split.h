// Splitting and labelling what data sets are made of.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/suite.h"

namespace kith::datasets {

// Whether all that belongs to `group` (a source package, a document) is on the test side, which
// takes about `share` of the groups. Depends on the name and the seed alone, so that new groups
// move no others.
bool in_test(std::string_view group, double share, std::uint64_t seed);

struct LabelledText {
  std::string text, label, group;
};

// Train and test by groups. Of equal texts the first stays; labels with fewer than `least` texts on
// the training side or none on the test side are left out.
ClassificationTask classification(const std::vector<LabelledText>& texts, double test_share,
                                  std::size_t least, std::uint64_t seed);

struct TaggedText {
  std::string text;
  std::vector<std::string> labels;
  std::string group;
};

// The same with any number of labels a text; texts without one of those that stay are left out.
MultilabelTask multilabel(const std::vector<TaggedText>& texts, double test_share,
                          std::size_t least, std::uint64_t seed);

// Texts with single spaces for all white space, none at the ends.
std::string squeeze(std::string_view text);

}  // namespace kith::datasets

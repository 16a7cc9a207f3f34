// The vectors of an index that labels name.
#pragma once

#include <string>
#include <vector>

#include "kith/index.h"

namespace kith::cli {

// The lines of a file; an empty line is a label too, a carriage return before its end isn't part.
std::vector<std::string> read_lines(const std::string& path);

// The ids of all vectors with one of the labels, ascending. Throws not_found naming `path`, the
// index's file, and the label for one that no vector has.
std::vector<Id> ids_of_labels(const Index& index, const std::string& path,
                              const std::vector<std::string>& labels);

// The ids of all vectors with a label that `labels` holds; of labels that none has, nothing.
std::vector<Id> ids_with_labels_of(const Index& index, const Labels& labels, std::size_t rows);

// The ids of the vectors in whose label the regular expression (ECMAScript's) finds something.
std::vector<Id> ids_matching(const Index& index, const std::string& pattern);

}  // namespace kith::cli

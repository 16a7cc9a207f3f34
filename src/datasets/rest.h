// Documents in reStructuredText as headings and paragraphs.
#pragma once

#include <string_view>
#include <vector>

#include "datasets/document.h"

namespace kith::datasets {

// Headings by their underlines (and overlines), levels in the order of their first use; paragraphs
// and list items without marks of emphasis, literals and references. Directives, comments, fields,
// tables and literal blocks are left out. Never fails: what it doesn't know is text.
std::vector<Block> parse_rest(std::string_view text);

}  // namespace kith::datasets

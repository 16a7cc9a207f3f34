// Pages in HTML, or in other markup of its kind (Mallard's pages), as headings and paragraphs.
#pragma once

#include <string_view>
#include <vector>

#include "datasets/document.h"

namespace kith::datasets {

// Headings h1 to h6, and titles outside the head, one level deeper for each section about them; the
// other elements of blocks begin paragraphs. What no reader reads as text is left out: scripts,
// tables, code, what steers through a site. Never fails: what isn't closed ends with the page, what
// it doesn't know is text.
std::vector<Block> parse_html(std::string_view page);

}  // namespace kith::datasets

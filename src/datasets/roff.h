// Manual pages as plain text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kith::datasets {

struct ManualSection {
  std::string title;  // "NAME", "SEE ALSO" ...
  std::string text;   // words with single spaces between
};

// Sections of a page in the man macros: words of font macros stay, other macros and comments go,
// escapes become what they print where that is plain text. Never fails: what it doesn't know it
// leaves out.
std::vector<ManualSection> parse_manual(std::string_view roff);

// Pages that a text refers to: "poll(2)" and "poll (2)" give "poll(2)".
std::vector<std::string> references(std::string_view text);

}  // namespace kith::datasets

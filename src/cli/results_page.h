// docs/results.md: a section a method, in order of their names, and a table of all in front.
#pragma once

#include <string>

namespace kith::cli {

// The page so far, or the head of a new one where there is no file.
std::string read_results_page(const std::string& path);

// `page` with the section of `slug` put in place of its former one, or among the others by name.
std::string put_section(const std::string& page, const std::string& slug,
                        const std::string& section);
// The same for its row, in a table in front of all sections that is begun where there is none.
std::string put_row(const std::string& page, const std::string& slug, const std::string& row);

}  // namespace kith::cli

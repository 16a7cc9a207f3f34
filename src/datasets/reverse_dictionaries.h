// What entries of dictionaries define, as reverse dictionaries ask for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "datasets/dictd.h"

namespace kith::datasets {

// An entry's first paragraph, without the headword's line, field labels and cross-reference marks.
std::string first_paragraph(const std::string& entry);

// A definition without the words that it defines.
std::string definition_query(const std::string& definition, const std::vector<std::string>& words);

// The headwords that share each entry's text.
std::map<std::string, std::vector<std::string>> words_by_entry(
    const std::vector<DictionaryEntry>& entries);

}  // namespace kith::datasets

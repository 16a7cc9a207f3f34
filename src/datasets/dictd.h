// Dictionaries in the form of the dictd server: NAME.index, a line an entry of headword, offset and
// length (in base 64) apart by tabs, and the text NAME.dict.dz.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kith::datasets {

struct DictionaryEntry {
  std::string headword, text;
};

// In the index's order, without the entries that tell of the dictionary itself (00-database-...).
// Throws corrupt, naming the line, for an index that the text doesn't fit.
std::vector<DictionaryEntry> parse_dictionary(const std::string& name, std::string_view index,
                                              std::string_view text);

// Of an unpacked package: usr/share/dictd/NAME.*
std::vector<DictionaryEntry> read_dictionary(const std::string& folder, const std::string& name);

// A definition without the word that it defines: its other spellings in capitals too.
std::string without_word(std::string_view definition, std::string_view word);

}  // namespace kith::datasets

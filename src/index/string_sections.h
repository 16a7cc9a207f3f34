// Lists of strings, such as labels, as sections of a .kith file: PREFIX.offsets and PREFIX.text, or
// PREFIX.numbers where all are numbers.
#pragma once

#include <cstddef>
#include <string>

#include "formats/kith_file.h"
#include "kith/labels.h"

namespace kith {

// `meta` tells under `key` of which kind they are.
void save_strings(KithFileWriter& writer, Meta& meta, const std::string& key,
                  const std::string& prefix, const Labels& labels);
Labels load_strings(const KithFileReader& reader, const Meta& meta, const std::string& key,
                    const std::string& prefix, std::size_t count);
// The labels of `count` rows, then those of `more` rows behind them.
Labels appended(const Labels& labels, std::size_t count, const Labels& tail, std::size_t more);
std::size_t string_bytes(const Labels& labels);

}  // namespace kith

// Reading a relevance adapter from its sections; docs/format.md lists them.
#pragma once

#include "formats/kith_file.h"
#include "kith/relevance.h"

namespace kith {

// Throws corrupt.
RelevanceAdapter read_relevance(const KithFileReader& reader);

}  // namespace kith

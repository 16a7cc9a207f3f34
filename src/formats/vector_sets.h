// Sets of vectors from bytes in memory; see include/kith/vector_sets.h.
#pragma once

#include <cstddef>
#include <string>

#include "formats/format.h"
#include "kith/vector_sets.h"

namespace kith::formats {

// `format` is "npz", "safetensors", "jsonl" or empty: by content. Components may be NaN.
VectorSets parse_vector_sets(const Input& in, const std::string& format = {});

}  // namespace kith::formats

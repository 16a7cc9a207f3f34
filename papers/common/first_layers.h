// A transformer cut off behind a layer.
#pragma once

#include <cstddef>
#include <string>

#include "papers/common/paper.h"

namespace kith::papers {

// A folder in the cache with the first layers of a model of BERT's or llama's kind; what stands
// behind its transformer stays. Throws what reading and writing folders does.
std::string first_layers(const Trial& trial, const std::string& base, std::size_t layers);

}  // namespace kith::papers

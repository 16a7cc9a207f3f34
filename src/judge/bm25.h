// BM25 over the texts of a task, with kith's defaults: the yardstick of rankings.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "kith/neighbours.h"
#include "kith/suite.h"
#include "kith/text_index.h"

namespace kith::judge {

TextIndex bm25_index(const TextPart& documents, const Control& control);

// The k best documents of each query.
Neighbours bm25_search(const TextPart& documents, const TextPart& queries, std::size_t k,
                       const Control& control);

std::vector<std::string_view> views(const TextPart& part);

}  // namespace kith::judge

// Texts as rows of (term, how often it stands there).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kith/control.h"
#include "kith/sparse.h"
#include "kith/text_index.h"
#include "text/dictionary.h"

namespace kith {

inline constexpr std::size_t kMostCount = 255;  // counts are cut at

struct CountRows {
  SparseRows rows;
  std::vector<std::uint32_t> lengths;  // terms a text
};

// Adds new terms to `dictionary` in the order in which they first occur, for any number of threads.
CountRows count_terms(std::span<const std::string_view> texts, const AnalyserOptions& options,
                      text::Dictionary& dictionary, const Control& control);

}  // namespace kith

// A static embedding of Debian's descriptions: what a text embedder of a minute's training gives.
#pragma once

#include <cstddef>
#include <string>

#include "papers/common/paper.h"

namespace kith::papers {

// Of a paper's `data`.
inline constexpr const char* kStaticData[] = {"train/debian", "train/texts", "train/wordnet"};

// The folder of one of `width` dimensions, trained by the trial's seed to find the long description
// of a package by the short one.
std::string static_embedding(const Trial& trial, std::size_t width);

}  // namespace kith::papers

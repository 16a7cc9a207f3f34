// How far a quick estimate of a distance may be off for its vector still to be looked at closely.
#pragma once

#include <limits>
#include <span>
#include <vector>

namespace kith {

inline constexpr float kNoMargin = std::numeric_limits<float>::max();  // everything is looked at

// A margin within which nearly all errors lie: of the neighbours that a search for `recall` may
// miss, two fifths may be estimated farther off than this. Errors are, query by query, estimate
// minus distance of true neighbours. At least 0; kNoMargin when there are none to learn from.
float margin_for(std::span<const std::vector<float>> errors, double recall);

}  // namespace kith

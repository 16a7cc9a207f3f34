// How far a quick estimate of a distance may be off for its vector still to be looked at closely.
#pragma once

#include <vector>

namespace kith {

// A margin within which nearly all of `errors` lie: of the neighbours that a search for `recall`
// may miss, two fifths may be estimated farther off than this. Errors are estimate minus distance
// of true neighbours. At least 0; the largest float when there are no errors to learn from.
float margin_for(std::vector<float> errors, double recall);

}  // namespace kith

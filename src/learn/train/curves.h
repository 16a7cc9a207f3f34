// A training's course as a drawing.
#pragma once

#include <string>

#include "learn/learn.h"

namespace kith::learn {

// SVG: the loss by step, every step's and their mean over a fiftieth of all, and beneath it the
// scores of validations, where there were some.
std::string draw_curves(const TrainSummary& summary);

}  // namespace kith::learn

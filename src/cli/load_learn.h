// libkith-learn, which the verbs that learn load.
#pragma once

#include "learn/learn.h"

namespace kith::cli {

// Loads it once, which takes half a second. Throws not_found when it can't be.
const learn::Registry& load_learn();

}  // namespace kith::cli

// Which of WordNet's synsets the judge's tasks test on.
#pragma once

#include "datasets/held_out.h"
#include "datasets/wordnet.h"

namespace kith::datasets {

// Whether a word of the synset, an example or its definition is held out, the definition also
// without words: tasks ask with definitions that lost those which they define.
bool tested_synset(const Synset& synset, const HeldOut& held_out);

}  // namespace kith::datasets

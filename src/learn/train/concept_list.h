// Which concepts a model learns, and how common they are, from the lists that examples have.
#pragma once

#include <span>
#include <vector>

#include "encode/concept_names.h"
#include "learn/nn/concept_head.h"
#include "learn/train/examples.h"

namespace kith::learn {

// Those of the file options.names, a name a line, in its order; without one, all that are in at
// least `least` lists and at most `most_share` of them, by name. Lists are those of queries and of
// positives that aren't empty, of all sources. Throws invalid_argument for no lists or no concept
// that is left, and with a file for names that can't be in a list, for a given concept that the
// file lacks, and for one of the file that no list has or every one.
std::vector<encode::NamedConcept> concepts_of(const ConceptOptions& options,
                                              std::span<const std::vector<Example>> sources);

// Throws invalid_argument unless an example was given a concept that the model has.
void expect_given(const ConceptHead& head, const std::vector<Example>& examples,
                  const SourceOptions& source);

}  // namespace kith::learn

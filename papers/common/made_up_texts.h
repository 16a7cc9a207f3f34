// Texts, tasks and pairs to train on that need no data set, for quick trials: texts of words of
// their topic and of common ones.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/random.h"
#include "kith/suite.h"
#include "papers/common/training_data.h"

namespace kith::papers {

std::string made_up_text(std::size_t topic, std::size_t words, Random& random);

// Which topic a text is of; each text has 20 words.
Task made_up_classes(const std::string& name, std::size_t topics, Random& random,
                     std::size_t texts = 1500);

// A query is a few words of its document.
Task made_up_retrieval(Random& random, std::size_t documents = 600);

// Two texts are alike when they are of one topic.
Task made_up_similarity(Random& random);

// The same to train on: some words of a text, the text, and one of another topic.
std::vector<TrainingPair> made_up_pairs(Random& random, std::size_t count = 400);

}  // namespace kith::papers

// Small tasks of four families that tell small models apart, out of what `kith data` makes. The
// trial's seed draws which queries, texts and pairs.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "kith/judge.h"
#include "kith/suite.h"
#include "papers/common/paper.h"

namespace kith::papers {

inline constexpr std::array kFamilies = {"retrieval", "pairs", "classification", "clustering"};

struct TextTask {
  std::string family;  // "pairs": graded ones, and those that belong together or not
  Task task;
};

// The sets that text_tasks() reads: a paper's `data`.
const std::vector<std::string>& text_task_data();

// Six to eight of each family.
std::vector<TextTask> text_tasks(const Trial& trial);

// Short description -> long one.
Task debian_retrieval(const Trial& trial, std::size_t queries = 2000,
                      std::size_t documents = 10000);
// How many debtags two packages share, of packages that aren't trained on.
Task debtags_similarity(const Trial& trial, std::size_t pairs = 2000);
// How near two glosses of WordNet are, nouns' and verbs'.
std::vector<Task> gloss_similarity(const Trial& trial, std::size_t pairs = 1500);
// Which section of Debian's archive a package is in.
Task section_classes(const Trial& trial, std::size_t tests = 1000);
// A gloss and its lexicographers' file (papers/common/lexicographers.h), tested on glosses that no
// line of `kith data train wordnet` has.
Task lexicographer_classes(const Trial& trial);

// A task's main score, by the trial's seed. Five draws of training texts, not ten.
double score(const Task& task, Embedder& model, const Trial& trial);

}  // namespace kith::papers

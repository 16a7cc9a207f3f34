// Smaller tasks of large ones, drawn by a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "kith/suite.h"

namespace kith::papers {

// So many of a retrieval's queries, among all documents.
Task some_queries(Task task, std::size_t wanted, std::uint64_t seed);

// The same among the documents that answer them and others, so many in all; of both only those that
// pass, where there is a test of a document's number.
using KeepsDocument = std::function<bool(std::uint32_t document)>;
Task small_retrieval(const Task& task, std::size_t queries, std::size_t documents,
                     std::uint64_t seed, const KeepsDocument& keeps = {});

// So many of a classification's test texts; all training ones.
Task some_tests(Task task, std::size_t wanted, std::uint64_t seed);

// So many pairs of an STS or pair classification.
Task some_pairs(Task task, std::size_t wanted, std::uint64_t seed);

// A classification's test texts, to be told apart without learning: `sets` clusterings of `each`.
Task clustering_of(const Task& task, std::size_t sets, std::size_t each, std::uint64_t seed);

}  // namespace kith::papers

// Hard negatives: documents that a ranking puts near a query without their answering it, for models
// to learn to tell apart from what does. Those that a teacher finds almost as near as the positive
// are left out, since they are likely to be unlabelled answers (NV-Retriever, Moreira et al.,
// 2024).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/control.h"
#include "kith/judge.h"
#include "mine/pair_texts.h"

namespace kith::mine {

struct NegativeOptions {
  // Ranks that candidates come from, counted from 1 among documents that don't answer the query.
  std::size_t first = 10, last = 60;
  std::size_t count = 7;    // negatives of a pair, at most
  double max_ratio = 0.95;  // of the teacher's cosine of the positive, that a negative's may have
  bool random = false;      // which candidates: drawn by the seed; else the nearest
  // Where they are fewer, others drawn from all documents that don't answer, whatever the teacher
  // says, make up the count.
  bool fill = false;
  std::uint64_t seed = 1;
  Control control = {};
};

struct Negatives {
  std::vector<std::vector<std::uint32_t>> documents;  // of each pair
  // The teacher's cosines of each pair's positive and its negatives; empty without a teacher.
  std::vector<std::vector<float>> scores;
};

// Candidates of several rankings come in turn, each once; a null ranking is BM25. Every embedder
// embeds each text once. Without a teacher nothing is left out. The result is the same for any
// number of threads. Throws invalid_argument for options or rankings that can't be, cancelled.
Negatives mine_negatives(const PairTexts& texts, std::span<Embedder* const> rankings,
                         Embedder* teacher, const NegativeOptions& options);

}  // namespace kith::mine

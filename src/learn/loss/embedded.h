// A batch after the encoder, as objectives take it, and what losses over parts of vectors do to it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "learn/tensor.h"

namespace kith::learn {

struct Embedded {
  Tensor queries = {};    // [B, d]
  Tensor positives = {};  // [B, d]: row i answers query i
  Tensor negatives = {};  // [B, k, d]: row i does not answer query i; undefined: none

  std::int64_t batch() const { return queries.size(0); }
  std::int64_t dim() const { return queries.size(1); }
  std::int64_t negatives_each() const { return negatives.defined() ? negatives.size(1) : 0; }
};

// A scalar from a batch: info_nce with its options, say. A loss of labelled pairs takes their sides
// as queries and positives, and keeps the labels itself.
using EmbeddingLoss = std::function<Tensor(const Embedded&)>;

// Throws kith::Error invalid_argument, beginning with `loss`, unless shapes are as above and B
// >= 1. k = 0 is allowed.
void expect_embedded(const char* loss, const Embedded& batch);

// So too unless `other`, the same batch at another layer, has the shapes of `batch`.
void expect_alike(const char* loss, const Embedded& batch, const Embedded& other);

// Throws kith::Error invalid_argument, beginning with `loss`, unless 1 <= width <= dim.
void expect_width(const char* loss, std::int64_t width, std::int64_t dim);

// [B (2 + k), d]: queries, positives, then the negatives of query 0, of query 1, ...
Tensor all_texts(const Embedded& batch);

// The first `width` components of every vector, as unit vectors where `normalise`. Cutting first
// and normalising after keeps lengths equal, which indexes of products need.
Embedded truncated(const Embedded& batch, std::int64_t width, bool normalise);

}  // namespace kith::learn

// Examples as batches of tokens, and how well a model finds answers among held-out examples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kith/control.h"
#include "learn/nn/text_model.h"
#include "learn/train/answers.h"
#include "learn/train/document_vectors.h"
#include "learn/train/examples.h"
#include "learn/train/objective.h"

namespace kith::learn {

// Tokens that texts are cut to; 0: the model's length.
struct TextLimits {
  std::size_t query = 0, document = 0;
};

// What is known of a source's texts beside the examples of a batch; each may be null.
struct SourceTexts {
  const Answers* answers = nullptr;            // for LossOptions::mask_answers
  const DocumentVectors* documents = nullptr;  // in place of the documents' tokens
};

// The examples numbered in `rows`. Each has as many negatives as the one with the fewest, at most
// the source's `negatives_each`; or where some are `chosen`, the one of its own with that number. A
// prompt of the source is the name of one of the model's or a text; without one, the model's own
// called "query", and "document" or "passage", are put before texts.
TextBatch make_batch(const TextModel& model, const std::vector<Example>& examples,
                     std::span<const std::uint32_t> rows, const SourceOptions& source,
                     const LossOptions& loss, const TextLimits& limits, const Control& control,
                     std::span<const std::uint32_t> chosen = {}, const SourceTexts& texts = {});

// What a query is told apart from: its positive and others.
std::int64_t candidates_of(const TextBatch& batch, const LossOptions& loss);

// Vectors of texts as batches take them, without gradients: [n, dim], on the CPU.
at::Tensor embed_queries(const TextModel& model, std::span<const std::string_view> texts,
                         const SourceOptions& source, const TextLimits& limits,
                         const Control& control);
at::Tensor embed_documents(const TextModel& model, std::span<const std::string_view> texts,
                           const SourceOptions& source, const TextLimits& limits,
                           const Control& control);

// Of each example's positive among all positives, by cosine or MaxSim (HeldOut::reciprocal_rank).
double mean_reciprocal_rank(const TextModel& model, const std::vector<Example>& examples,
                            const SourceOptions& source, const TextLimits& limits,
                            const Control& control);

// Of a model with concepts: how well a text's five strongest activations agree with what it was
// given of the concepts that it knows: 2 hits / (5 + given), the mean over positives that were
// given any of these. 0 where there are none.
double concept_f1(const TextModel& model, const std::vector<Example>& examples,
                  const SourceOptions& source, const TextLimits& limits, const Control& control);

}  // namespace kith::learn

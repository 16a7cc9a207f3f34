// InfoNCE: a query's positive against other candidates (van den Oord et al., 2018; with the batch's
// other positives as candidates, Henderson et al., 2017; with everybody's hard negatives too, as
// NV-Embed's first stage, Lee et al., 2024).
#pragma once

#include <optional>

#include "learn/loss/embedded.h"
#include "learn/loss/similarity.h"

namespace kith::learn {

struct InfoNceOptions {
  double temperature = 0.05;  // scale 20, as sentence encoders use; 0.02 for large models (VLM2Vec)
  Similarity similarity = Similarity::cosine;
  bool in_batch = true;          // the other positives are candidates; false for NV-Embed's stage 2
  bool others_negatives = true;  // and so are other queries' negatives; counts only with in_batch
  bool symmetric = false;  // mean with the loss of finding the query of each positive, as CLIP
  // Leaves out candidates whose similarity to the query exceeds the positive's by more than this:
  // they are likely to be unlabelled answers. Empty keeps them all.
  std::optional<double> margin = {};
};

// What is known of a batch besides its vectors; each may be undefined. C counts the candidates, in
// the order of candidate_scores.
struct InfoNceHints {
  // [B, C] bool: leave this candidate out, since its text is the positive's, say. What it says of
  // the batch's positives holds for symmetric as well: where j is no negative of query i, query i
  // is none of positive j.
  Tensor masked = {};
  Tensor weights = {};  // [B], at least 0: the mean over rows is weighted; all 0 gives 0
  // [B, C] similarities by another model, which judges instead of this one what `margin` leaves
  // out (GISTEmbed, Solatorio, 2024; its margin is 0, the default here where there is a guide).
  Tensor guide = {};
};

// Similarities [B, C] of queries to candidates, not yet divided by the temperature.
// in_batch: all positives (row i's own is column i), then all negatives (C = B + B k), or without
// others_negatives a row's own (C = B + k). Without in_batch: a row's own positive, then its own
// negatives (C = 1 + k).
Tensor candidate_scores(const Embedded& batch, const InfoNceOptions& options = {});

// Mean over rows of -log( e^{s(q,p)/t} / sum over candidates c of e^{s(q,c)/t} ). A row's own
// positive is never left out; a row with no other candidate adds 0. Throws kith::Error
// invalid_argument on shapes that do not fit, a temperature that is not above 0, a margin that is
// not finite, and without in_batch where there are no negatives: that loss is always 0.
// Cost: B C d products, B C scores in memory.
Tensor info_nce(const Embedded& batch, const InfoNceOptions& options = {},
                const InfoNceHints& hints = {});
// The same of scores [B, C] that are there already, in the order of candidate_scores.
Tensor info_nce_of_scores(const Tensor& scores, const InfoNceOptions& options = {},
                          const InfoNceHints& hints = {});

}  // namespace kith::learn

// From a batch of texts to gradients: which loss, over which layers and widths, in how large
// chunks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "learn/loss/angle.h"
#include "learn/loss/cosent.h"
#include "learn/loss/ese.h"
#include "learn/loss/info_nce.h"
#include "learn/loss/matryoshka.h"
#include "learn/loss/matryoshka_2d.h"
#include "learn/loss/maxsim.h"
#include "learn/loss/starbucks.h"
#include "learn/loss/triplet.h"
#include "learn/nn/text_model.h"
#include "learn/nn/tokens.h"
#include "learn/processes.h"
#include "learn/train/document_codes.h"

namespace kith::learn {

inline constexpr const char* kLossKinds[] = {"info_nce", "cosent",     "angle",
                                             "triplet",  "margin_mse", "distillation"};
// Of models whose dimensions have names (nn/concept_head.h), what they learn beside the ranking
// that `kind` stands for.
struct ConceptLossOptions {
  double weight = 0.5;             // of predicting given concepts (loss/concepts.h)
  double ranking = 1;              // of the loss that is called `kind`; 0: that alone
  double sparsity = 1e-4;          // of the mean activation
  std::int64_t ranking_after = 0;  // steps without the ranking, before the others
};

inline constexpr const char* kElasticKinds[] = {"1d",    "2d",        "2d-revised",
                                                "2d-st", "starbucks", "ese"};

struct LossOptions {
  // info_nce, cosent, angle (pairs with scores), triplet (with negatives), margin_mse or
  // distillation (with a teacher's scores).
  std::string kind = "info_nce";
  InfoNceOptions info_nce = {};
  // In info_nce, candidates with the text of the positive are left out: they are no negatives.
  bool mask_equal = true;
  // And those that are another positive of the same query, of whichever example (answers.h).
  bool mask_answers = true;
  CosentOptions cosent = {};
  AngleOptions angle = {};
  TripletOptions triplet = {};
  double teacher_temperature = 1;  // of distillation
  double distillation_weight = 1;  // of a source with scores, beside info_nce; 0: off
  // Of models that think: the share of the loss that is writing thoughts (O1 Embedder's), and of
  // the examples those that are to be embedded without.
  double thought_weight = 0.2, without_thought = 0.1;
  ConceptLossOptions concepts = {};
};

// Vectors that are of use cut to fewer components, from earlier layers, or both.
struct ElasticOptions {
  // Empty: none. 1d (Kusupati et al., 2022); 2d, 2d-revised (Li et al., 2024, and their revision),
  // 2d-st (as sentence-transformers has it), starbucks (Zhuang et al., 2024), ese (Li et al.,
  // 2025).
  std::string kind = {};
  std::vector<std::int64_t> dims = {};    // empty: 8, 16, 32 ... below the model's
  std::vector<double> weights = {};       // of 1d
  std::vector<StarbucksSize> sizes = {};  // of starbucks
  double alignment = -1;                  // below 0: the kind's own
  EseOptions ese = {};
};

// A batch's documents by a model that isn't trained (document_vectors.h).
struct FixedDocuments {
  at::Tensor positives, negatives;  // [B, dim], [B k, dim] or undefined
  bool coded = false;               // compared by products as they are, whatever the loss does
};

// What a batch is made of; columns are of one length, negatives of a whole multiple of it.
struct TextBatch {
  Tokens queries, positives, negatives;  // negatives: row by row, none where sequences() is 0
  bool has_negatives = false;
  // Where there are some, queries alone are embedded, and the loss is the sum over these.
  std::vector<FixedDocuments> fixed;
  at::Tensor scores;   // [B] of pairs
  at::Tensor teacher;  // [B, 1 + k], or undefined
  at::Tensor masked;   // [B, C] as InfoNceHints has it, or undefined
  // Concepts of queries and of positives, [B, dim], or undefined (ConceptHead::given).
  at::Tensor query_concepts, concepts;
};

// Sequences of a column that go through the model together.
struct TextChunk {
  std::size_t column;
  Tokens tokens;
};

struct StepOptions {
  ForwardOptions forward = {};
  std::uint64_t seed = 0;  // of the step: dropout, and what elastic losses draw
  // Above 0, so many sequences of a column go through the model together, whose activations are
  // forgotten and computed again (GradCache, Gao et al., 2021): memory is that of a chunk for each
  // thread, and the gradients are the same.
  std::int64_t chunk = 0;
  double scale = 1;   // of the gradients
  bool ranks = true;  // whether concepts are learned with the ranking or without
};

// Throws invalid_argument, beginning with `what`, unless texts are compared by one vector each, all
// of it, and by info_nce.
void expect_whole_vectors(const std::string& what, const TextModel& model, const LossOptions& loss,
                          const ElasticOptions& elastic);

class Objective {
 public:
  // Throws invalid_argument for a loss and elastic options that don't fit the model or each other,
  // or codes. Of several processes each computes a part of every batch. `codes`, where there are
  // some, are learned, too; must outlive this.
  Objective(const TextModel& model, const LossOptions& loss, const ElasticOptions& elastic,
            std::shared_ptr<const Processes> processes = std::make_shared<Processes>(),
            const DocumentCodes* codes = nullptr);

  // Adds to the gradients of the trained tensors, the model's and the codewords, which over all
  // processes sum to those of the batch, and returns the loss.
  double step(const TextBatch& batch, const StepOptions& options) const;
  // The loss alone, without dropout.
  double evaluate(const TextBatch& batch, std::uint64_t seed) const;

 private:
  using Layers = std::vector<std::int64_t>;
  using Columns = std::vector<std::vector<at::Tensor>>;  // by column, then by layer

  Layers layers_of(const SizeDraw& draw) const;
  SizeDraw draw_of(std::uint64_t seed) const;
  // `written` becomes the surprise at what the model is to write, where there is such.
  // Vectors by layer; of a model with concepts its evidence and the vectors of the last one.
  std::vector<at::Tensor> encode(const Tokens& tokens, const Layers& layers,
                                 const ForwardOptions& forward,
                                 at::Tensor* written = nullptr) const;
  at::Tensor loss_of(const Columns& columns, const TextBatch& batch, const SizeDraw& draw,
                     bool ranks) const;
  at::Tensor base_loss(const Embedded& embedded, const TextBatch& batch) const;
  at::Tensor late_loss(const Columns& columns, const TextBatch& batch) const;
  at::Tensor codes_loss(const Embedded& whole, const TextBatch& batch) const;
  at::Tensor fixed_loss(const at::Tensor& queries, const TextBatch& batch) const;
  // By products of what is as it is to be compared.
  at::Tensor products_loss(const Embedded& embedded, const TextBatch& batch) const;
  at::Tensor concepts_loss(const Columns& columns, const TextBatch& batch, bool ranks) const;
  // Of scores in the order of candidate_scores, which are computed as the loss needs them.
  using ScoresOf = std::function<at::Tensor(const InfoNceOptions& options)>;
  at::Tensor loss_of_scores(const ScoresOf& scores, const TextBatch& batch) const;
  std::int64_t vectors_of(const Tokens& tokens) const;  // rows that encode() gives

  using Parts = std::vector<std::vector<at::Tensor>>;  // by chunk, then by layer

  std::vector<TextChunk> cut(const TextBatch& batch, std::int64_t most) const;
  void share_vectors(const std::vector<TextChunk>& chunks, std::size_t layers, Parts& parts) const;

  const TextModel* model_;
  std::shared_ptr<const Processes> processes_;
  LossOptions loss_;
  ElasticOptions elastic_;
  const DocumentCodes* codes_;
};

}  // namespace kith::learn

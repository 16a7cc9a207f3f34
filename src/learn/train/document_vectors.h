// Documents as models make them that aren't trained: what a query encoder learns to find in the
// indexes of several models at once. It is BiDR's unified query encoder (S. Xiao et al.,
// "Progressively optimized bi-granular document representation for scalable embedding based
// retrieval", WWW 2022), which serves the codes that candidates come from and the whole vectors
// that judge them:
//
//   L = sum over models m of InfoNCE(<q, d_m>)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kith/control.h"
#include "kith/judge.h"
#include "kith/trained_codebooks.h"
#include "learn/processes.h"
#include "learn/train/objective.h"

namespace kith::learn {

// A model's folder whose vectors are as `kith embed` makes them; those of one that has
// codebooks.kith beside it as its codes give them back.
class DocumentModel {
 public:
  // Throws as ModelVectors and TrainedCodebooks::open do, and invalid_argument for codewords of
  // metric l2, which don't rank by products.
  explicit DocumentModel(const std::string& folder);

  // Throws invalid_argument for vectors of other than `dim` dimensions. [n, dim].
  at::Tensor embed(const TextPart& documents, std::int64_t dim, const Control& control);
  bool is_coded() const { return codebooks_.has_value(); }

 private:
  std::string folder_;
  std::unique_ptr<ModelVectors> vectors_;
  std::optional<TrainedCodebooks> codebooks_;
};

// All models' vectors of some texts, each embedded once.
class DocumentVectors {
 public:
  // Equal texts count as one. The first of the processes embeds for all. Throws as
  // DocumentModel::embed does.
  DocumentVectors(std::vector<DocumentModel>& models, std::span<const std::string_view> texts,
                  std::int64_t dim, const Processes& processes, const Control& control);

  // A model. Throws not_found for a text that it wasn't made of.
  std::vector<FixedDocuments> of(std::span<const std::string_view> positives,
                                 std::span<const std::string_view> negatives,
                                 const at::Device& device) const;
  // By model: of all texts, in the order of their first, [n, dim].
  const std::vector<at::Tensor>& tables() const { return tables_; }

 private:
  at::Tensor rows_of(std::size_t model, std::span<const std::string_view> texts) const;

  TextPart texts_{.name = "documents", .texts = {}, .ids = {}};
  std::unordered_map<std::string, std::int64_t> places_;
  std::vector<at::Tensor> tables_;
  std::vector<bool> coded_;
};

}  // namespace kith::learn

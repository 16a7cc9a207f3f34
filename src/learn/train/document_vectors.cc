#include "learn/train/document_vectors.h"

#include <filesystem>
#include <numeric>
#include <utility>

#include "base/progress.h"
#include "codec/codebooks.h"
#include "kith/error.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"
#include "mine/coded_vectors.h"

namespace kith::learn {

DocumentModel::DocumentModel(const std::string& folder)
    : folder_(folder), vectors_(std::make_unique<ModelVectors>(folder)) {
  const std::string file = folder + "/" + kCodebooksFile;
  if (!std::filesystem::exists(file)) return;
  codebooks_ = TrainedCodebooks::open(file);
  mine::expect_products(*codebooks_, file);
}

at::Tensor DocumentModel::embed(const TextPart& documents, std::int64_t dim,
                                const Control& control) {
  std::vector<std::uint32_t> all(documents.texts.size());
  std::iota(all.begin(), all.end(), 0U);
  Matrix<float> rows = vectors_->embed(documents, all, control);
  if (!all.empty() && rows.cols() != static_cast<std::size_t>(dim)) {
    refuse(folder_ + ": vectors of " + std::to_string(rows.cols()) +
           " dimensions, but the model that is trained has " + std::to_string(dim));
  }
  if (codebooks_) rows = mine::quantised(*codebooks_, std::move(rows), folder_, control);
  return tensor_of(rows.view());
}

DocumentVectors::DocumentVectors(std::vector<DocumentModel>& models,
                                 std::span<const std::string_view> texts, std::int64_t dim,
                                 const Processes& processes, const Control& control) {
  for (const std::string_view text : texts) {
    const auto next = static_cast<std::int64_t>(texts_.texts.size());
    if (places_.emplace(text, next).second) texts_.texts.emplace_back(text);
  }
  for (DocumentModel& model : models) {
    at::Tensor table = processes.is_first()
                           ? model.embed(texts_, dim, without_progress(control))
                           : torch::zeros({static_cast<std::int64_t>(texts_.texts.size()), dim});
    processes.sum(table);
    tables_.push_back(table);
    coded_.push_back(model.is_coded());
  }
}

at::Tensor DocumentVectors::rows_of(std::size_t model,
                                    std::span<const std::string_view> texts) const {
  std::vector<std::int64_t> rows;
  for (const std::string_view text : texts) {
    const auto at = places_.find(std::string(text));
    if (at == places_.end()) {
      throw Error(ErrorCode::not_found, "document '" + std::string(text) + "' has no vector");
    }
    rows.push_back(at->second);
  }
  return tables_[model].index_select(0, torch::tensor(rows, torch::kInt64));
}

std::vector<FixedDocuments> DocumentVectors::of(std::span<const std::string_view> positives,
                                                std::span<const std::string_view> negatives,
                                                const at::Device& device) const {
  std::vector<FixedDocuments> all;
  for (std::size_t m = 0; m < tables_.size(); ++m) {
    FixedDocuments& own = all.emplace_back();
    own.coded = coded_[m];
    own.positives = rows_of(m, positives).to(device);
    if (!negatives.empty()) own.negatives = rows_of(m, negatives).to(device);
  }
  return all;
}

}  // namespace kith::learn

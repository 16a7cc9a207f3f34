#include "learn/train/document_codes.h"

#include <memory>
#include <string>
#include <utility>

#include "base/progress.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

at::Tensor scaled_by(Similarity similarity, const at::Tensor& x) {
  return similarity == Similarity::cosine ? unit(x) : x;
}

ProductCode first_code(const CodeOptions& options, Similarity similarity, const at::Tensor& vectors,
                       std::uint64_t seed, const Control& control) {
  if (options.weight == 0 && options.reconstruction == 0) {
    refuse("codes: weight 0 and reconstruction 0, expected one of them above 0");
  }
  Codebooks codebooks(static_cast<std::size_t>(vectors.size(1)), options.parts, options.bits);
  codebooks.learn(matrix_of(scaled_by(similarity, vectors)), seed, without_progress(control));
  return ProductCode(codebooks);
}

}  // namespace

DocumentCodes::DocumentCodes(const CodeOptions& options, Similarity similarity,
                             const at::Tensor& vectors, std::uint64_t seed, const Control& control)
    : options_(options),
      similarity_(similarity),
      code_(first_code(options, similarity, vectors, seed, control)) {
  code_.to(vectors.device());
}

at::Tensor DocumentCodes::scaled(const at::Tensor& x) const { return scaled_by(similarity_, x); }

Embedded DocumentCodes::coded(const Embedded& whole, double temperature, bool learns) const {
  const ProductCode code = learns ? code_ : code_.constant();
  Embedded result{.queries = scaled(whole.queries),
                  .positives = code.quantise(scaled(whole.positives), temperature)};
  if (whole.negatives.defined()) {
    result.negatives = code.quantise(scaled(whole.negatives.flatten(0, 1)), temperature)
                           .view(whole.negatives.sizes());
  }
  return result;
}

at::Tensor DocumentCodes::coded(const at::Tensor& documents) const {
  return code_.quantise(scaled(documents));
}

at::Tensor DocumentCodes::error(const Embedded& whole, const Embedded& coded) const {
  const auto mean = [&](const at::Tensor& d, const at::Tensor& code) {
    return (scaled(d) - code).square().sum(-1).mean();
  };
  const at::Tensor positives = mean(whole.positives, coded.positives);
  if (whole.negatives_each() == 0) return positives;
  return positives + mean(whole.negatives, coded.negatives);
}

TrainedCodebooks DocumentCodes::codebooks(Metric metric) const {
  auto content = std::make_shared<CodebooksContent>();
  content->metric = metric;
  content->codebooks = code_.codebooks();
  return TrainedCodebooks(std::move(content));
}

}  // namespace kith::learn

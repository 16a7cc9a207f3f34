#include "mine/coded_vectors.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "codec/codebooks.h"
#include "codec/stage.h"
#include "kith/error.h"

namespace kith::mine {
namespace {

// Of what the longest codewords of all parts make up.
double most_squared(const Codebooks& codebooks) {
  double sum = 0;
  for (std::size_t part = 0; part < codebooks.parts(); ++part) {
    std::vector<double> squares(codebooks.words());
    for (std::size_t j = codebooks.begin(part); j < codebooks.begin(part + 1); ++j) {
      for (std::size_t w = 0; w < squares.size(); ++w) {
        const double value = codebooks.values()[j * squares.size() + w];
        squares[w] += value * value;
      }
    }
    sum += *std::ranges::max_element(squares);
  }
  return sum;
}

}  // namespace

Matrix<float> quantised(const TrainedCodebooks& codebooks, Matrix<float> rows,
                        const std::string& what, const Control& control) {
  constexpr std::size_t kGrain = 64;
  const Codebooks& words = *codebooks.codebooks();
  if (rows.cols() != words.dim()) {
    throw Error(ErrorCode::invalid_argument, what + ": vectors of " + std::to_string(rows.cols()) +
                                                 " dimensions, but codewords of " +
                                                 std::to_string(words.dim()));
  }
  parallel_for(control, rows.rows(), kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<std::uint32_t> code(words.parts());
    for (std::size_t i = begin; i < end; ++i) {
      if (codebooks.metric() == Metric::cosine) normalise(rows.row(i), rows.cols());
      words.encode(rows.row(i), code.data());
      words.decode(code.data(), rows.row(i));
    }
  });
  return rows;
}

void expect_products(const TrainedCodebooks& codebooks, const std::string& what) {
  if (codebooks.metric() != Metric::l2) return;
  throw Error(ErrorCode::invalid_argument,
              what + ": codewords of metric l2, expected cosine or ip");
}

CodedVectors::CodedVectors(Embedder& whole, TrainedCodebooks codebooks)
    : whole_(&whole),
      codebooks_(std::move(codebooks)),
      most_(most_squared(*codebooks_.codebooks())) {
  expect_products(codebooks_, whole.name());
}

CodedVectors CodedVectors::in_folder(const std::string& folder) {
  auto model = std::make_unique<ModelVectors>(folder);
  CodedVectors coded(*model, TrainedCodebooks::open(folder + "/" + kCodebooksFile));
  coded.own_ = std::move(model);
  return coded;
}

Matrix<float> CodedVectors::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                  const Control& control) {
  const bool queries = part.name == "queries";
  Matrix<float> rows = whole_->embed(part, which, control);
  if (!queries) rows = quantised(codebooks_, std::move(rows), name(), without_progress(control));
  Matrix<float> longer(rows.rows(), rows.cols() + 1);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double squared = 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      longer(i, j) = rows(i, j);
      squared += double{rows(i, j)} * rows(i, j);
    }
    longer(i, rows.cols()) =
        queries ? 0.0F : static_cast<float>(std::sqrt(std::max(0.0, most_ - squared)));
  }
  return longer;
}

}  // namespace kith::mine

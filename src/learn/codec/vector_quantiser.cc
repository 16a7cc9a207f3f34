#include "learn/codec/vector_quantiser.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "learn/nn/random_tensors.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr int kMostBits = 16;

// Whole numbers in place of x, with its gradient.
at::Tensor straight_round(const at::Tensor& x) { return x + (x.round() - x).detach(); }

// 2^bits as levels of at most 8, as even as can be: the authors advise 5 or more where that goes.
std::vector<std::int64_t> levels_of(int bits) {
  constexpr int kMostOfOne = 3;
  const int count = (bits + kMostOfOne - 1) / kMostOfOne;
  std::vector<std::int64_t> levels;
  for (int i = 0; i < count; ++i) {
    levels.push_back(std::int64_t{1} << (bits * (i + 1) / count - bits * i / count));
  }
  return levels;
}

at::Tensor trained(at::Tensor value) { return value.set_requires_grad(true); }

}  // namespace

VectorQuantiser::VectorQuantiser(const QuantiserOptions& options, std::uint64_t seed)
    : options_(options), dim_(options.dim) {
  if (std::ranges::find(kQuantisers, options.kind) == std::end(kQuantisers)) {
    refuse("quantiser '" + options.kind + "', expected vq, ema, simvq, simvq-trained or fsq");
  }
  if (options.bits < 1 || options.bits > kMostBits || options.dim < 1) {
    refuse("a quantiser of " + std::to_string(options.bits) + " bits and " +
           std::to_string(options.dim) + " dimensions, expected 1 to 16 and at least 1");
  }
  Random random(seed, 11);
  const std::int64_t count = words();
  const double spread = 1 / std::sqrt(static_cast<double>(dim_));
  if (options.kind == "fsq") {
    levels_ = levels_of(options.bits);
    dim_ = static_cast<std::int64_t>(levels_.size());
  } else if (options.kind == "vq") {
    words_ = trained(uniform_tensor({count, dim_}, count * count, random));  // within 1 / K
    parameters_.add("words", words_);
  } else if (options.kind == "ema") {
    words_ = normal_tensor({count, dim_}, random, spread);
    counts_ = torch::zeros({count});
    sums_ = torch::zeros({count, dim_});
    parameters_.add("words", words_);
    state_.add("counts", counts_);
    state_.add("sums", sums_);
  } else {
    basis_ = normal_tensor({count, dim_}, random, spread);
    weight_ = trained(uniform_tensor({dim_, dim_}, dim_, random));
    bias_ = trained(uniform_tensor({dim_}, dim_, random));
    if (options.kind == "simvq-trained") parameters_.add("basis", trained(basis_));
    parameters_.add("weight", weight_);
    parameters_.add("bias", bias_);
  }
}

at::Tensor VectorQuantiser::codebook() const {
  if (words_.defined()) return words_;
  if (basis_.defined()) return torch::linear(basis_, weight_, bias_);
  at::Tensor codes = torch::arange(words());
  std::vector<at::Tensor> columns;
  for (const std::int64_t levels : levels_) {
    columns.push_back((codes.remainder(levels) - levels / 2) /
                      static_cast<double>(std::max<std::int64_t>(levels / 2, 1)));
    codes = codes.div(levels, "floor");
  }
  return torch::stack(columns, 1).to(torch::kFloat32);
}

// Between whole numbers from -levels / 2 to levels / 2 - 1, of an even number of levels.
at::Tensor VectorQuantiser::bounded(const at::Tensor& z) const {
  constexpr double kOver = 1e-3, kOffset = 0.5;
  std::vector<at::Tensor> columns;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const double half = static_cast<double>(levels_[i] - 1) * (1 + kOver) / 2;
    const double shift = std::atanh(kOffset / half);
    columns.push_back((z.select(1, static_cast<std::int64_t>(i)) + shift).tanh() * half - kOffset);
  }
  return torch::stack(columns, 1);
}

at::Tensor VectorQuantiser::fsq_codes(const at::Tensor& rounded) const {
  at::Tensor codes = torch::zeros({rounded.size(0)}, torch::kInt64);
  std::int64_t weight = 1;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const at::Tensor digit =
        rounded.select(1, static_cast<std::int64_t>(i)).to(torch::kInt64) + levels_[i] / 2;
    codes = codes + digit * weight;
    weight *= levels_[i];
  }
  return codes;
}

at::Tensor VectorQuantiser::codes(const at::Tensor& z) const {
  const torch::NoGradGuard constant;
  if (!levels_.empty()) return fsq_codes(bounded(z).round());
  return nearest_words(z, codebook());
}

Quantised VectorQuantiser::operator()(const at::Tensor& z) const {
  Quantised result;
  result.loss = z.sum() * 0;  // of fsq, and where there are no rows
  if (!levels_.empty()) {
    const at::Tensor rounded = straight_round(bounded(z));
    std::vector<at::Tensor> columns;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      columns.push_back(rounded.select(1, static_cast<std::int64_t>(i)) /
                        static_cast<double>(std::max<std::int64_t>(levels_[i] / 2, 1)));
    }
    result.values = torch::stack(columns, 1);
    result.codes = fsq_codes(rounded.detach());
    return result;
  }
  const at::Tensor all = codebook();
  {
    const torch::NoGradGuard constant;
    result.codes = nearest_words(z, all);
  }
  const at::Tensor chosen = all.index_select(0, result.codes);
  result.values = z + (chosen - z).detach();
  if (z.size(0) == 0) return result;
  result.loss = options_.commitment * (chosen.detach() - z).square().mean();
  if (!counts_.defined()) result.loss = result.loss + (chosen - z.detach()).square().mean();
  return result;
}

void VectorQuantiser::follow(const at::Tensor& z, const at::Tensor& codes, Random& random) {
  if (!counts_.defined() || z.size(0) == 0) return;
  const torch::NoGradGuard constant;
  constexpr double kSmooth = 1e-5;
  const double fresh = 1 - options_.decay;
  const at::Tensor rows = z.detach();
  counts_.mul_(options_.decay).add_(torch::bincount(codes, {}, words()).to(torch::kFloat32), fresh);
  sums_.mul_(options_.decay).add_(torch::zeros_like(sums_).index_add_(0, codes, rows), fresh);
  const double mean = static_cast<double>(rows.size(0)) / static_cast<double>(words());
  // A codeword that has been chosen seldom takes the place of a vector of the batch, and a usual
  // count, so that it isn't moved again before it had its chance.
  std::vector<std::int64_t> dead, from;
  const auto count = counts_.accessor<float, 1>();
  for (std::int64_t k = 0; k < words(); ++k) {
    if (count[k] >= options_.restart * mean) continue;
    dead.push_back(k);
    from.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(z.size(0)))));
  }
  const at::Tensor places = torch::tensor(dead, torch::kInt64);
  counts_.index_fill_(0, places, mean);
  sums_.index_copy_(0, places, rows.index_select(0, torch::tensor(from, torch::kInt64)) * mean);
  words_.copy_(sums_ / (counts_.unsqueeze(1) + kSmooth * mean));
}

at::Tensor nearest_words(const at::Tensor& rows, const at::Tensor& words) {
  constexpr std::int64_t kMostProducts = 1 << 22;
  const at::Tensor flipped = words.t().contiguous();
  const at::Tensor norms = words.square().sum(1).unsqueeze(0);
  const std::int64_t piece = std::max<std::int64_t>(1, kMostProducts / words.size(0));
  std::vector<at::Tensor> found = {torch::empty({0}, torch::kInt64)};
  for (std::int64_t first = 0; first < rows.size(0); first += piece) {
    const at::Tensor some = rows.narrow(0, first, std::min(piece, rows.size(0) - first));
    found.push_back(torch::addmm(norms, some, flipped, 1, -2).argmin(1));
  }
  return torch::cat(found);
}

CodeUsage code_usage(const at::Tensor& codes, std::int64_t words) {
  if (codes.size(0) == 0) return {};
  const at::Tensor counts = torch::bincount(codes, {}, words).to(torch::kFloat64);
  const at::Tensor shares = counts / counts.sum();
  const at::Tensor used = shares.masked_select(shares.gt(0));
  return {static_cast<double>(used.size(0)) / static_cast<double>(words),
          std::exp(-(used * used.log()).sum().item<double>())};
}

}  // namespace kith::learn

#include "learn/codec/list_trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "codec/centres.h"
#include "codec/stage.h"
#include "encode/model_folder.h"
#include "index/lists_content.h"
#include "kith/exact.h"
#include "kith/trained_lists.h"
#include "kith/vectors.h"
#include "learn/device.h"
#include "learn/loss/list_losses.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

constexpr std::int64_t kWords = ProductQuantiser::kWords;

at::Tensor numbers(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

// Rows of a file, of length 1 under cosine.
Matrix<float> read_rows(const std::string& path, Metric metric, const Control& control) {
  const Vectors file = read_vectors(path, {.format = {}, .dataset = {}, .control = control});
  std::vector<std::uint32_t> all(file.rows.rows());
  std::iota(all.begin(), all.end(), 0U);
  return load_rows(file.rows, all, metric);
}

// Larger is nearer: products, or negative squared distances.
at::Tensor scores_of(const at::Tensor& queries, const at::Tensor& rows, Metric metric) {
  const at::Tensor products = queries.mm(rows.t());
  if (metric != Metric::l2) return products;
  return 2 * products - rows.square().sum(1).unsqueeze(0) - queries.square().sum(1).unsqueeze(1);
}

class ListTask : public TrainingTask {
 public:
  ListTask(const ListRecipe& recipe, const Control& control)
      : recipe_(recipe), control_(control), device_(find_device(recipe.train.device)) {
    const Matrix<float> rows = read_rows(recipe.vectors, recipe.metric, control);
    const Matrix<float> queries = read_queries(recipe.queries, rows.cols());
    learn(rows);
    teach(rows, queries);
    if (!recipe.held_out.empty()) {
      const Matrix<float> held = read_queries(recipe.held_out, rows.cols());
      held_out_ = turned(held);
      held_truth_ = exact(rows, held, kTruth);
    }
    sampler_.emplace(
        std::vector<SourceSize>{{queries.rows(), 1}},
        std::min<std::size_t>(static_cast<std::size_t>(recipe.train.batch), queries.rows()),
        recipe.train.seed);
  }

  Parameters trained() const override {
    Parameters all;
    all.add("centres", centres_);
    for (std::size_t m = 0; m < words_.size(); ++m)
      all.add("words." + std::to_string(m), words_[m]);
    return all;
  }
  std::int64_t parameters() const override { return trained().values(); }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  StepOutcome step(std::uint64_t seed, double scale) override {
    const BatchRows batch = sampler_->next();
    const auto [pool, own] = candidates_of(batch.rows, seed);
    std::vector<std::int64_t> queries(batch.rows.begin(), batch.rows.end());
    const at::Tensor q = queries_.index_select(0, numbers(queries)).to(device_);
    const at::Tensor rows = rows_.index_select(0, pool).to(device_);
    const at::Tensor centres = centres_.index_select(0, list_of_.index_select(0, pool).to(device_));
    const at::Tensor decoded = centres + decode(rows - centres.detach());
    const at::Tensor by_lists = loss(scores_of(q, centres, recipe_.metric), q, rows, own);
    const at::Tensor by_codes = loss(scores_of(q, decoded, recipe_.metric), q, rows, own);
    if (!list_weight_) {  // once, so that both count alike at first
      constexpr double kLeast = 0.01, kMost = 100;
      const double ratio = by_codes.item<double>() / (by_lists.item<double>() + 1e-6);
      list_weight_ = std::clamp(ratio, kLeast, kMost);
    }
    const at::Tensor sum = by_codes + *list_weight_ * by_lists;
    (sum * scale).backward();
    return {.loss = sum.item<double>(), .candidates = pool.size(0)};
  }

  // The weight of the lists' loss, which the first step decides.
  std::string state() const override {
    return list_weight_ ? nlohmann::json(*list_weight_).dump() : std::string("null");
  }
  void restore(const std::string& state) override {
    const nlohmann::json weight = nlohmann::json::parse(state);
    if (weight.is_number()) list_weight_ = weight.get<double>();
  }

  // How many of the 10 nearest are within the first 50 by codes: of all vectors, and of those in
  // the eight nearest lists.
  std::vector<Measure> validate() override {
    if (held_truth_.queries() == 0) return {};
    const torch::NoGradGuard constant;
    const at::Tensor centres = centres_.cpu().index_select(0, list_of_);
    const at::Tensor decoded = centres + decode_hard(rows_ - centres);
    double of_all = 0, of_lists = 0;
    const std::int64_t queries = held_out_.size(0);
    for (std::int64_t first = 0; first < queries; first += kPiece) {
      const at::Tensor q = held_out_.narrow(0, first, std::min(kPiece, queries - first));
      const at::Tensor scores = scores_of(q, decoded, recipe_.metric);
      of_all += found(scores, first);
      const std::int64_t probes = std::min<std::int64_t>(kProbes, centres_.size(0));
      const at::Tensor probed =
          std::get<1>(scores_of(q, centres_.cpu(), recipe_.metric).topk(probes, 1));
      at::Tensor open = torch::zeros({q.size(0), centres_.size(0)}, torch::kBool);
      open.scatter_(1, probed, true);
      const at::Tensor closed = open.index_select(1, list_of_).logical_not();
      of_lists += found(scores.masked_fill(closed, -std::numeric_limits<float>::infinity()), first);
    }
    const double wanted = static_cast<double>(queries * static_cast<std::int64_t>(kTruth));
    return {{"recall_10_at_50", of_all / wanted},
            {"recall_10_at_50_in_8_lists", of_lists / wanted}};
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    const torch::NoGradGuard constant;
    auto content = std::make_shared<ListsContent>();
    content->metric = recipe_.metric;
    const at::Tensor centres = centres_.detach().cpu();
    content->centres = matrix_of(rotation_.defined() ? centres.mm(rotation_) : centres);
    content->quantiser = quantiser_;
    std::vector<float> words(quantiser_.words().size());
    for (std::size_t m = 0; m < words_.size(); ++m) {
      const at::Tensor own = words_[m].detach().cpu();
      const auto at = own.accessor<float, 2>();
      for (std::int64_t j = 0; j < own.size(1); ++j) {
        for (std::int64_t w = 0; w < kWords; ++w) {
          words[(quantiser_.begin(m) + static_cast<std::size_t>(j)) * kWords +
                static_cast<std::size_t>(w)] = at[w][j];
        }
      }
    }
    content->quantiser.set_words(std::move(words));
    encode::NewFolder written(folder);
    TrainedLists(std::move(content)).save(written.file(kListsFile));
    for (const auto& [name, text] : files) encode::write_text(written.file(name), text);
    written.commit();
  }

 private:
  static constexpr std::size_t kTruth = 10;
  static constexpr std::int64_t kDepth = 50, kProbes = 8, kPiece = 64;

  Matrix<float> read_queries(const std::string& path, std::size_t dim) const {
    Matrix<float> rows = read_rows(path, recipe_.metric, control_);
    if (rows.cols() != dim) {
      refuse(path + ": of " + std::to_string(rows.cols()) + " dimensions, but " + recipe_.vectors +
             " has " + std::to_string(dim));
    }
    return rows;
  }

  Neighbours exact(const Matrix<float>& rows, const Matrix<float>& queries, std::size_t k) const {
    return exact_search(rows.view(), queries.view(),
                        {.k = std::min(k, rows.rows()),
                         .metric = recipe_.metric,
                         .control = without_progress(control_)});
  }

  // As the code sees them.
  at::Tensor turned(const Matrix<float>& rows) const {
    const at::Tensor all = tensor_of(rows.view());
    return rotation_.defined() ? all.mm(rotation_.t()) : all;
  }

  // What a build would learn, and which list each vector is in.
  void learn(const Matrix<float>& rows) {
    ListTraining training;
    training.metric = recipe_.metric;
    training.lists =
        recipe_.lists != 0
            ? recipe_.lists
            : static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(rows.rows())));
    training.parts = recipe_.parts != 0 ? recipe_.parts : (rows.cols() + 1) / 2;
    training.turn = recipe_.rotate ? ProductQuantiser::Turn::learned : ProductQuantiser::Turn::none;
    training.seed = recipe_.train.seed;
    training.control = without_progress(control_);
    const std::size_t least = std::max<std::size_t>(training.lists, ProductQuantiser::kWords);
    if (rows.rows() < least) {
      refuse(recipe_.vectors + ": " + std::to_string(rows.rows()) + " vectors, expected at least " +
             std::to_string(least) + ", as many as there are lists or codewords");
    }
    ListsContent content = learn_lists(rows.view(), training);
    quantiser_ = std::move(content.quantiser);
    if (quantiser_.rotation() != nullptr) rotation_ = tensor_of(quantiser_.rotation()->view());
    std::vector<std::uint32_t> nearest(rows.rows());
    const Centres centres(content.centres.clone());
    centres.nearest(rows, without_progress(control_), nearest);
    list_of_ = numbers({nearest.begin(), nearest.end()});
    rows_ = turned(rows);
    centres_ = turned(content.centres).to(device_).set_requires_grad(true);
    for (std::size_t m = 0; m < quantiser_.parts(); ++m) {
      const auto from = static_cast<std::int64_t>(quantiser_.begin(m)),
                 to = static_cast<std::int64_t>(quantiser_.begin(m + 1));
      std::vector<float> words;
      for (std::int64_t w = 0; w < kWords; ++w) {
        for (std::int64_t j = from; j < to; ++j) {
          words.push_back(quantiser_.words()[static_cast<std::size_t>(j * kWords + w)]);
        }
      }
      words_.push_back(
          torch::tensor(words).view({kWords, to - from}).to(device_).set_requires_grad(true));
    }
  }

  // The nearest vectors of each query, whose order is what is taught.
  void teach(const Matrix<float>& rows, const Matrix<float>& queries) {
    nearest_ = exact(rows, queries, recipe_.depth);
    queries_ = turned(queries);
  }

  // The rows that a batch's queries are asked about, each once, and where among them each query's
  // nearest is.
  std::pair<at::Tensor, at::Tensor> candidates_of(const std::vector<std::uint32_t>& batch,
                                                  std::uint64_t seed) const {
    std::vector<std::int64_t> pool;
    for (const std::uint32_t q : batch) {
      Random random(seed, q);
      pool.push_back(nearest_.ids(q, 0));
      const std::size_t others = std::min(recipe_.candidates, nearest_.k()) - 1;
      for (const std::uint32_t place : random_sample(nearest_.k() - 1, others, random.next())) {
        pool.push_back(nearest_.ids(q, place + 1));
      }
    }
    std::ranges::sort(pool);
    const auto [end, last] = std::ranges::unique(pool);
    pool.erase(end, last);
    std::vector<std::int64_t> own;
    for (const std::uint32_t q : batch) {
      const auto place = std::ranges::lower_bound(pool, std::int64_t{nearest_.ids(q, 0)});
      own.push_back(place - pool.begin());
    }
    return {numbers(pool), numbers(own)};
  }

  at::Tensor loss(const at::Tensor& student, const at::Tensor& queries, const at::Tensor& rows,
                  const at::Tensor& own) const {
    const double usual = recipe_.metric == Metric::cosine ? 0.05 : 1;
    const double temperature = recipe_.temperature > 0 ? recipe_.temperature : usual;
    if (recipe_.loss == "contrastive") {
      return torch::nll_loss((student / temperature).log_softmax(1), own.to(device_));
    }
    return list_loss(recipe_.loss, student, scores_of(queries, rows, recipe_.metric), temperature);
  }

  // -|x - w|^2 to each codeword, up to what is common to a row.
  static at::Tensor nearness(const at::Tensor& x, const at::Tensor& words) {
    return 2 * x.mm(words.t()) - words.square().sum(1).unsqueeze(0);
  }

  // What codes make of rows, with the gradient of the softmax in place of the choice's.
  at::Tensor decode(const at::Tensor& rows) const {
    std::vector<at::Tensor> parts;
    for (std::size_t m = 0; m < words_.size(); ++m) {
      const at::Tensor x = part_of(rows, m), near = nearness(x, words_[m]);
      const at::Tensor shares = near.softmax(1);
      const at::Tensor hard = torch::one_hot(near.argmax(1), kWords).to(shares.dtype());
      parts.push_back((hard - shares.detach() + shares).mm(words_[m]));
    }
    return torch::cat(parts, 1);
  }
  at::Tensor decode_hard(const at::Tensor& rows) const {
    std::vector<at::Tensor> parts;
    for (std::size_t m = 0; m < words_.size(); ++m) {
      const at::Tensor words = words_[m].cpu();
      parts.push_back(words.index_select(0, nearness(part_of(rows, m), words).argmax(1)));
    }
    return torch::cat(parts, 1);
  }
  at::Tensor part_of(const at::Tensor& rows, std::size_t m) const {
    const auto from = static_cast<std::int64_t>(quantiser_.begin(m)),
               to = static_cast<std::int64_t>(quantiser_.begin(m + 1));
    return rows.narrow(1, from, to - from);
  }

  // How many of the true nearest are among the best of each row of scores.
  double found(const at::Tensor& scores, std::int64_t first) const {
    const at::Tensor best = std::get<1>(scores.topk(std::min(kDepth, scores.size(1)), 1));
    const auto at = best.accessor<std::int64_t, 2>();
    double count = 0;
    for (std::int64_t q = 0; q < best.size(0); ++q) {
      std::unordered_set<std::int64_t> there;
      for (std::int64_t i = 0; i < best.size(1); ++i) there.insert(at[q][i]);
      for (std::size_t i = 0; i < held_truth_.k(); ++i) {
        const Id id = held_truth_.ids(static_cast<std::size_t>(first + q), i);
        count += id != kNoId && there.contains(std::int64_t{id}) ? 1 : 0;
      }
    }
    return count;
  }

  const ListRecipe& recipe_;
  const Control& control_;
  at::Device device_;
  ProductQuantiser quantiser_;
  at::Tensor rotation_;                   // undefined: none
  at::Tensor rows_, queries_, held_out_;  // as the code sees them
  at::Tensor list_of_;                    // int64, of each row
  at::Tensor centres_;
  std::vector<at::Tensor> words_;  // of each part, [16, width]
  Neighbours nearest_, held_truth_;
  std::optional<double> list_weight_;
  std::optional<Sampler> sampler_;
};

}  // namespace

TrainSummary train_lists(const ListRecipe& recipe, bool restart, const Control& control) {
  set_threads(control);
  expect_new_folder(recipe.output);
  ListTask task(recipe, control);
  return run_training(task, run_of(recipe, restart), control);
}

}  // namespace kith::learn

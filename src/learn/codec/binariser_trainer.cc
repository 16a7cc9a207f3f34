#include "learn/codec/binariser_trainer.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/stage.h"
#include "encode/model_folder.h"
#include "kith/exact.h"
#include "kith/trained_binariser.h"
#include "kith/vectors.h"
#include "learn/device.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

at::Tensor numbers(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, 1, true); }

// Rows of length 1.
Matrix<float> read_directions(const std::string& path, const Control& control) {
  const Vectors file = read_vectors(path, {.format = {}, .dataset = {}, .control = control});
  Matrix<float> rows(file.rows.rows(), file.rows.dim());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    file.rows.copy_row(i, rows.row(i));
    if (!(normalise(rows.row(i), rows.cols()) > 0)) {
      refuse(path + ": row " + std::to_string(i) + " is 0, but codes are of directions");
    }
  }
  return rows;
}

// Codes by the engine, as directions: [rows, dims].
at::Tensor coded(const Binariser& binariser, const Matrix<float>& rows, const Control& control) {
  Matrix<float> values(rows.rows(), binariser.dims);
  parallel_for(control, rows.rows(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<std::uint8_t> codes(binariser.dims);
    for (std::size_t i = begin; i < end; ++i) {
      binariser.encode(rows.row(i), codes.data());
      for (std::size_t j = 0; j < codes.size(); ++j) {
        values(i, j) = static_cast<float>(2 * codes[j] - (1 << binariser.bits) + 1);
      }
    }
  });
  return unit(tensor_of(values.view()));
}

// The codes that earlier batches' vectors had by the copy that moves slowly, and which those were.
struct Queue {
  std::vector<std::int64_t> rows;
  at::Tensor codes;  // [rows.size(), dims]

  void push(const std::vector<std::int64_t>& fresh, const at::Tensor& values, std::int64_t most) {
    rows.insert(rows.end(), fresh.begin(), fresh.end());
    codes = torch::cat({codes, values});
    const std::int64_t over = static_cast<std::int64_t>(rows.size()) - most;
    if (over <= 0) return;
    rows.erase(rows.begin(), rows.begin() + over);
    codes = codes.narrow(0, over, most).clone();
  }
};

class BinariserTask : public TrainingTask {
 public:
  BinariserTask(const BinariserRecipe& recipe, const Control& control)
      : recipe_(recipe), control_(control), device_(find_device(recipe.train.device)) {
    read();
    BinariserShape shape = recipe.shape;
    shape.dim = vectors_.cols();
    network_.emplace(shape, recipe.train.seed);
    slow_.emplace(shape, recipe.train.seed);
    for (const BinariserNetwork* network : {&*network_, &*slow_}) {
      for (const Parameter& each : network->parameters()) {
        at::Tensor value = each.value;
        value.set_data(value.to(device_));
      }
    }
    queue_.codes = torch::empty({0, static_cast<std::int64_t>(shape.dims)}).to(device_);
    sampler_.emplace(std::vector<SourceSize>{{static_cast<std::size_t>(queries_.size(0)), 1}},
                     std::min<std::size_t>(static_cast<std::size_t>(recipe.train.batch),
                                           static_cast<std::size_t>(queries_.size(0))),
                     recipe.train.seed);
  }

  Parameters trained() const override { return network_->parameters(); }
  std::int64_t parameters() const override { return trained().values(); }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  StepOutcome step(std::uint64_t seed, double scale) override {
    const BatchRows batch = sampler_->next();
    const std::vector<std::int64_t> asked(batch.rows.begin(), batch.rows.end()),
        own = draw_vectors(batch.rows, seed);
    const at::Tensor queries = rows_of(queries_, asked), vectors = rows_of(rows_, own);
    const at::Tensor both = torch::cat({queries, vectors});
    const std::int64_t count = queries.size(0);
    const at::Tensor codes = unit(network_->codes(both));

    std::vector<std::int64_t> candidates = own;
    candidates.insert(candidates.end(), queue_.rows.begin(), queue_.rows.end());
    const at::Tensor teacher = queries.mm(rows_of(rows_, candidates).t());
    const at::Tensor masked = same_as_query(asked, candidates);
    const at::Tensor query_codes = codes.narrow(0, 0, count);
    const auto loss_against = [&](const at::Tensor& their_codes) {
      return code_ranking_loss(query_codes.mm(their_codes.t()), teacher, masked, recipe_.loss);
    };
    at::Tensor loss = loss_against(torch::cat({codes.narrow(0, count, count), queue_.codes}));
    if (old_codes_.defined()) {
      loss = loss + recipe_.compatibility * loss_against(rows_of(old_codes_, candidates));
    }
    (loss * scale).backward();
    fill_queue(both, own);
    return {.loss = loss.item<double>(), .candidates = teacher.size(1)};
  }

  // The copy's weights and the queue.
  std::string state() const override {
    std::string bytes;
    const auto add = [&](const void* from, std::size_t size) {
      bytes.append(static_cast<const char*>(from), size);
    };
    const auto add_tensor = [&](const at::Tensor& tensor) {
      const at::Tensor flat = tensor.detach().to(torch::kCPU).contiguous();
      add(flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel()) * sizeof(float));
    };
    const std::uint64_t count = queue_.rows.size();
    add(&count, sizeof count);
    add(queue_.rows.data(), count * sizeof(std::int64_t));
    add_tensor(queue_.codes);
    for (const Parameter& each : slow_->parameters()) add_tensor(each.value);
    return bytes;
  }
  void restore(const std::string& state) override {
    const torch::NoGradGuard constant;
    std::size_t at = 0;
    const auto take = [&](void* to, std::size_t size) {
      if (state.size() - at < size) refuse("checkpoint: a binariser's state that is too short");
      std::memcpy(to, state.data() + at, size);
      at += size;
    };
    const auto take_tensor = [&](at::IntArrayRef shape) {
      at::Tensor values = torch::empty(shape);
      take(values.data_ptr<float>(), static_cast<std::size_t>(values.numel()) * sizeof(float));
      return values.to(device_);
    };
    std::uint64_t count = 0;
    take(&count, sizeof count);
    if (count > static_cast<std::uint64_t>(recipe_.queue)) {
      refuse("checkpoint: a queue of " + std::to_string(count) + " codes");
    }
    queue_.rows.resize(count);
    take(queue_.rows.data(), count * sizeof(std::int64_t));
    for (const std::int64_t row : queue_.rows) {
      if (row < 0 || row >= rows_.size(0)) refuse("checkpoint: a queue of other vectors");
    }
    queue_.codes = take_tensor({static_cast<std::int64_t>(count), queue_.codes.size(1)});
    for (const Parameter& each : slow_->parameters()) {
      at::Tensor value = each.value;
      value.copy_(take_tensor(value.sizes()));
    }
  }

  // How many of the 10 nearest are among the 10 nearest by codes, of at most kBase vectors; and of
  // old codes, where these are to be searched, too.
  std::vector<Measure> validate() override {
    if (held_truth_.queries() == 0) return {};
    const Binariser binariser = folded();
    const at::Tensor asked = coded(binariser, held_out_, control_);
    std::vector<Measure> measures = {
        {"recall_10", found(asked, coded(binariser, held_base_, control_))}};
    if (old_codes_.defined()) {
      measures.push_back(
          {"recall_10_of_old_codes", found(asked, old_codes_.cpu().index_select(0, held_rows_))});
    }
    return measures;
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    Binariser binariser = folded();
    binariser.compatible = old_version_;
    encode::NewFolder written(folder);
    TrainedBinariser(std::make_shared<const Binariser>(std::move(binariser)))
        .save(written.file(kBinariserFile));
    for (const auto& [name, text] : files) encode::write_text(written.file(name), text);
    written.commit();
  }

 private:
  static constexpr std::size_t kTruth = 10, kBase = 5000;

  void read() {
    vectors_ = read_directions(recipe_.vectors, control_);
    rows_ = tensor_of(vectors_.view());
    const std::size_t least = std::max<std::size_t>(recipe_.neighbours + 1, 2);
    if (vectors_.rows() < least) {
      refuse(recipe_.vectors + ": " + std::to_string(vectors_.rows()) +
             " vectors, expected at least " + std::to_string(least) +
             ", one more than neighbours to draw from");
    }
    if (recipe_.queries.empty()) {
      queries_ = rows_;
      learn_neighbours(vectors_, 1);
    } else {
      read_queries();
    }
    if (!recipe_.compatible_with.empty()) read_old();
    if (!recipe_.held_out.empty()) hold_out();
  }

  Matrix<float> read_like(const std::string& path) const {
    Matrix<float> rows = read_directions(path, control_);
    if (rows.cols() != vectors_.cols()) {
      refuse(path + ": of " + std::to_string(rows.cols()) + " dimensions, but " + recipe_.vectors +
             " has " + std::to_string(vectors_.cols()));
    }
    if (rows.rows() == 0) refuse(path + ": empty, expected at least one query");
    return rows;
  }

  void read_queries() {
    const Matrix<float> queries = read_like(recipe_.queries);
    queries_ = tensor_of(queries.view());
    if (!recipe_.paired) {
      learn_neighbours(queries, 0);
    } else if (queries.rows() != vectors_.rows()) {
      refuse(recipe_.queries + ": " + std::to_string(queries.rows()) + " queries, but " +
             recipe_.vectors + " has " + std::to_string(vectors_.rows()) +
             " vectors, expected pairs");
    }
  }

  // `itself`: 1 where a query is one of the vectors.
  void learn_neighbours(const Matrix<float>& queries, std::size_t itself) {
    nearest_ = exact_search(vectors_.view(), queries.view(),
                            {.k = std::min(recipe_.neighbours + itself, vectors_.rows()),
                             .metric = Metric::cosine,
                             .control = without_progress(control_)});
  }

  void read_old() {
    const std::string& folder = recipe_.compatible_with;
    const bool is_folder = std::filesystem::is_directory(folder);
    const TrainedBinariser old =
        TrainedBinariser::open(is_folder ? folder + "/" + kBinariserFile : folder);
    const Binariser& binariser = *old.content();
    if (binariser.dims != recipe_.shape.dims || binariser.bits != recipe_.shape.bits) {
      refuse(folder + ": " + old.codec() + ", but " +
             bits_name(recipe_.shape.dims, recipe_.shape.bits) +
             " is to be trained: codes that are compared have as many bits");
    }
    const Matrix<float> rows = read_directions(recipe_.old_vectors, control_);
    if (rows.rows() != vectors_.rows() || rows.cols() != binariser.dim) {
      refuse(recipe_.old_vectors + ": " + std::to_string(rows.rows()) + " vectors of " +
             std::to_string(rows.cols()) + " dimensions, expected " +
             std::to_string(vectors_.rows()) + ", those of the same items, of " +
             std::to_string(binariser.dim));
    }
    old_version_ = binariser.version;
    old_codes_ = coded(binariser, rows, control_);
  }

  void hold_out() {
    held_out_ = read_like(recipe_.held_out);
    const auto chosen = random_sample(vectors_.rows(), kBase, recipe_.train.seed);
    held_base_ = Matrix<float>(chosen.size(), vectors_.cols());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      std::copy_n(vectors_.row(chosen[i]), vectors_.cols(), held_base_.row(i));
    }
    held_rows_ = numbers({chosen.begin(), chosen.end()});
    held_truth_ = exact_search(held_base_.view(), held_out_.view(),
                               {.k = std::min(kTruth, held_base_.rows()),
                                .metric = Metric::cosine,
                                .control = without_progress(control_)});
  }

  at::Tensor rows_of(const at::Tensor& rows, const std::vector<std::int64_t>& which) const {
    return rows.index_select(0, numbers(which)).to(device_);
  }

  // A vector for each query.
  std::vector<std::int64_t> draw_vectors(const std::vector<std::uint32_t>& queries,
                                         std::uint64_t seed) const {
    std::vector<std::int64_t> rows;
    for (const std::uint32_t q : queries) {
      if (nearest_.queries() == 0) {
        rows.push_back(q);
        continue;
      }
      std::vector<std::int64_t> near;
      for (std::size_t i = 0; i < nearest_.k(); ++i) {
        const Id id = nearest_.ids(q, i);
        if (id != kNoId && !(asks_itself() && id == q)) near.push_back(id);
      }
      if (near.size() > recipe_.neighbours) near.resize(recipe_.neighbours);
      rows.push_back(near[Random(seed, q).below(near.size())]);
    }
    return rows;
  }

  bool asks_itself() const { return recipe_.queries.empty(); }

  at::Tensor same_as_query(const std::vector<std::int64_t>& asked,
                           const std::vector<std::int64_t>& candidates) const {
    if (!asks_itself()) {
      return torch::zeros(
          {static_cast<std::int64_t>(asked.size()), static_cast<std::int64_t>(candidates.size())},
          torch::TensorOptions(torch::kBool).device(device_));
    }
    return numbers(asked).unsqueeze(1).eq(numbers(candidates).unsqueeze(0)).to(device_);
  }

  // The copy follows the network, and what it makes of the batch's vectors joins the queue.
  void fill_queue(const at::Tensor& both, const std::vector<std::int64_t>& own) {
    if (recipe_.queue == 0) return;
    const torch::NoGradGuard constant;
    const Parameters now = network_->parameters();
    for (const Parameter& each : slow_->parameters()) {
      at::Tensor slow = each.value;
      slow.mul_(recipe_.momentum).add_(now[each.name], 1 - recipe_.momentum);
    }
    const auto count = static_cast<std::int64_t>(own.size());
    queue_.push(own, unit(slow_->codes(both)).narrow(0, both.size(0) - count, count),
                recipe_.queue);
  }

  // With means and variances over a sample of queries and vectors alike, as a batch has them.
  Binariser folded() const {
    constexpr std::size_t kSample = 2048;
    const auto some = [&](const at::Tensor& rows) {
      const auto chosen =
          random_sample(static_cast<std::size_t>(rows.size(0)), kSample, recipe_.train.seed);
      return rows_of(rows, {chosen.begin(), chosen.end()});
    };
    return network_->folded(torch::cat({some(queries_), some(rows_)}));
  }

  double found(const at::Tensor& queries, const at::Tensor& codes) const {
    const auto k = static_cast<std::int64_t>(held_truth_.k());
    const at::Tensor best = std::get<1>(queries.mm(codes.t()).topk(k, 1));
    const auto at = best.accessor<std::int64_t, 2>();
    double count = 0;
    for (std::int64_t q = 0; q < best.size(0); ++q) {
      for (std::size_t i = 0; i < held_truth_.k(); ++i) {
        const std::int64_t id{held_truth_.ids(static_cast<std::size_t>(q), i)};
        for (std::int64_t j = 0; j < k; ++j) count += at[q][j] == id ? 1 : 0;
      }
    }
    return count / static_cast<double>(best.size(0) * k);
  }

  const BinariserRecipe& recipe_;
  const Control& control_;
  at::Device device_;
  Matrix<float> vectors_, held_out_, held_base_;
  at::Tensor rows_, queries_;  // [n, dim], of length 1; the same without queries of their own
  at::Tensor held_rows_;       // which rows held_base_ has
  at::Tensor old_codes_;       // of each row, by the old binariser; undefined without
  std::uint64_t old_version_ = 0;
  Neighbours nearest_, held_truth_;  // the first of no query where they are paired
  std::optional<BinariserNetwork> network_, slow_;
  Queue queue_;
  std::optional<Sampler> sampler_;
};

}  // namespace

TrainSummary train_binariser(const BinariserRecipe& recipe, bool restart, const Control& control) {
  set_threads(control);
  expect_new_folder(recipe.output);
  BinariserTask task(recipe, control);
  return run_training(task, run_of(recipe, restart), control);
}

}  // namespace kith::learn

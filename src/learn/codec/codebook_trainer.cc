#include "learn/codec/codebook_trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/random.h"
#include "codec/codebooks.h"
#include "codec/stage.h"
#include "encode/model_folder.h"
#include "kith/trained_codebooks.h"
#include "kith/vectors.h"
#include "learn/nn/blocks.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

// Rows of a file, of length 1 under cosine.
at::Tensor read_rows(const std::string& path, Metric metric, const Control& control) {
  const Vectors file = read_vectors(path, {.format = {}, .dataset = {}, .control = control});
  std::vector<std::uint32_t> all(file.rows.rows());
  std::iota(all.begin(), all.end(), 0U);
  const at::Tensor rows = tensor_of(load_rows(file.rows, all, metric).view());
  const at::Tensor finite = torch::isfinite(rows).all(1);
  if (!finite.all().item<bool>()) {
    const auto row = finite.logical_not().nonzero()[0][0].item<std::int64_t>();
    refuse(path + ": row " + std::to_string(row) + " has a value that isn't finite");
  }
  return rows;
}

at::Tensor rows_of(const at::Tensor& rows, const std::vector<std::uint32_t>& which) {
  const std::vector<std::int64_t> places(which.begin(), which.end());
  return rows.index_select(0, torch::tensor(places, torch::kInt64));
}

// One layer, or two with ReLU between them.
class SmallNetwork {
 public:
  SmallNetwork(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs, Random& random) {
    if (hidden != 0) add(inputs, hidden, random);
    add(hidden != 0 ? hidden : inputs, outputs, random);
  }
  at::Tensor operator()(const at::Tensor& x) const {
    const at::Tensor y = layers_.front()(x);
    return layers_.size() == 1 ? y : layers_.back()(y.relu());
  }
  Parameters parameters() const {
    Parameters all;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      all.add(std::to_string(i) + ".weight", layers_[i].weight);
      all.add(std::to_string(i) + ".bias", layers_[i].bias);
    }
    return all;
  }

 private:
  void add(std::int64_t inputs, std::int64_t outputs, Random& random) {
    Linear layer;
    layer.weight = uniform_tensor({outputs, inputs}, inputs, random).set_requires_grad(true);
    layer.bias = uniform_tensor({outputs}, inputs, random).set_requires_grad(true);
    layers_.push_back(layer);
  }
  std::vector<Linear> layers_;
};

// What learns one part's codewords.
struct Part {
  SmallNetwork encoder;
  VectorQuantiser quantiser;
  SmallNetwork decoder;

  at::Tensor folded() const { return decoder(quantiser.codebook()); }  // [K, width]
};

Part make_part(std::int64_t width, const CodebookRecipe& recipe, std::uint64_t seed) {
  constexpr std::int64_t kMostLatent = 32;
  QuantiserOptions options = recipe.quantiser;
  if (options.dim == 0) options.dim = std::min(width, kMostLatent);
  Random random(seed, 13);
  VectorQuantiser quantiser(options, seed);
  SmallNetwork encoder(width, recipe.hidden, quantiser.dim(), random);
  return {std::move(encoder), quantiser,
          SmallNetwork(quantiser.dim(), recipe.hidden, width, random)};
}

// Squared error and usage, as sums over parts until they are divided.
struct Quality {
  double error = 0, utilisation = 0, perplexity = 0;

  void add_usage(const CodeUsage& usage, std::size_t parts) {
    utilisation += usage.utilisation / static_cast<double>(parts);
    perplexity += usage.perplexity / static_cast<double>(parts);
  }
  void report(const std::string& prefix, std::vector<Measure>& to) const {
    to.push_back({prefix + "error", error, false});
    to.push_back({prefix + "utilisation", utilisation});
    to.push_back({prefix + "perplexity", perplexity});
  }
};

class CodebookTask : public TrainingTask {
 public:
  CodebookTask(const CodebookRecipe& recipe, const Control& control)
      : recipe_(recipe), control_(control) {
    if (recipe.train.device != "cpu") {
      refuse("train.device " + recipe.train.device + ": codebooks are trained on the cpu");
    }
    read();
    standardise();
    const auto dim = static_cast<std::size_t>(rows_.size(1));
    constexpr std::size_t kPartDimensions = 8;
    shape_ = Codebooks(
        dim, recipe.parts != 0 ? recipe.parts : (dim + kPartDimensions - 1) / kPartDimensions,
        recipe.quantiser.bits);
    if (static_cast<std::size_t>(rows_.size(0)) < shape_.words()) {
      refuse(recipe.vectors + ": " + std::to_string(rows_.size(0)) +
             " vectors to train on, expected at least " + std::to_string(shape_.words()) +
             ", as many as there are codewords");
    }
    for (std::size_t m = 0; m < shape_.parts(); ++m) {
      parts_.push_back(make_part(width_of(m), recipe, Random(recipe.train.seed, m).next()));
    }
    counted_ = rows_of(rows_, random_sample(static_cast<std::size_t>(rows_.size(0)),
                                            kRowsAWord * shape_.words(), recipe.train.seed));
    if (recipe.baseline) measure_baseline();
    sampler_.emplace(std::vector<SourceSize>{{static_cast<std::size_t>(rows_.size(0)), 1}},
                     std::min(static_cast<std::size_t>(recipe.train.batch),
                              static_cast<std::size_t>(rows_.size(0))),
                     recipe.train.seed);
  }

  Parameters trained() const override {
    Parameters all;
    for (std::size_t m = 0; m < parts_.size(); ++m) {
      const std::string part = "." + std::to_string(m) + ".";
      all.add("encoder" + part, parts_[m].encoder.parameters());
      all.add("quantiser" + part, parts_[m].quantiser.parameters());
      all.add("decoder" + part, parts_[m].decoder.parameters());
    }
    return all;
  }
  std::int64_t parameters() const override { return trained().values(); }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  StepOutcome step(std::uint64_t seed, double scale) override {
    const at::Tensor batch = rows_of(rows_, sampler_->next().rows);
    double sum = 0;
    for (std::size_t m = 0; m < parts_.size(); ++m) {
      const at::Tensor x = part_of(batch, m), z = parts_[m].encoder(x);
      const Quantised quantised = parts_[m].quantiser(z);
      const at::Tensor loss = ((parts_[m].decoder(quantised.values) - x).square().mean() +
                               recipe_.weight * quantised.loss) /
                              static_cast<double>(parts_.size());
      (loss * scale).backward();
      sum += loss.item<double>();
      Random random(seed, m);
      parts_[m].quantiser.follow(z, quantised.codes, random);
    }
    return {.loss = sum};
  }

  // Counts and sums of codewords that follow means.
  std::string state() const override {
    std::string bytes;
    for (const Part& part : parts_) {
      for (const Parameter& each : part.quantiser.state()) {
        const at::Tensor flat = each.value.contiguous();
        bytes.append(reinterpret_cast<const char*>(flat.data_ptr<float>()),
                     static_cast<std::size_t>(flat.numel()) * sizeof(float));
      }
    }
    return bytes;
  }
  void restore(const std::string& state) override {
    std::size_t at = 0;
    for (const Part& part : parts_) {
      for (const Parameter& each : part.quantiser.state()) {
        const std::size_t size = static_cast<std::size_t>(each.value.numel()) * sizeof(float);
        if (state.size() - at < size) refuse("checkpoint: codebooks' state that is too short");
        std::memcpy(each.value.data_ptr<float>(), state.data() + at, size);
        at += size;
      }
    }
  }

  std::vector<Measure> validate() override {
    const torch::NoGradGuard constant;
    Quality own, network;
    for (std::size_t m = 0; m < parts_.size(); ++m) {
      const Part& part = parts_[m];
      const at::Tensor x = part_of(held_out_, m), seen = part_of(counted_, m),
                       words = part.folded();
      own.error += squares(x - words.index_select(0, nearest_words(x, words)));
      own.add_usage(usage(nearest_words(seen, words)), parts_.size());
      network.error += squares(x - words.index_select(0, part.quantiser.codes(part.encoder(x))));
      network.add_usage(usage(part.quantiser.codes(part.encoder(seen))), parts_.size());
    }
    own.error /= variance_;
    network.error /= variance_;
    std::vector<Measure> measures;
    own.report("", measures);
    network.report("network_", measures);
    if (recipe_.baseline) baseline_.report("kmeans_", measures);
    return measures;
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    const torch::NoGradGuard constant;
    auto content = std::make_shared<CodebooksContent>();
    content->metric = recipe_.metric;
    content->codebooks = shape_;
    std::vector<float> values(shape_.dim() * shape_.words());
    for (std::size_t m = 0; m < parts_.size(); ++m) {
      const at::Tensor words =
          (parts_[m].folded() * scale_ + part_of(mean_, m)).t().contiguous();  // [width, K]
      std::memcpy(&values[shape_.begin(m) * shape_.words()], words.data_ptr<float>(),
                  static_cast<std::size_t>(words.numel()) * sizeof(float));
    }
    content->codebooks.set(std::move(values));
    encode::NewFolder written(folder);
    TrainedCodebooks(std::move(content)).save(written.file(kCodebooksFile));
    for (const auto& [name, text] : files) encode::write_text(written.file(name), text);
    written.commit();
  }

 private:
  static constexpr std::size_t kRowsAWord = 20;  // that tell whether a codeword is used

  void read() {
    const at::Tensor all = read_rows(recipe_.vectors, recipe_.metric, control_);
    if (!recipe_.held_out.empty()) {
      rows_ = all;
      held_out_ = read_rows(recipe_.held_out, recipe_.metric, control_);
      if (held_out_.size(1) != all.size(1) || held_out_.size(0) == 0) {
        refuse(recipe_.held_out + ": " + std::to_string(held_out_.size(0)) + " vectors of " +
               std::to_string(held_out_.size(1)) + " dimensions, expected some of " +
               std::to_string(all.size(1)));
      }
      return;
    }
    const auto count = static_cast<std::size_t>(all.size(0));
    const auto held = std::max<std::size_t>(
        1, static_cast<std::size_t>(recipe_.share * static_cast<double>(count)));
    if (count < 2) refuse(recipe_.vectors + ": " + std::to_string(count) + " vectors");
    std::vector<std::uint32_t> order = random_permutation(count, recipe_.train.seed);
    held_out_ = rows_of(all, {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(held)});
    order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(held));
    std::ranges::sort(order);
    rows_ = rows_of(all, order);
  }

  // The mean away, and the mean square of a component 1, as networks expect it.
  void standardise() {
    mean_ = rows_.to(torch::kFloat64).mean(0).to(torch::kFloat32).unsqueeze(0);
    rows_ = rows_ - mean_;
    scale_ = std::sqrt(squares(rows_) / static_cast<double>(rows_.numel()));
    if (!(scale_ > 0)) refuse(recipe_.vectors + ": all vectors are equal");
    rows_ = rows_ / scale_;
    held_out_ = (held_out_ - mean_) / scale_;
    variance_ = std::max(squares(held_out_), 1e-30);
  }

  // What a build would learn without a training, of the same rows and bytes.
  void measure_baseline() {
    const torch::NoGradGuard constant;
    Codebooks learned = shape_;
    learned.learn(matrix_of(rows_), recipe_.train.seed, without_progress(control_));
    const auto count = static_cast<std::int64_t>(learned.words());
    const std::vector<float> values(learned.values().begin(), learned.values().end());
    const at::Tensor all =
        torch::tensor(values).view({static_cast<std::int64_t>(learned.dim()), count}).t();
    for (std::size_t m = 0; m < shape_.parts(); ++m) {
      const at::Tensor words = part_of(all, m).contiguous(), x = part_of(held_out_, m);
      baseline_.error += squares(x - words.index_select(0, nearest_words(x, words)));
      baseline_.add_usage(usage(nearest_words(part_of(counted_, m), words)), shape_.parts());
    }
    baseline_.error /= variance_;
  }

  static double squares(const at::Tensor& x) {
    return x.to(torch::kFloat64).square().sum().item<double>();
  }
  CodeUsage usage(const at::Tensor& codes) const {
    return code_usage(codes, static_cast<std::int64_t>(shape_.words()));
  }
  std::int64_t width_of(std::size_t m) const {
    return static_cast<std::int64_t>(shape_.begin(m + 1) - shape_.begin(m));
  }
  at::Tensor part_of(const at::Tensor& rows, std::size_t m) const {
    return rows.narrow(1, static_cast<std::int64_t>(shape_.begin(m)), width_of(m));
  }

  const CodebookRecipe& recipe_;
  const Control& control_;
  Codebooks shape_;                       // without codewords
  at::Tensor rows_, held_out_, counted_;  // standardised; the last of rows_
  at::Tensor mean_;                       // [1, dim]
  double scale_ = 1, variance_ = 1;
  std::vector<Part> parts_;
  Quality baseline_;
  std::optional<Sampler> sampler_;
};

}  // namespace

TrainSummary train_codebooks(const CodebookRecipe& recipe, bool restart, const Control& control) {
  set_threads(control);
  expect_new_folder(recipe.output);
  CodebookTask task(recipe, control);
  return run_training(task, run_of(recipe, restart), control);
}

}  // namespace kith::learn

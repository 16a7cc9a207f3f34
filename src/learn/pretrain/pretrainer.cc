#include "learn/pretrain/pretrainer.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/progress.h"
#include "learn/device.h"
#include "learn/refuse.h"
#include "learn/shards.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

class LanguageTask : public TrainingTask {
 public:
  LanguageTask(const PretrainRecipe& recipe, const Control& control,
               std::shared_ptr<const Processes> processes)
      : recipe_(recipe),
        options_(recipe.train),
        processes_(std::move(processes)),
        model_(recipe.model, recipe.train.seed) {
    if (recipe.sources.empty()) refuse("no data: expected at least one [[data]]");
    if (recipe.model.positions) refuse("model.positions: of kith train, which trains them alone");
    const auto most = static_cast<std::size_t>(options_.tokens);
    if (most > model_.max_tokens()) {
      refuse("train.tokens " + std::to_string(most) + ", expected the model's " +
             std::to_string(model_.max_tokens()) + " at most");
    }
    model_.to(find_device(options_.device));
    std::vector<SourceSize> sizes;
    for (const TextSourceOptions& source : recipe.sources) {
      sources_.emplace_back(source, model_.tokenizer(), most, control);
      sizes.push_back({sources_.back().pieces(), source.weight});
    }
    if (!recipe.held_out.files.empty()) {
      held_out_.emplace(recipe.held_out, model_.tokenizer(), most, control);
    }
    sampler_.emplace(sizes, static_cast<std::size_t>(options_.batch), options_.seed);
    objective_ =
        make_objective(model_, sources_.front().special(), recipe.objective, options_.seed);
    trained_ = model_.trained();
    // What only shapes vectors of whole texts gets no gradient here.
    trained_.add("head.", objective_->parameters());
  }

  Parameters trained() const override { return trained_; }
  std::int64_t parameters() const override {
    return model_.parameters().values() + objective_->parameters().values();
  }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  StepOutcome step(std::uint64_t seed, double scale) override {
    const BatchRows rows = sampler_->next();
    std::vector<TokenSequence> texts;
    for (const std::uint32_t row : rows.rows) texts.push_back(sources_[rows.source].piece(row));
    const Tokens tokens = pack_tokens(texts).to(model_.device());
    const std::vector<TokensPart> parts =
        cut(tokens, shard_size(tokens.sequences(), model_.device(), processes_->count()));
    const std::vector<std::size_t> own = processes_->share(parts.size());
    std::vector<LanguageLoss> losses(own.size());
    run_shards(own.size(), [&](std::size_t p) {
      const TokensPart& part = parts[own[p]];
      losses[p] = objective_->loss(part.tokens,
                                   {.training = true,
                                    .dropout = options_.dropout,
                                    .attention_dropout = options_.attention_dropout,
                                    .seed = seed},
                                   part.first);
    });
    const std::vector<Sum> sums = sums_over_processes(losses);
    ShardGradients gradients(trained_, own.size());
    run_shards(own.size(), [&](std::size_t p) {
      // Factors come in as gradients: were they multiplied here, on another thread than the losses,
      // autograd would add up the terms' gradients in an order of its own.
      std::vector<at::Tensor> means, factors;
      for (std::size_t t = 0; t < sums.size(); ++t) {
        const auto& [mean, weight] = losses[p].terms[t];
        if (weight == 0) continue;
        means.push_back(mean);
        factors.push_back(torch::full_like(mean, scale * weight / sums[t].weight));
      }
      if (!means.empty()) gradients.add(p, means, factors);
    });
    gradients.finish();
    return {.loss = loss_of(sums), .tokens = tokens.count(), .candidates = 0};
  }

  std::vector<Measure> validate() override {
    if (!held_out_) return {};
    nlohmann::json all = nlohmann::json::array();
    if (processes_->is_first()) {
      for (const Measure& each : held_out_measures()) {
        all.push_back({each.metric, each.value, each.more_is_better});
      }
    }
    std::string bytes;
    nlohmann::json::to_msgpack(all, bytes);
    std::vector<Measure> measures;
    for (const auto& each : nlohmann::json::from_msgpack(processes_->from_first(bytes))) {
      measures.push_back({each[0], each[1], each[2]});
    }
    return measures;
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    TextModel::Extras extras{.files = files};
    objective_->add_to(extras);
    model_.save(folder, extras);
  }

 private:
  // Of a term over parts of a batch.
  struct Sum {
    double value = 0, weight = 0;
  };

  std::vector<Sum> sums_of(const std::vector<LanguageLoss>& losses) const {
    std::vector<Sum> sums(objective_->terms());
    for (const LanguageLoss& each : losses) {
      for (std::size_t t = 0; t < sums.size(); ++t) {
        const auto& [mean, weight] = each.terms[t];
        if (weight == 0) continue;
        sums[t].value += mean.item<double>() * weight;
        sums[t].weight += weight;
      }
    }
    return sums;
  }

  std::vector<Sum> sums_over_processes(const std::vector<LanguageLoss>& losses) const {
    std::vector<Sum> sums = sums_of(losses);
    at::Tensor values = torch::empty({static_cast<std::int64_t>(2 * sums.size())}, torch::kFloat64);
    auto* at = values.data_ptr<double>();
    for (const Sum& each : sums) {
      *at++ = each.value;
      *at++ = each.weight;
    }
    processes_->sum(values);
    at = values.data_ptr<double>();
    for (Sum& each : sums) {
      each.value = *at++;
      each.weight = *at++;
    }
    return sums;
  }

  static double loss_of(const std::vector<Sum>& sums) {
    double loss = 0;
    for (const Sum& each : sums) loss += each.weight > 0 ? each.value / each.weight : 0;
    return loss;
  }

  std::vector<Measure> held_out_measures() {
    constexpr std::size_t kBatch = 32;
    constexpr std::uint64_t kSeed = 1;  // the same masks at every validation
    const torch::NoGradGuard constant;
    const std::size_t count =
        std::min(held_out_->pieces(), static_cast<std::size_t>(recipe_.held_out_pieces));
    std::vector<LanguageLoss> losses((count + kBatch - 1) / kBatch);
    run_shards(losses.size(), [&](std::size_t b) {
      std::vector<TokenSequence> texts;
      for (std::size_t i = b * kBatch; i < std::min(count, (b + 1) * kBatch); ++i) {
        texts.push_back(held_out_->piece(i));
      }
      losses[b] = objective_->loss(pack_tokens(texts).to(model_.device()), {.seed = kSeed},
                                   static_cast<std::int64_t>(b * kBatch));
    });
    return measures_of(losses);
  }

  std::vector<Measure> measures_of(const std::vector<LanguageLoss>& losses) const {
    const double loss = loss_of(sums_of(losses));
    std::vector<Measure> measures = {{"loss", loss, false}, {"perplexity", std::exp(loss), false}};
    for (std::size_t k = 0; k < losses.front().ahead.size(); ++k) {
      double sum = 0, count = 0;
      for (const LanguageLoss& each : losses) {
        sum += each.ahead[k].first;
        count += each.ahead[k].second;
      }
      if (count == 0) continue;
      measures.push_back({"perplexity_" + std::to_string(k + 1), std::exp(sum / count), false});
    }
    return measures;
  }

  const PretrainRecipe& recipe_;
  const PretrainOptions& options_;
  std::shared_ptr<const Processes> processes_;
  TextModel model_;
  std::vector<Corpus> sources_;
  std::optional<Corpus> held_out_;
  std::optional<Sampler> sampler_;
  std::unique_ptr<LanguageObjective> objective_;
  Parameters trained_;
};

}  // namespace

TrainSummary pretrain(const PretrainRecipe& recipe, bool restart, const Control& control,
                      std::shared_ptr<const Processes> processes) {
  set_threads(control);
  keep_memory();
  expect_new_folder(recipe.output);
  LanguageTask task(recipe, before_steps(control, *processes), processes);
  TrainingRun run = run_of(recipe, restart);
  run.processes = std::move(processes);
  return run_training(task, run, control);
}

}  // namespace kith::learn

#include "learn/relevance/relevance_trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "datasets/split.h"
#include "encode/model_files.h"
#include "encode/model_folder.h"
#include "judge/nearest.h"
#include "kith/judge.h"
#include "kith/relevance_metrics.h"
#include "learn/device.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

// Queries of unit length [Q, dim] with their hits: cosines and labels [Q, k], and which of these
// there are.
struct Lists {
  at::Tensor queries, cosines, labels, there;

  std::int64_t size() const { return queries.size(0); }
  Lists rows(const at::Tensor& which) const {
    return {queries.index_select(0, which), cosines.index_select(0, which),
            labels.index_select(0, which), there.index_select(0, which)};
  }
};

// Of the queries that have a hit at all.
class ListMaker {
 public:
  ListMaker(const RetrievalTask& task, std::size_t depth) : task_(task), depth_(depth) {}

  void add(std::size_t q, const float* vector, std::size_t dim, const Neighbours& found) {
    std::unordered_set<std::uint32_t> relevant;
    for (const JudgedDocument& each : task_.judgements[q]) {
      if (each.grade > 0) relevant.insert(each.document);
    }
    std::vector<float> cosines, labels;
    for (std::size_t i = 0; i < found.k() && cosines.size() < depth_; ++i) {
      const Id id = found.ids(q, i);
      if (id == kNoId) break;
      if (task_.corpus.ids[id] == task_.queries.ids[q]) continue;  // as BEIR leaves it out
      cosines.push_back(customary(Metric::cosine, found.distances(q, i)));
      labels.push_back(relevant.contains(id) ? 1.0F : 0.0F);
    }
    if (cosines.empty()) return;
    double squares = 0;
    for (std::size_t j = 0; j < dim; ++j) squares += double{vector[j]} * vector[j];
    for (std::size_t j = 0; j < dim; ++j) {
      queries_.push_back(static_cast<float>(vector[j] / std::sqrt(squares)));
    }
    for (std::size_t i = 0; i < depth_; ++i) {
      const bool is_there = i < cosines.size();
      cosines_.push_back(is_there ? cosines[i] : 0);
      labels_.push_back(is_there ? labels[i] : 0);
      there_.push_back(is_there ? 1.0F : 0.0F);
    }
    ++count_;
  }

  Lists take(std::size_t dim) const {
    const auto rows = static_cast<std::int64_t>(count_);
    return {torch::tensor(queries_).view({rows, static_cast<std::int64_t>(dim)}), hits(cosines_),
            hits(labels_), hits(there_)};
  }

 private:
  at::Tensor hits(const std::vector<float>& values) const {
    return torch::tensor(values).view(
        {static_cast<std::int64_t>(count_), static_cast<std::int64_t>(depth_)});
  }

  const RetrievalTask& task_;
  std::size_t depth_, count_ = 0;
  std::vector<float> queries_, cosines_, labels_, there_;
};

class RelevanceTask : public TrainingTask {
 public:
  RelevanceTask(const RelevanceRecipe& recipe, const Control& control)
      : recipe_(recipe), control_(control), device_(find_device(recipe.train.device)) {
    const Task task = read_task(recipe.task);
    const auto* retrieval = std::get_if<RetrievalTask>(&task.content);
    if (retrieval == nullptr) {
      refuse(recipe.task + ": a task of type " + std::string(task_type(task)) +
             ", expected a retrieval");
    }
    read_lists(*retrieval);
    network_.emplace(trained_.queries.size(1), recipe.adapter, recipe.train.seed);
    start();
    for (const Parameter& each : network_->parameters()) {
      at::Tensor value = each.value;
      value.set_data(value.to(device_));
    }
    sampler_.emplace(std::vector<SourceSize>{{static_cast<std::size_t>(trained_.size()), 1}},
                     static_cast<std::size_t>(std::min(recipe.train.batch, trained_.size())),
                     recipe.train.seed);
  }

  Parameters trained() const override { return network_->parameters(); }
  std::int64_t parameters() const override { return network_->parameters().values(); }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  // The mean binary cross-entropy over all hits of the batch's queries.
  StepOutcome step(std::uint64_t seed, double scale) override {
    const BatchRows rows = sampler_->next();
    const std::vector<std::int64_t> numbers(rows.rows.begin(), rows.rows.end());
    const Lists batch = trained_.rows(torch::tensor(numbers));
    Dropout dropout(seed);
    const at::Tensor logits = network_->logits(batch.queries.to(device_), batch.cosines.to(device_),
                                               dropout, recipe_.train.dropout);
    const at::Tensor there = batch.there.to(device_);
    const at::Tensor loss = torch::binary_cross_entropy_with_logits(
                                logits, batch.labels.to(device_), there, {}, at::Reduction::Sum) /
                            there.sum();
    (loss * scale).backward();
    return {.loss = loss.item<double>()};
  }

  std::vector<Measure> validate() override {
    if (held_out_.size() == 0) return {};
    const Hits hits = hits_of(held_out_);
    const RelevanceScores scores = score_relevance(hits.view(), recipe_.recall);
    const RelevanceScores raw =
        score_relevance({hits.cosines, hits.relevant, hits.begin}, recipe_.recall);
    return {{"pr_auc", scores.pr_auc},
            {"precision", scores.precision},
            {"filtered", scores.filtered},
            {"cosine_pr_auc", raw.pr_auc},
            {"cosine_precision", raw.precision}};
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    RelevanceAdapter::Content content;
    content.mapping = recipe_.adapter.mapping;
    content.free_slope = recipe_.adapter.free_slope;
    content.layers = network_->layers();
    if (!recipe_.model.empty()) {
      content.model = encode::checksum_text(encode::model_checksum(recipe_.model));
    }
    if (held_out_.size() > 0) calibrate(content);
    encode::NewFolder written(folder);
    RelevanceAdapter(std::move(content)).save(written.file(kRelevanceFile));
    for (const auto& [name, text] : files) encode::write_text(written.file(name), text);
    written.commit();
  }

 private:
  struct Hits {
    std::vector<double> scores, cosines;
    std::vector<std::uint8_t> relevant;
    std::vector<std::size_t> begin = {0};
    FilteredHits view() const { return {scores, relevant, begin}; }
  };

  void read_lists(const RetrievalTask& task) {
    std::unique_ptr<Embedder> embedder;
    if (recipe_.model.empty()) {
      embedder = std::make_unique<ReadyVectors>(ReadyVectors::in_folder(recipe_.vectors));
    } else {
      embedder = std::make_unique<ModelVectors>(recipe_.model);
    }
    const Matrix<float> corpus = embed_all(*embedder, task.corpus, control_),
                        queries = embed_all(*embedder, task.queries, control_);
    if (corpus.cols() != queries.cols()) {
      refuse("documents of " + std::to_string(corpus.cols()) + " dimensions, but queries of " +
             std::to_string(queries.cols()));
    }
    const std::size_t most = std::min(recipe_.depth + 1, corpus.rows());  // one may be itself
    const Neighbours found = judge::nearest_by_cosine(corpus, queries, most, control_);
    ListMaker training(task, recipe_.depth), held_out(task, recipe_.depth);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const bool held =
          datasets::in_test(task.queries.ids[q], recipe_.held_out, recipe_.train.seed);
      (held ? held_out : training).add(q, queries.row(q), queries.cols(), found);
    }
    trained_ = training.take(queries.cols());
    held_out_ = held_out.take(queries.cols());
    const auto any = [](const Lists& lists) {
      return lists.size() > 0 && lists.labels.sum().item<double>() > 0;
    };
    if (!any(trained_) || (recipe_.held_out > 0 && !any(held_out_))) {
      refuse(recipe_.task + ": no relevant document among the first " +
             std::to_string(recipe_.depth) + " hits of " + std::to_string(queries.rows()) +
             " queries" + (any(trained_) ? " that are held out" : ""));
    }
  }

  // From the one curve that fits all queries best: where relevant hits are few, a network that
  // starts anywhere needs long to find how steep curves are.
  void start() {
    const RelevanceMapping mapping = recipe_.adapter.mapping;
    const double exponent = mapping == RelevanceMapping::sqrt        ? 0.5
                            : mapping == RelevanceMapping::quadratic ? 2
                                                                     : 1;
    Hits hits = hits_of(trained_);
    const RelevanceCurve straight{1, 0, exponent};
    double cosines = 0;
    for (std::size_t i = 0; i < hits.scores.size(); ++i) {
      hits.scores[i] = straight.logit(hits.cosines[i]);
      cosines += hits.cosines[i];
    }
    if (std::ranges::count(hits.relevant, 0) == 0) return;
    const auto count = static_cast<double>(hits.scores.size());
    const double rate = static_cast<double>(std::ranges::count(hits.relevant, 1)) / count;
    const LogisticFit fit = fit_logistic(hits.view());
    if (mapping == RelevanceMapping::offset || fit.gain <= 0) {
      network_->start_from(1, std::log(rate / (1 - rate)) - cosines / count);
    } else {
      network_->start_from(fit.gain, fit.bias);
    }
  }

  Hits hits_of(const Lists& lists) const {
    const torch::NoGradGuard constant;
    Dropout off;
    const at::Tensor logits =
        network_->logits(lists.queries.to(device_), lists.cosines.to(device_), off, 0).cpu();
    const auto z = logits.accessor<float, 2>(), cosines = lists.cosines.accessor<float, 2>(),
               labels = lists.labels.accessor<float, 2>(), there = lists.there.accessor<float, 2>();
    Hits hits;
    for (std::int64_t q = 0; q < lists.size(); ++q) {
      for (std::int64_t i = 0; i < logits.size(1); ++i) {
        if (there[q][i] == 0) continue;
        hits.scores.push_back(z[q][i]);
        hits.cosines.push_back(cosines[q][i]);
        hits.relevant.push_back(labels[q][i] > 0 ? 1 : 0);
      }
      hits.begin.push_back(hits.scores.size());
    }
    return hits;
  }

  // Platt's logistic fit of the logits ("Probabilistic outputs for support vector machines", 1999)
  // to held-out hits, and the relevance that keeps the wanted recall of them.
  void calibrate(RelevanceAdapter::Content& content) const {
    Hits hits = hits_of(held_out_);
    if (std::ranges::count(hits.relevant, 0) > 0) {
      const LogisticFit fit = fit_logistic(hits.view());
      if (fit.gain > 0) content.gain = fit.gain, content.bias = fit.bias;
    }
    const LogisticFit fitted{content.gain, content.bias};
    for (double& score : hits.scores) score = fitted(score);
    content.threshold = score_relevance(hits.view(), recipe_.recall).threshold;
    content.recall = recipe_.recall;
  }

  const RelevanceRecipe& recipe_;
  const Control& control_;
  at::Device device_;
  Lists trained_, held_out_;
  std::optional<RelevanceNetwork> network_;
  std::optional<Sampler> sampler_;
};

}  // namespace

TrainSummary train_relevance(const RelevanceRecipe& recipe, bool restart, const Control& control) {
  set_threads(control);
  expect_new_folder(recipe.output);
  RelevanceTask task(recipe, control);
  return run_training(task, run_of(recipe, restart), control);
}

}  // namespace kith::learn

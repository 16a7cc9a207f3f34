#include "learn/train/hard_negatives.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "kith/judge.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"
#include "mine/coded_vectors.h"
#include "mine/named_rankings.h"

namespace kith::learn {
namespace {

constexpr char kTrained[] = "model";

// The model that is trained, as the judge and the miner take models.
class TrainedModel : public Embedder {
 public:
  TrainedModel(const TextModel& model, const SourceOptions& source, const TextLimits& limits)
      : model_(model), source_(source), limits_(limits) {}

  std::string name() const override { return kTrained; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override {
    std::vector<std::string_view> texts;
    for (const std::uint32_t text : which) texts.emplace_back(part.texts[text]);
    return matrix_of(part.name == "queries"
                         ? embed_queries(model_, texts, source_, limits_, control)
                         : embed_documents(model_, texts, source_, limits_, control));
  }

 private:
  const TextModel& model_;
  const SourceOptions& source_;
  const TextLimits& limits_;
};

}  // namespace

HardNegatives::HardNegatives(const MineOptions& options, std::uint64_t seed,
                             const std::vector<Example>& examples)
    : options_(options) {
  options_.negatives.seed = seed;
  for (const Example& each : examples) texts_.add_pair(each.query, each.positive);
  for (const std::string& file : options.corpus) texts_.add_documents(file);
}

bool HardNegatives::is_due(std::int64_t step) const {
  return mined_at_ < 0 || (options_.every > 0 && step - mined_at_ >= options_.every);
}

void HardNegatives::mine(std::int64_t step, const TextModel& model, const SourceOptions& source,
                         const TextLimits& limits, std::vector<Example>& examples,
                         const Control& control, const TrainedCodebooks* codes) {
  TrainedModel trained(model, source, limits);
  std::map<std::string, Embedder*> known = {{kTrained, &trained}};
  std::optional<mine::CodedVectors> coded;
  if (codes != nullptr) known[mine::kOwnCodes] = &coded.emplace(trained, *codes);
  const mine::NamedRankings by(options_.by, options_.teacher, std::move(known));
  mine::NegativeOptions negatives = options_.negatives;
  negatives.control = control;
  mined_ = mine::mine_negatives(texts_, by.rankings(), by.teacher(), negatives);
  mined_at_ = step;
  assign(examples);
}

void HardNegatives::assign(std::vector<Example>& examples) const {
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples[i].negatives.clear();
    for (const std::uint32_t document : mined_.documents[i]) {
      examples[i].negatives.push_back(texts_.documents().texts[document]);
    }
    examples[i].scores.clear();
    if (!options_.scores) continue;
    examples[i].scores.assign(mined_.scores[i].begin(), mined_.scores[i].end());
  }
}

nlohmann::json HardNegatives::state() const {
  nlohmann::json state = {{"step", mined_at_}, {"documents", mined_.documents}};
  if (options_.scores) state["scores"] = mined_.scores;
  return state;
}

void HardNegatives::restore(const nlohmann::json& state, std::vector<Example>& examples) {
  state.at("step").get_to(mined_at_);
  state.at("documents").get_to(mined_.documents);
  if (options_.scores) state.at("scores").get_to(mined_.scores);
  if (mined_at_ < 0) return;
  const auto known = [&](const std::vector<std::uint32_t>& documents) {
    return std::ranges::all_of(documents, [&](std::uint32_t document) {
      return document < texts_.documents().texts.size();
    });
  };
  if (mined_.documents.size() != examples.size() || !std::ranges::all_of(mined_.documents, known)) {
    refuse("negatives were mined among other texts than there are now; --restart begins anew");
  }
  assign(examples);
}

}  // namespace kith::learn

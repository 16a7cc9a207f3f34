#include <algorithm>
#include <filesystem>

#include "base/random.h"
#include "encode/model_folder.h"
#include "encode/tensor_store.h"
#include "json/json.h"
#include "learn/loss/future_tokens.h"
#include "learn/loss/token_loss.h"
#include "learn/nn/tensor_files.h"
#include "learn/pretrain/language_head.h"
#include "learn/pretrain/language_objective.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// What is beside the model in its folder, for training that goes on.
constexpr char kConfig[] = "future/config.json", kTensors[] = "future/model.safetensors";

class FutureObjective : public LanguageObjective {
 public:
  FutureObjective(const TextModel& model, const LanguageOptions& options, std::uint64_t seed)
      : model_(model),
        head_(LanguageHead::causal(model)),
        decoder_(options.future, static_cast<std::int64_t>(model.transformer().config().width),
                 static_cast<std::int64_t>(model.transformer().config().heads), seed),
        places_(options.places),
        decay_(options.decay) {
    const std::string kept = model.base() + "/" + kTensors;
    if (!model.base().empty() && std::filesystem::exists(kept)) go_on_from(kept);
    for (const Parameter& each : decoder_.parameters()) {
      at::Tensor value = each.value;
      value.set_data(value.to(model.device()));
    }
  }

  LanguageLoss loss(const Tokens& tokens, const ForwardOptions& forward,
                    std::int64_t first) const override {
    const FutureDecoderOptions& options = decoder_.options();
    const std::vector<std::size_t> begin(tokens.begin.begin(), tokens.begin.end());
    const std::vector<std::size_t> places = draw_places(tokens, forward, first);
    const at::Tensor targets = future_targets(tokens.ids, begin, places, options.ahead);
    const at::Tensor at = index_tensor({places.begin(), places.end()}, tokens.ids);
    // What lies beyond a text's end is read as token 0, by rows alone that nothing is asked of.
    const at::Tensor read = targets.narrow(1, 0, options.ahead - 1).clamp_min(0);
    const at::Tensor states = states_of(tokens, forward).index_select(0, at);
    const at::Tensor written =
        decoder_(states, torch::embedding(head_.table(), tokens.ids.index_select(0, at)),
                 torch::embedding(head_.table(), read));
    LanguageLoss loss{
        .terms = {{.mean = future_tokens(written, head_.table(), {}, targets, {decay_}),
                   .weight = static_cast<double>(places.size())}}};
    if (!forward.training) loss.ahead = surprises(written, targets);
    return loss;
  }
  Parameters parameters() const override {
    Parameters all = head_.parameters();
    all.add("future.", decoder_.parameters());
    return all;
  }
  void add_to(TextModel::Extras& extras) const override {
    const FutureDecoderOptions& options = decoder_.options();
    head_.add_to(extras);
    extras.files[kConfig] = nlohmann::ordered_json({{"layers", options.layers},
                                                    {"pseudo_tokens", options.pseudo_tokens},
                                                    {"ahead", options.ahead},
                                                    {"heads", options.heads},
                                                    {"first", options.first},
                                                    {"raw_states", options.raw_states}})
                                .dump(2) +
                            "\n";
    extras.tensors[kTensors].add("", decoder_.parameters());
  }

 private:
  void go_on_from(const std::string& path) {
    const auto store = encode::TensorStore::open_file(path);
    Parameters kept;
    for (const Parameter& each : decoder_.parameters()) {
      kept.add(each.name, read_tensor(store, each.name, each.value.sizes()));
    }
    decoder_.parameters().assign(kept);
  }

  // A share of each text's places, at least one, drawn without putting back. The last has nothing
  // behind it.
  std::vector<std::size_t> draw_places(const Tokens& tokens, const ForwardOptions& forward,
                                       std::int64_t first) const {
    std::vector<std::size_t> places;
    for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
      const auto length = static_cast<std::size_t>(tokens.begin[s + 1] - tokens.begin[s]);
      if (length < 2) refuse("ftp: a text of one token, expected 2 or more");
      const auto some = static_cast<std::size_t>(places_ * static_cast<double>(length - 1) + 0.5);
      for (const std::uint32_t place :
           random_sample(length - 1, std::max<std::size_t>(1, some),
                         Random(forward.seed, static_cast<std::uint64_t>(first + s)).next())) {
        places.push_back(static_cast<std::size_t>(tokens.begin[s]) + place);
      }
    }
    return places;
  }

  at::Tensor states_of(const Tokens& tokens, const ForwardOptions& forward) const {
    const Transformer& transformer = model_.transformer();
    if (!decoder_.options().raw_states) {
      return transformer.states(tokens, transformer.layers(), forward).back();
    }
    return transformer.raw_state(tokens, forward);
  }

  std::vector<std::pair<double, double>> surprises(const at::Tensor& written,
                                                   const at::Tensor& targets) const {
    std::vector<std::pair<double, double>> ahead;
    for (std::int64_t k = 0; k < targets.size(1); ++k) {
      const at::Tensor there = (targets.select(1, k) != kNoToken).nonzero().squeeze(1);
      const at::Tensor losses =
          token_losses("ftp", written.select(1, k).index_select(0, there), head_.table(), {},
                       targets.select(1, k).index_select(0, there));
      ahead.emplace_back(losses.sum().item<double>(), static_cast<double>(there.size(0)));
    }
    return ahead;
  }

  const TextModel& model_;
  LanguageHead head_;
  FutureDecoder decoder_;
  double places_, decay_;
};

}  // namespace

std::unique_ptr<LanguageObjective> future_objective(const TextModel& model,
                                                    const LanguageOptions& options,
                                                    std::uint64_t seed) {
  return std::make_unique<FutureObjective>(model, options, seed);
}

}  // namespace kith::learn

#include "encode/transformer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <utility>

#include "base/parallel.h"
#include "encode/cached_attention.h"
#include "encode/context.h"
#include "encode/distance_bias.h"
#include "simd/activations.h"

namespace kith::encode {
namespace {

// Rotary tables are made for so many positions at once; longer sequences make their own.
constexpr std::size_t kTablePositions = 2048;
constexpr std::size_t kRowGrain = 16;
// Values of a batch's states from which on it pays to hand work on rows to other threads.
constexpr std::size_t kWorthThreads = 32 << 10;

void apply_norm(const Config& config, const Norm& norm, const float* x, std::size_t n, float* out) {
  const simd::ActivationKernels& kernels = simd::activation_kernels();
  const float* shift = norm.shift.rows() == 0 ? nullptr : norm.shift.data();
  const auto kernel = config.norm == NormKind::layer ? kernels.layer_norm : kernels.rms_norm;
  kernel(x, n, norm.scale.data(), shift, config.epsilon, out);
}

std::size_t longest(const Bounds& begin) {
  std::size_t most = 0;
  for (std::size_t s = 0; s + 1 < begin.size(); ++s) most = std::max(most, begin[s + 1] - begin[s]);
  return most;
}

// So many rows and columns of a buffer, which grows to have them.
MatrixView<float> room(Matrix<float>& buffer, std::size_t rows, std::size_t cols) {
  if (buffer.rows() < rows || buffer.cols() < cols) {
    buffer = Matrix<float>(std::max(rows, buffer.rows()), std::max(cols, buffer.cols()));
  }
  return {buffer.data(), rows, cols, buffer.stride_bytes()};
}

}  // namespace

Transformer::Transformer(Config config, Weights weights)
    : config_(std::move(config)), weights_(std::move(weights)) {
  for (const Rotary& rotary : config_.rotary) {
    std::size_t positions = std::min(kTablePositions, config_.max_tokens);
    if (rotary.scaling == RotaryScaling::dynamic) positions = std::min(positions, rotary.trained);
    rotary_.push_back(rotary_table(rotary, positions));
  }
}

// One batch on its way through the layers.
class TransformerRun {
 public:
  TransformerRun(const Transformer& model, const Control& control, const TokenBatch& batch,
                 TransformerScratch& scratch, KeyValueCache* cache)
      : model_(model),
        config_(model.config_),
        control_(control),
        cache_(cache),
        team_(control),
        shared_(batch.tokens() * config_.width >= kWorthThreads),
        batch_(batch),
        rows_(batch.tokens()),
        s_(scratch),
        embedded_(
            room(s_.embedded, config_.embedding_width != 0 ? rows_ : 0, config_.embedding_width)),
        state_(room(s_.state, rows_, config_.width)),
        normed_(room(s_.normed, config_.pre_norm ? rows_ : 0, config_.width)),
        qkv_(room(s_.qkv, rows_, (config_.heads + 2 * config_.kv_heads) * config_.head_dim)),
        regroups_(config_.context.extension == Extension::selfextend &&
                  longest(batch.begin) > config_.context.trained),
        grouped_(room(s_.grouped, regroups_ ? rows_ : 0, qk_width())),
        shifted_(room(s_.shifted, regroups_ ? rows_ : 0, qk_width())),
        attended_(room(s_.attended, rows_, config_.heads * config_.head_dim)),
        added_(room(s_.added, rows_, config_.width)),
        hidden_(room(s_.hidden, rows_, config_.gated ? 2 * config_.hidden : config_.hidden)),
        bias_(distance_bias(config_, model.weights_.bucket_bias, longest(batch.begin))) {
    s_.attention.resize(std::max(s_.attention.size(), team_.threads()));
    find_places();
    find_tables();
  }

  MatrixView<const float> run(std::size_t layers, bool final_norm, const SeeLayer& see) {
    embed();
    for (std::size_t l = 0; l < layers; ++l) {
      throw_if_cancelled(control_);
      if (see) see(l, state_);
      attention_block(l);
      mlp_block(model_.weights_.layers[l]);
    }
    if (final_norm && config_.final_norm) {
      for_rows([&](std::size_t i) { norm(model_.weights_.final_norm, state_.row(i)); });
    }
    if (see) see(layers, state_);
    return state_;
  }

 private:
  struct Place {
    std::uint32_t sequence, position;
  };

  std::size_t qk_width() const { return (config_.heads + config_.kv_heads) * config_.head_dim; }
  // Tokens that a sequence has in the cache.
  std::size_t past(std::size_t sequence) const {
    return cache_ == nullptr ? 0 : cache_->length(sequence);
  }
  std::size_t length_of(std::uint32_t sequence) const {
    return past(sequence) + batch_.begin[sequence + 1] - batch_.begin[sequence];
  }

  void find_places() {
    for (std::size_t s = 0; s < batch_.sequences(); ++s) {
      for (std::size_t i = batch_.begin[s]; i < batch_.begin[s + 1]; ++i) {
        places_.push_back({static_cast<std::uint32_t>(s),
                           static_cast<std::uint32_t>(past(s) + i - batch_.begin[s])});
      }
    }
  }

  // Each sequence's table for each kind of rotary embedding.
  void find_tables() {
    for (std::size_t r = 0; r < config_.rotary.size(); ++r) {
      std::vector<const RotaryTable*>& of_sequence = tables_.emplace_back();
      for (std::size_t s = 0; s < batch_.sequences(); ++s) {
        const std::size_t length = length_of(static_cast<std::uint32_t>(s));
        if (length <= model_.rotary_[r].cosines.rows()) {
          of_sequence.push_back(&model_.rotary_[r]);
          continue;
        }
        const auto [made, fresh] = long_tables_.try_emplace(std::pair(r, length));
        if (fresh) made->second = rotary_table(config_.rotary[r], length);
        of_sequence.push_back(&made->second);
      }
    }
  }

  void for_rows(const std::function<void(std::size_t)>& body) {
    team_.run(shared_, rows_, kRowGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) body(i);
    });
  }

  void norm(const Norm& norm, float* row) const {
    apply_norm(config_, norm, row, config_.width, row);
  }

  // Rows of the position table: tokens that aren't counted have the one before the first's.
  std::vector<std::size_t> position_rows() const {
    std::vector<std::size_t> rows(rows_);
    std::size_t counted = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
      const Place place = places_[i];
      if (i == batch_.begin[place.sequence]) counted = place.position;
      const bool skipped = config_.unpositioned && batch_.ids[i] == *config_.unpositioned;
      rows[i] = skipped ? config_.position_offset - 1
                        : config_.position_offset + position_id(config_.context, counted++,
                                                                length_of(places_[i].sequence));
    }
    return rows;
  }

  void embed() {
    const Weights& weights = model_.weights_;
    const bool learned = config_.position_rows != 0;
    const std::vector<std::size_t> positions =
        learned ? position_rows() : std::vector<std::size_t>();
    const std::size_t width = config_.input_width(0);
    const MatrixView<float> rows = config_.embedding_width != 0 ? embedded_ : state_;
    for_rows([&](std::size_t i) {
      float* row = rows.row(i);
      std::memcpy(row, weights.tokens.row(batch_.ids[i]), width * sizeof(float));
      if (learned) kernels_.add(weights.positions.row(positions[i]), width, row);
      if (config_.types != 0) kernels_.add(weights.types.row(batch_.types[i]), width, row);
      if (config_.embedding_norm) apply_norm(config_, weights.embedding_norm, row, width, row);
    });
    if (config_.embedding_width != 0) {
      simd::dense(team_, embedded_, weights.projection, state_, s_.dense);
    }
  }

  // The first columns of a buffer that serves layers of different widths.
  static MatrixView<float> columns(MatrixView<float> buffer, std::size_t count) {
    return {buffer.data(), buffer.rows(), count, buffer.stride_bytes()};
  }

  // The rows themselves, or with pre-norm a normalised copy.
  MatrixView<const float> block_input(MatrixView<const float> rows, const Norm* before) {
    if (before == nullptr) return rows;
    for_rows([&](std::size_t i) {
      apply_norm(config_, *before, rows.row(i), rows.cols(), normed_.row(i));
    });
    return columns(normed_, rows.cols());
  }

  // Adds a block's result to the state; with post-norm, normalises the sum.
  void add_result(const Norm& after) {
    for_rows([&](std::size_t i) {
      kernels_.add(added_.row(i), config_.width, state_.row(i));
      if (!config_.pre_norm) norm(after, state_.row(i));
    });
  }

  void attention_block(std::size_t l) {
    const LayerPlan& plan = config_.layers[l];
    const LayerWeights& layer = model_.weights_.layers[l];
    const bool norm_first = config_.pre_norm && plan.attention_norm;
    const MatrixView<float> input = config_.input_width(l) == config_.width ? state_ : embedded_;
    const MatrixView<float> qkv = columns(qkv_, layer.qkv.outputs());
    const MatrixView<float> attended = columns(attended_, layer.out.inputs());
    simd::dense(team_, block_input(input, norm_first ? &layer.attention_norm : nullptr), layer.qkv,
                qkv, s_.dense);
    const std::size_t dim = config_.head_dim_of(l);
    for_rows([&](std::size_t i) { prepare_heads(i, dim, plan, layer); });
    const AttentionInput attention{.qkv = qkv,
                                   .head_dim = dim,
                                   .begin = &batch_.begin,
                                   .plan = &plan,
                                   .distance_bias = bias_,
                                   .grouped = regroups(plan) ? grouped_ : MatrixView<float>(),
                                   .shifted = shifted_,
                                   .context = &config_.context};
    if (cache_ != nullptr) {
      attend_cached(team_, shared_, config_, attention, l, *cache_, attended);
    } else {
      attend(team_, shared_, config_, attention, s_.attention, attended);
    }
    simd::dense(team_, attended, layer.out, added_, s_.dense);
    add_result(layer.attention_norm);
  }

  // Norms, rotates and scales token i's queries and keys in place.
  void prepare_heads(std::size_t i, std::size_t dim, const LayerPlan& plan,
                     const LayerWeights& layer) {
    const Place place = places_[i];
    const std::size_t length = length_of(place.sequence);
    const bool regrouped = regroups(plan) && length > config_.context.trained;
    const bool each = config_.qk_norm || plan.rotary;
    for (std::size_t head = 0; each && head < config_.heads + config_.kv_heads; ++head) {
      float* x = qkv_.row(i) + head * dim;
      const bool query = head < config_.heads;
      if (config_.qk_norm) {
        const Norm& norm = query ? layer.query_norm : layer.key_norm;
        kernels_.rms_norm(x, dim, norm.scale.data(), nullptr, config_.epsilon, x);
      }
      if (regrouped) {
        const std::size_t grouped = grouped_position(config_.context, place.position);
        const std::size_t shifted = grouped + group_shift(config_.context);
        rotated_copy(*plan.rotary, place.sequence, grouped, x, dim, grouped_.row(i) + head * dim);
        rotated_copy(*plan.rotary, place.sequence, shifted, x, dim, shifted_.row(i) + head * dim);
      }
      if (plan.rotary) rotate(*plan.rotary, place.sequence, position_of(plan, place), x);
    }
    const auto scale =
        static_cast<float>(attention_scale(config_.context, plan, place.position, length)) /
        std::sqrt(static_cast<float>(dim));
    kernels_.scale(scale, config_.heads * dim, qkv_.row(i));
    if (!regrouped) return;
    kernels_.scale(scale, config_.heads * dim, grouped_.row(i));
    kernels_.scale(scale, config_.heads * dim, shifted_.row(i));
  }

  // Whether a layer scores far tokens of long sequences at grouped positions.
  bool regroups(const LayerPlan& plan) const { return regroups_ && plan.stretched && plan.rotary; }

  std::size_t position_of(const LayerPlan& plan, Place place) const {
    if (!plan.stretched) return place.position;
    return position_id(config_.context, place.position, length_of(place.sequence));
  }

  void rotate(std::size_t which, std::uint32_t sequence, std::size_t position, float* x) const {
    const Rotary& rotary = config_.rotary[which];
    const RotaryTable& table = *tables_[which][sequence];
    const auto kernel = rotary.interleaved ? kernels_.rotate_pairs : kernels_.rotate_halves;
    kernel(table.cosines.row(position), table.sines.row(position), rotary.dims / 2, x);
  }
  void rotated_copy(std::size_t which, std::uint32_t sequence, std::size_t position, const float* x,
                    std::size_t dim, float* to) const {
    std::memcpy(to, x, dim * sizeof(float));
    rotate(which, sequence, position, to);
  }

  void mlp_block(const LayerWeights& layer) {
    simd::dense(team_, block_input(state_, config_.pre_norm ? &layer.mlp_norm : nullptr), layer.up,
                hidden_, s_.dense, config_.gated ? Activation::identity : config_.activation);
    const std::size_t n = config_.hidden;
    if (config_.gated) {
      for_rows([&](std::size_t i) {
        float* row = hidden_.row(i);
        kernels_.gate(config_.activation, row, row + n, n, row);
      });
    }
    const MatrixView<const float> activated(hidden_.data(), rows_, n, hidden_.stride_bytes());
    simd::dense(team_, activated, layer.down, added_, s_.dense);
    add_result(layer.mlp_norm);
  }

  const Transformer& model_;
  const Config& config_;
  const Control& control_;
  KeyValueCache* const cache_;
  WorkerTeam team_;
  const bool shared_;  // work on rows; dense layers see for themselves what is worth it
  const TokenBatch& batch_;
  const simd::ActivationKernels& kernels_ = simd::activation_kernels();
  const std::size_t rows_;
  TransformerScratch& s_;
  const MatrixView<float> embedded_, state_, normed_, qkv_;
  const bool regroups_;  // whether a sequence is so long that SelfExtend groups its tokens
  const MatrixView<float> grouped_, shifted_, attended_, added_, hidden_;
  const Matrix<float> bias_;
  std::vector<Place> places_;
  std::vector<std::vector<const RotaryTable*>> tables_;
  std::map<std::pair<std::size_t, std::size_t>, RotaryTable> long_tables_;
};

MatrixView<const float> Transformer::run(const Control& control, const TokenBatch& batch,
                                         std::size_t layers, bool final_norm,
                                         TransformerScratch& scratch, const SeeLayer& see,
                                         KeyValueCache* cache) const {
  return TransformerRun(*this, control, batch, scratch, cache).run(layers, final_norm, see);
}

}  // namespace kith::encode

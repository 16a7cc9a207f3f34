#include "kith/encoder.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "base/parallel.h"
#include "base/progress.h"
#include "encode/architecture.h"
#include "encode/chunks.h"
#include "encode/context.h"
#include "encode/generate.h"
#include "encode/modules.h"
#include "encode/transformer.h"
#include "kith/error.h"

namespace kith {

using encode::Transformer;

struct Encoder::State {
  Transformer transformer;
  encode::Head head;
  EncoderInfo info;
  simd::PackedWeights output;  // of the vocabulary, for generate()
};

namespace {

// Tokens that go through the model together. More of them share a pass over the weights; fewer keep
// their activations in a core's second-level cache, which counts where products are quick.
constexpr std::size_t kBatchTokens = 384, kNarrowBatchTokens = 128;
// Tokens from which on a batch is worth a pass over the weights by one thread alone.
constexpr std::size_t kLeastApart = 64;

std::size_t batch_tokens(Precision precision) {
  return precision == Precision::f32 ? kBatchTokens : kNarrowBatchTokens;
}

[[noreturn]] void refuse(std::size_t sequence, const std::string& reason) {
  throw Error(ErrorCode::invalid_argument, "sequence " + std::to_string(sequence) + ": " + reason);
}

void check_below(std::size_t sequence, std::span<const std::uint32_t> values, std::size_t bound,
                 const char* what, const std::string& expected) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < bound) continue;
    refuse(sequence, std::string(what) + " " + std::to_string(values[i]) + " at token " +
                         std::to_string(i) + ", but " + expected);
  }
}

void check_sequence(const EncoderInfo& info, std::size_t types, std::size_t at,
                    const TokenSequence& sequence) {
  const std::size_t length = sequence.ids.size();
  if (length == 0) refuse(at, "no tokens");
  if (length > info.max_tokens) {
    refuse(at, std::to_string(length) + " tokens, but the model takes " +
                   std::to_string(info.max_tokens));
  }
  check_below(at, sequence.ids, info.vocabulary, "id",
              "the model has " + std::to_string(info.vocabulary));
  if (sequence.prompt > length) {
    refuse(at, "a prompt of " + std::to_string(sequence.prompt) + " tokens among " +
                   std::to_string(length));
  }
  if (sequence.lead + sequence.tail > length) {
    refuse(at, std::to_string(sequence.lead) + " and " + std::to_string(sequence.tail) +
                   " special tokens among " + std::to_string(length));
  }
  if (sequence.types.empty()) return;
  if (sequence.types.size() != length) {
    refuse(at, std::to_string(sequence.types.size()) + " types for " + std::to_string(length) +
                   " tokens");
  }
  // A model without segments takes no types but 0.
  check_below(at, sequence.types, std::max<std::size_t>(types, 1), "type",
              "the model has " + std::to_string(types));
}

encode::TokenBatch batch_of(std::span<const TokenSequence> sequences) {
  encode::TokenBatch batch;
  for (const TokenSequence& sequence : sequences) {
    batch.ids.insert(batch.ids.end(), sequence.ids.begin(), sequence.ids.end());
    batch.types.insert(batch.types.end(), sequence.types.begin(), sequence.types.end());
    batch.types.resize(batch.ids.size());
    batch.begin.push_back(batch.ids.size());
    batch.prompts.push_back(sequence.prompt);
  }
  return batch;
}

// Where batches start, and whether each thread takes batches of its own.
struct Batches {
  std::vector<std::size_t> starts;
  bool apart = false;
};

// Whole sequences, about `most` tokens or fewer a batch and the same number in each, so that
// threads which take their own end together.
Batches cut(std::span<const TokenSequence> sequences, std::size_t most, std::size_t threads) {
  std::size_t left = 0;
  for (const TokenSequence& sequence : sequences) left += sequence.ids.size();
  const std::size_t all = left;
  std::size_t count = (all + most - 1) / most;
  const std::size_t even = (count + threads - 1) / threads * threads;
  const bool apart = threads > 1 && all >= even * kLeastApart;
  if (apart) count = even;
  Batches batches;
  std::size_t tokens = 0, share = 0, largest = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::size_t length = sequences[i].ids.size();
    if (i == 0 || tokens + length / 2 > share) {
      share = left / (count - std::min(count - 1, batches.starts.size()));
      batches.starts.push_back(i);
      tokens = 0;
    }
    tokens += length;
    left -= length;
    largest = std::max(largest, tokens);
  }
  batches.starts.push_back(sequences.size());
  // Else threads would wait for the one with the longest text.
  batches.apart = apart && 4 * largest * threads <= 5 * all;
  return batches;
}

// A batch on its way: what runs it, and on which threads.
struct BatchRun {
  const encode::TokenBatch& batch;
  std::size_t first;  // number of its first sequence
  const encode::RunLayers& run;
  const Control& control;
};

// Calls `use` for every batch, from any thread. Threads that don't take batches of their own share
// each one's work.
using UseBatch = std::function<void(const BatchRun&)>;
void run_batches(const Transformer& transformer, std::span<const TokenSequence> sequences,
                 const EncodeOptions& options, std::size_t layers, const UseBatch& use) {
  const bool norm = layers == transformer.config().layers.size() || options.norm_early ||
                    transformer.config().norm_every_layer;
  const auto [starts, apart] =
      cut(sequences, batch_tokens(transformer.precision()), thread_count(options.control));
  const std::size_t batches = starts.size() - 1;
  Control outer = without_progress(options.control), inner = outer;
  (apart ? inner : outer).threads = 1;
  std::vector<encode::TransformerScratch> scratch(thread_count(outer));
  Progress progress(options.control, "encode", sequences.size());
  parallel_for(outer, batches, 1, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t b = begin; b < end; ++b) {
      const auto part = sequences.subspan(starts[b], starts[b + 1] - starts[b]);
      const encode::TokenBatch batch = batch_of(part);
      const encode::RunLayers run = [&](const encode::SeeLayer& see) {
        return transformer.run(inner, batch, layers, norm, scratch[worker], see);
      };
      use({.batch = batch, .first = starts[b], .run = run, .control = inner});
      progress.add(part.size());
    }
  });
}

std::size_t chosen_layer(const EncodeOptions& options, std::size_t layers) {
  const std::size_t layer = options.layer.value_or(layers);
  if (layer <= layers) return layer;
  throw Error(ErrorCode::invalid_argument, "layer " + std::to_string(layer) +
                                               ", but the model has layers 0 to " +
                                               std::to_string(layers));
}

void check_sequences(const EncoderInfo& info, std::size_t types,
                     std::span<const TokenSequence> sequences) {
  for (std::size_t i = 0; i < sequences.size(); ++i) check_sequence(info, types, i, sequences[i]);
}

// The vectors that states are multiplied by to score the next token: the table of tokens itself, or
// one of its own.
simd::PackedWeights output_of(const std::string& folder, const Json& json,
                              const Matrix<float>& tokens) {
  constexpr char kOwn[] = "lm_head.weight";
  const auto store = encode::TensorStore::open_folder(folder);
  if (json.boolean("tie_word_embeddings", true) || !store.has(kOwn)) return {tokens, nullptr};
  return {store.read(kOwn, tokens.rows(), tokens.cols()), nullptr};
}

// The tokens of row i between its padding.
TokenSequence unpadded(const PaddedTokens& tokens, std::size_t i) {
  const std::uint32_t* mask = tokens.mask.row(i);
  const std::size_t length = tokens.mask.cols();
  for (std::size_t j = 0; j < length; ++j) {
    if (mask[j] > 1) refuse(i, "mask " + std::to_string(mask[j]) + ", expected 0 or 1");
  }
  const auto first = static_cast<std::size_t>(std::find(mask, mask + length, 1u) - mask);
  const auto end = static_cast<std::size_t>(std::find(mask + first, mask + length, 0u) - mask);
  const auto again = static_cast<std::size_t>(std::find(mask + end, mask + length, 1u) - mask);
  if (again != length) {
    refuse(i, "the mask has a hole at token " + std::to_string(end) + "; tokens must lie together");
  }
  TokenSequence sequence{.ids = {tokens.ids.row(i) + first, end - first}, .types = {}};
  if (tokens.types.rows() != 0) sequence.types = {tokens.types.row(i) + first, end - first};
  return sequence;
}

void check_shapes(const PaddedTokens& tokens) {
  const auto same = [&](const auto& view) {
    return view.rows() == tokens.ids.rows() && view.cols() == tokens.ids.cols();
  };
  if (same(tokens.mask) && (tokens.types.rows() == 0 || same(tokens.types))) return;
  throw Error(ErrorCode::invalid_argument, "ids are " + std::to_string(tokens.ids.rows()) + " x " +
                                               std::to_string(tokens.ids.cols()) +
                                               ", but mask or types are not");
}

}  // namespace

Encoder::Encoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

const EncoderInfo& Encoder::info() const { return state_->info; }

Encoder Encoder::open(const std::string& folder, const ModelOptions& options) {
  const encode::Modules modules = encode::find_transformer(folder);
  const Json json = Json::read(modules.transformer + "/config.json");
  const encode::Architecture& architecture = encode::architecture_of(json);
  encode::Config config = encode::read_config(json);
  const encode::Names names = architecture.names(json, config);
  encode::Head head(modules, {.width = config.width, .layers = config.layers.size()});
  encode::RawWeights raw = encode::read_raw_weights(
      encode::TensorStore::open_folder(modules.transformer), names, config);
  const std::size_t trained =
      std::min(config.max_tokens, modules.max_tokens.value_or(config.max_tokens));
  config = encode::extended(std::move(config), options.context, trained);
  if (raw.positions.rows() < config.position_rows) {
    raw.positions = encode::stretched_table(raw.positions, config.position_offset, trained,
                                            config.context.stretch);
  }
  simd::PackedWeights output;
  if (options.generates) output = output_of(modules.transformer, json, raw.tokens);
  encode::Weights weights = encode::pack(std::move(raw), options.precision);
  EncoderInfo info{.architecture = config.architecture,
                   .layers = config.layers.size(),
                   .width = config.width,
                   .vocabulary = config.vocabulary,
                   .max_tokens = options.context.tokens != 0 ? options.context.tokens : trained,
                   .parameters = weights.parameters + head.parameters(),
                   .dim = head.dim(),
                   .by_token = modules.by_token,
                   .modules = head.descriptions(),
                   .precision = options.precision};
  return Encoder(std::make_unique<State>(Transformer(config, std::move(weights)), std::move(head),
                                         std::move(info), std::move(output)));
}

std::vector<std::vector<std::uint32_t>> Encoder::generate(
    std::span<const std::vector<std::uint32_t>> prompts, const GenerateOptions& options) const {
  if (state_->output.outputs() == 0) {
    throw Error(ErrorCode::invalid_argument, "a model that was opened without `generates`");
  }
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    check_below(p, prompts[p], state_->info.vocabulary, "id",
                "the model has " + std::to_string(state_->info.vocabulary));
  }
  return encode::generate(state_->transformer, state_->output, prompts, options);
}

Matrix<float> Encoder::encode(std::span<const TokenSequence> sequences,
                              const EncodeOptions& options) const {
  const Transformer& transformer = state_->transformer;
  const encode::Head& head = state_->head;
  encode::expect_whole_vectors(state_->info);
  check_sequences(state_->info, transformer.config().types, sequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (!head.pooling().include_prompt() && sequences[i].prompt == sequences[i].ids.size()) {
      refuse(i, "nothing but a prompt, which the pooling leaves out");
    }
  }
  const std::size_t layers = chosen_layer(options, state_->info.layers);
  if (layers < state_->info.layers && head.pooling().reads_all_layers()) {
    throw Error(ErrorCode::invalid_argument, "layer " + std::to_string(layers) +
                                                 ", but the model's pooling reads all of its " +
                                                 std::to_string(state_->info.layers));
  }
  const auto pooled = [&](std::span<const TokenSequence> some) {
    Matrix<float> vectors(some.size(), head.pooling().dim());
    run_batches(transformer, some, options, layers, [&](const BatchRun& run) {
      const auto rows = vectors.view().slice(run.first, run.batch.sequences());
      head.pooling().pool(run.control, run.batch, run.run, rows);
    });
    return vectors;
  };
  const encode::ContextPlan& context = transformer.config().context;
  if (context.extension != Extension::pcw) return head.apply(options.control, pooled(sequences));
  const encode::Chunks chunks(sequences, context.trained, head.pooling().include_prompt());
  return head.apply(options.control, chunks.means(pooled(chunks.all())));
}

Matrix<float> Encoder::encode(const PaddedTokens& tokens, const EncodeOptions& options) const {
  check_shapes(tokens);
  std::vector<TokenSequence> sequences;
  for (std::size_t i = 0; i < tokens.ids.rows(); ++i) sequences.push_back(unpadded(tokens, i));
  return encode(sequences, options);
}

namespace {

// Where each sequence's tokens begin among all; refuses sequences without states of their own.
std::vector<std::size_t> token_bounds(std::span<const TokenSequence> sequences,
                                      const encode::ContextPlan& context) {
  std::vector<std::size_t> begin = {0};
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::size_t length = sequences[i].ids.size();
    if (context.extension == Extension::pcw && length > context.trained) {
      refuse(i, std::to_string(length) +
                    " tokens, which have no states of their own in chunks of " +
                    std::to_string(context.trained));
    }
    begin.push_back(begin.back() + length);
  }
  return begin;
}

void copy_rows(MatrixView<const float> from, Matrix<float>& to, std::size_t first) {
  for (std::size_t i = 0; i < from.rows(); ++i) {
    std::memcpy(to.row(first + i), from.row(i), from.cols() * sizeof(float));
  }
}

}  // namespace

Matrix<float> Encoder::hidden_states(std::span<const TokenSequence> sequences,
                                     const EncodeOptions& options) const {
  const Transformer& transformer = state_->transformer;
  check_sequences(state_->info, transformer.config().types, sequences);
  const auto begin = token_bounds(sequences, transformer.config().context);
  Matrix<float> all(begin.back(), state_->info.width);
  run_batches(transformer, sequences, options, chosen_layer(options, state_->info.layers),
              [&](const BatchRun& run) { copy_rows(run.run({}), all, begin[run.first]); });
  return all;
}

Matrix<float> Encoder::token_vectors(std::span<const TokenSequence> sequences,
                                     const EncodeOptions& options) const {
  const Transformer& transformer = state_->transformer;
  const EncoderInfo& about = state_->info;
  check_sequences(about, transformer.config().types, sequences);
  const auto begin = token_bounds(sequences, transformer.config().context);
  Matrix<float> all(begin.back(), about.by_token ? about.dim : about.width);
  run_batches(transformer, sequences, options, chosen_layer(options, about.layers),
              [&](const BatchRun& run) {
                const MatrixView<const float> states = run.run({});
                const std::size_t first = begin[run.first];
                if (about.by_token) {
                  Matrix<float> own(states.rows(), states.cols());
                  copy_rows(states, own, 0);
                  copy_rows(state_->head.apply(run.control, std::move(own)), all, first);
                } else {
                  copy_rows(states, all, first);
                }
                for (std::size_t i = 0; i < states.rows(); ++i) {
                  encode::normalize(all.row(first + i), all.cols());
                }
              });
  return all;
}

}  // namespace kith

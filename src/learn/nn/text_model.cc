#include "learn/nn/text_model.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/read_file.h"
#include "encode/modules.h"
#include "encode/prompted_texts.h"
#include "encode/static_model.h"
#include "encode/thinking.h"
#include "kith/error.h"
#include "learn/nn/cross_attention.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/shards.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using nlohmann::json;

bool of_llamas_family(const std::string& type) {
  return type == "llama" || type == "mistral" || type == "qwen2" || type == "qwen3";
}

// config.json of a new model: the names that most architectures use, or GPT-2's.
json new_config(const ArchitectureOptions& options, std::size_t vocabulary) {
  const std::int64_t hidden = options.hidden != 0 ? options.hidden : 4 * options.width;
  json config = {{"model_type", options.type}, {"vocab_size", vocabulary}};
  if (options.type == "gpt2" || options.type == "nomic_bert") {
    config.update({{"n_embd", options.width},
                   {"n_inner", hidden},
                   {"n_layer", options.layers},
                   {"n_head", options.heads},
                   {"n_positions", options.max_tokens}});
  } else {
    config.update({{"hidden_size", options.width},
                   {"intermediate_size", hidden},
                   {"num_hidden_layers", options.layers},
                   {"num_attention_heads", options.heads},
                   {"max_position_embeddings", options.max_tokens}});
    if (of_llamas_family(options.type)) {
      config["num_key_value_heads"] = options.kv_heads != 0 ? options.kv_heads : options.heads;
      config["tie_word_embeddings"] = true;
    }
    if (options.type == "roberta" || options.type == "xlm-roberta") {
      config["pad_token_id"] = 1;
      config["max_position_embeddings"] = options.max_tokens + 2;
    }
  }
  config.update(options.config);
  return json::parse(config.dump());  // whole numbers as a file's are read
}

// A table of tokens' vectors as a transformer of no layers.
constexpr char kStatic[] = "static";

encode::Config static_config(std::size_t vocabulary, std::size_t width) {
  encode::Config config;
  config.architecture = kStatic;
  config.vocabulary = vocabulary;
  config.width = width;
  config.heads = config.kv_heads = 1;
  config.head_dim = width;
  config.max_tokens = encode::kUnlimited;
  return config;
}

const encode::Names kStaticNames{.tokens = encode::kStaticTensor, .prefixes = {}, .unused = {}};

struct DenseHead {
  at::Tensor weight, bias;
  simd::Activation activation = simd::Activation::identity;
  bool has_bias = true;
};

const char* torch_name(simd::Activation activation) {
  using simd::Activation;
  if (activation == Activation::tanh) return "torch.nn.modules.activation.Tanh";
  if (activation == Activation::relu) return "torch.nn.modules.activation.ReLU";
  if (activation == Activation::gelu) return "torch.nn.modules.activation.GELU";
  if (activation == Activation::silu) return "torch.nn.modules.activation.SiLU";
  return "torch.nn.modules.linear.Identity";
}

void write_dense(const encode::NewFolder& folder, const std::string& place, const DenseHead& head) {
  encode::write_json(folder.file(place + "/config.json"),
                     {{"in_features", head.weight.size(1)},
                      {"out_features", head.weight.size(0)},
                      {"bias", head.has_bias},
                      {"activation_function", torch_name(head.activation)}});
  Parameters parameters;
  parameters.add("linear.weight", head.weight);
  if (head.has_bias) parameters.add("linear.bias", head.bias);
  write_parameters(folder.file(place + "/model.safetensors"), parameters);
}

bool is_causal(const encode::Config& config) {
  return !config.layers.empty() && config.layers[0].forward == 0;
}

PooledModel pooled_model(const encode::Config& config) {
  return {.width = static_cast<std::int64_t>(config.width),
          .heads = static_cast<std::int64_t>(config.heads),
          .layers = static_cast<std::int64_t>(config.layers.size()),
          .causal = is_causal(config)};
}

}  // namespace

struct TextModel::State {
  State(const TextModelOptions& options, std::uint64_t seed);

  std::string base, tokenizer_json;
  std::optional<Tokenizer> tokenizer;
  json config;
  std::optional<Transformer> transformer;
  std::unique_ptr<Pooler> pooler;
  std::vector<DenseHead> dense;
  bool normalize = true;
  std::size_t max_tokens = 0;
  encode::Prompts prompts;
  std::optional<encode::Thinking> thinking;
  std::string thinking_json;  // the folder's file
  std::optional<encode::LateInteraction> late;
  at::Tensor skipped;  // int64: ids of tokens that documents leave out
  Parameters lora, positions;

  bool causal() const { return is_causal(transformer->config()); }
  bool is_static() const { return transformer->layers() == 0; }
  std::int64_t dim() const { return dense.empty() ? pooler->dim() : dense.back().weight.size(0); }
  bool norms_every_layer() const { return config.value("norm_every_layer", false); }

 private:
  void read_folder(const std::string& folder);
  void read_static(const encode::Modules& modules);
  void read_modules(const encode::Modules& modules);
  void read_heads(const encode::Modules& modules);
  void start(const ArchitectureOptions& options, std::uint64_t seed);
  void change(const TextModelOptions& options, std::uint64_t seed);
  void set_causal(bool wanted);
  void add_thinking(const ThinkingOptions& options, std::uint64_t seed);
  void become_late(const LateInteractionOptions& options, std::uint64_t seed);
  void add_markers(std::uint64_t seed);
  void find_skipped();
  void add_positions(const PositionsOptions& options);
  void replace(const encode::Config& sizes, const std::string& name, const at::Tensor& tensor);
  void add_tokens(const std::vector<std::string>& tokens, std::uint64_t seed);
  void add_dense(std::int64_t outputs, bool bias, std::uint64_t seed);

 public:
  at::Tensor through_heads(at::Tensor x) const;
  // Return how modules.json lists what they have written.
  std::vector<encode::Module> write_static(const encode::NewFolder& folder) const;
  std::vector<encode::Module> write_transformer(const encode::NewFolder& folder,
                                                const Extras& extras) const;
};

TextModel::State::State(const TextModelOptions& options, std::uint64_t seed) {
  if (options.base.empty()) {
    start(options.architecture, seed);
  } else {
    base = options.base;
    read_folder(options.base);
  }
  change(options, seed);
}

void TextModel::State::read_folder(const std::string& folder) {
  const encode::Modules modules = encode::find_modules(folder);
  tokenizer_json = read_file(modules.transformer + "/tokenizer.json");
  tokenizer = Tokenizer::parse(tokenizer_json, modules.transformer + "/tokenizer.json");
  prompts = encode::read_prompts(folder);
  late = encode::read_late_interaction(folder, prompts);
  find_skipped();
  if (modules.is_static) return read_static(modules);
  thinking = encode::read_thinking(folder, *tokenizer);
  if (thinking) thinking_json = read_file(folder + "/" + encode::kThinkingFile);
  const Json read = Json::read(modules.transformer + "/config.json");
  config = read.raw();
  const encode::Config sizes = encode::read_config(read);
  const encode::Names names = encode::architecture_of(read).names(read, sizes);
  const auto store = encode::TensorStore::open_folder(modules.transformer);
  transformer = Transformer::read(store, sizes, names);
  max_tokens = std::min(sizes.max_tokens, modules.max_tokens.value_or(sizes.max_tokens));
  read_modules(modules);
}

void TextModel::State::read_static(const encode::Modules& modules) {
  const auto store = encode::TensorStore::open_folder(modules.transformer);
  const encode::StaticShape shape = encode::static_shape(store);
  config = {{"model_type", kStatic}};
  transformer = Transformer::read(store, static_config(shape.tokens, shape.width), kStaticNames);
  max_tokens = encode::kUnlimited;
  pooler = make_pooler({}, pooled_model(transformer->config()), 0);
  normalize = !modules.ahead.empty();
  if (modules.by_token) read_heads(modules);
}

void TextModel::State::read_modules(const encode::Modules& modules) {
  pooler = read_pooler(modules, pooled_model(transformer->config()));
  read_heads(modules);
}

void TextModel::State::read_heads(const encode::Modules& modules) {
  normalize = false;
  for (const auto& [kind, folder] : modules.ahead) {
    if (kind == "Normalize") normalize = true;
    if (kind != "Dense") continue;
    const encode::DenseFile file = encode::read_dense(folder, static_cast<std::size_t>(dim()));
    DenseHead head{tensor_of(file.rows), tensor_of(file.bias).view({-1}), file.activation,
                   file.has_bias};
    head.weight.set_requires_grad(true);
    if (head.has_bias) head.bias.set_requires_grad(true);
    dense.push_back(std::move(head));
  }
}

void TextModel::State::start(const ArchitectureOptions& options, std::uint64_t seed) {
  if (options.tokenizer.empty()) refuse("a new model: no tokenizer, expected a tokenizer.json");
  tokenizer_json = read_file(options.tokenizer);
  tokenizer = Tokenizer::parse(tokenizer_json, options.tokenizer);
  if (options.type == kStatic) {
    config = {{"model_type", kStatic}};
    const auto width = static_cast<std::size_t>(options.width);
    transformer =
        Transformer::random(static_config(tokenizer->vocabulary_size(), width), kStaticNames, seed);
    max_tokens = encode::kUnlimited;
    pooler = make_pooler({}, pooled_model(transformer->config()), seed);
    return;
  }
  config = new_config(options, tokenizer->vocabulary_size());
  const Json read(config, "the new model's config.json");
  const encode::Config sizes = encode::read_config(read);
  transformer = Transformer::random(sizes, encode::architecture_of(read).names(read, sizes), seed);
  max_tokens = sizes.max_tokens;
  pooler = make_pooler({}, pooled_model(sizes), seed);
}

void TextModel::State::set_causal(bool wanted) {
  if (wanted == causal()) return;
  const std::string type = config.at("model_type");
  if (!of_llamas_family(type)) {
    refuse(std::string("a model of type ") + type + (wanted ? " can't be" : " is always") +
           " causal; llama, mistral, qwen2 and qwen3 can be either");
  }
  transformer->set_causal(wanted);
  config["is_causal"] = wanted;
}

void TextModel::State::add_dense(std::int64_t outputs, bool bias, std::uint64_t seed) {
  Random random(seed, 1);
  const std::int64_t inputs = dim();
  DenseHead head{uniform_tensor({outputs, inputs}, inputs, random), torch::zeros({outputs})};
  head.has_bias = bias;
  head.weight.set_requires_grad(true);
  head.bias.set_requires_grad(bias);
  dense.push_back(std::move(head));
}

void TextModel::State::change(const TextModelOptions& options, std::uint64_t seed) {
  const bool by_token = late || options.late_interaction;
  if (is_static() && (options.pooling || (options.dim != 0 && !by_token) || options.lora)) {
    refuse("a static model has no pooling but the mean, no dense layer and no LoRA");
  }
  if (by_token && (options.pooling || options.thinking || options.normalize)) {
    refuse("a late-interaction model has no pooling, no thinking, and vectors of length 1 always");
  }
  if (options.causal) set_causal(*options.causal);
  if (options.pooling) {
    pooler = make_pooler(*options.pooling, pooled_model(transformer->config()), seed);
    dense.clear();  // made for another pooling's vectors
  }
  if (options.dim < 0) refuse("dim " + std::to_string(options.dim));
  if (options.late_interaction && !late) dense.clear();  // made for whole texts' vectors
  const bool needs_dense = options.late_interaction && dense.empty() && !is_static();
  const std::int64_t outputs = needs_dense && options.dim == 0 ? kTokenDim : options.dim;
  if (outputs > 0) add_dense(outputs, !by_token, seed);
  normalize = options.normalize.value_or(normalize);
  if (options.norm_every_layer) {
    if (!transformer->config().final_norm) {
      refuse("norm_every_layer: a model of type " + transformer->config().architecture +
             " has no final norm");
    }
    config["norm_every_layer"] = true;
  }
  if (!options.prompts.empty()) prompts.by_name = options.prompts;
  if (!options.default_prompt.empty()) prompts.usual = options.default_prompt;
  if (!prompts.usual.empty() && !prompts.by_name.contains(prompts.usual)) {
    refuse("default prompt '" + prompts.usual + "', expected the name of one of the prompts");
  }
  if (options.thinking) add_thinking(*options.thinking, seed);
  if (options.late_interaction) become_late(*options.late_interaction, seed);
  if (options.positions) add_positions(*options.positions);
  if (options.lora && options.positions) refuse("either LoRA or longer positions is trained");
  if (options.lora) lora = transformer->add_lora(*options.lora, seed);
}

void TextModel::State::become_late(const LateInteractionOptions& options, std::uint64_t seed) {
  if (thinking) refuse("late interaction: the model thinks, expected one that doesn't");
  if (is_static() && options.query_expansion) {
    refuse("late interaction: query_expansion of a static model, whose tokens don't see others");
  }
  late.emplace();
  late->query_tokens = options.query_tokens;
  late->document_tokens = options.document_tokens;
  late->expand_queries = options.query_expansion;
  if (options.query_expansion) encode::mask_token(*tokenizer);  // throws where there is none
  if (options.skip_punctuation) late->skipped = encode::punctuation();
  const bool prompted = prompts.by_name.contains("query") || prompts.by_name.contains("document");
  if (options.markers && !is_static() && !prompted) add_markers(seed);
  find_skipped();
  normalize = false;
}

// ColBERT's [Q] and [D], spelled as PyLate does.
void TextModel::State::add_markers(std::uint64_t seed) {
  std::vector<std::string> missing;
  for (const auto& [name, token] : {std::pair("query", "[Q] "), {"document", "[D] "}}) {
    if (!tokenizer->id(token)) missing.emplace_back(token);
    prompts.by_name[name] = token;
  }
  if (!missing.empty()) add_tokens(missing, seed);
}

void TextModel::State::find_skipped() {
  if (!late) return;
  const std::vector<std::uint32_t> ids = encode::skipped_ids(*late, *tokenizer);
  skipped = torch::tensor(std::vector<std::int64_t>(ids.begin(), ids.end()), torch::kInt64);
}

void TextModel::State::add_thinking(const ThinkingOptions& options, std::uint64_t seed) {
  if (!causal()) refuse("thinking: tokens see those behind them, expected a causal model");
  const encode::ThinkingNames& names = options.names;
  std::vector<std::string> missing;
  for (const std::string& token :
       {names.query, names.query_end, names.thought, names.end, names.embed}) {
    if (!tokenizer->id(token)) missing.push_back(token);
  }
  if (!missing.empty()) add_tokens(missing, seed);
  thinking = encode::thinking_of(names, *tokenizer);
  thinking->query_tokens = options.query_tokens;
  thinking->thought_tokens = options.thought_tokens;
  thinking_json = encode::thinking_json(names, *thinking);
  pooler = make_pooler({.kind = "last"}, pooled_model(transformer->config()), seed);
}

// As special tokens, whose vectors start near the mean of all others'.
void TextModel::State::add_tokens(const std::vector<std::string>& tokens, std::uint64_t seed) {
  if (!config.value("tie_word_embeddings", true)) {
    refuse("new tokens for a model with output vectors of its own, expected tied ones");
  }
  constexpr double kSpread = 0.02;
  json file = json::parse(tokenizer_json);
  std::size_t next = tokenizer->vocabulary_size();
  for (const std::string& token : tokens) {
    file["added_tokens"].push_back({{"id", next++},
                                    {"content", token},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
  }
  tokenizer_json = file.dump();
  tokenizer = Tokenizer::parse(tokenizer_json, "the tokenizer with added tokens");
  config["vocab_size"] = next;
  const Json read(config, "the model's config.json");
  const encode::Config sizes = encode::read_config(read);
  const encode::Names& names = transformer->names();
  Random random(seed, 4);
  const at::Tensor own = transformer->parameters()[names.tokens].detach();
  at::Tensor added =
      own.mean(0).expand({static_cast<std::int64_t>(next) - own.size(0), -1}).clone();
  float* values = added.data_ptr<float>();
  for (std::int64_t i = 0; i < added.numel(); ++i) {
    values[i] += static_cast<float>(kSpread * random.normal());
  }
  replace(sizes, names.tokens, torch::cat({own, added}));
}

// The transformer with one tensor, and so its sizes, changed.
void TextModel::State::replace(const encode::Config& sizes, const std::string& name,
                               const at::Tensor& tensor) {
  Parameters parameters;
  for (const Parameter& each : transformer->parameters()) {
    parameters.add(each.name, each.name == name ? tensor : each.value);
  }
  const bool was_causal = causal();
  transformer = Transformer(sizes, transformer->names(), std::move(parameters));
  if (causal() != was_causal) transformer->set_causal(was_causal);
}

void TextModel::State::add_positions(const PositionsOptions& options) {
  const encode::Config& own = transformer->config();
  if (own.position_rows == 0) {
    refuse("positions: a model of type " + own.architecture +
           " has no table of them; the encoder's extensions take longer texts without training");
  }
  if (own.context.extension != Extension::none) {
    refuse("positions: they have been interpolated already");
  }
  const std::string& name = transformer->names().positions;
  const auto offset = static_cast<std::int64_t>(own.position_offset);
  const LongTable table = longer_table(transformer->parameters()[name].detach(), offset,
                                       static_cast<std::int64_t>(max_tokens), options);
  config[config.contains("n_positions") ? "n_positions" : "max_position_embeddings"] =
      static_cast<std::size_t>(offset + table.tokens);  // as a file's are read
  if (options.kind == "interpolated") config[encode::kInterpolatedFrom] = max_tokens;
  max_tokens = static_cast<std::size_t>(options.tokens);
  const Json read(config, "the model's config.json");
  replace(encode::read_config(read), name, table.rows);
  positions = transformer->train_positions(table.added);
  for (const Parameter& each : pooler->parameters()) each.value.set_requires_grad(false);
  for (const DenseHead& head : dense) {
    head.weight.set_requires_grad(false);
    if (head.has_bias) head.bias.set_requires_grad(false);
  }
}

std::vector<encode::Module> TextModel::State::write_static(const encode::NewFolder& folder) const {
  const std::string place = std::string("0_") + encode::kStaticEmbedding;
  encode::write_text(folder.file(place + "/tokenizer.json"), tokenizer_json);
  write_parameters(folder.file(place + "/model.safetensors"), transformer->parameters());
  return {{std::string("sentence_transformers.models.") + encode::kStaticEmbedding, place}};
}

std::vector<encode::Module> TextModel::State::write_transformer(const encode::NewFolder& folder,
                                                                const Extras& extras) const {
  json written = config;
  if (!extras.architecture.empty()) written["architectures"] = {extras.architecture};
  encode::write_json(folder.file("config.json"), written);
  encode::write_text(folder.file("tokenizer.json"), tokenizer_json);
  Parameters tensors;
  tensors.add(extras.prefix, transformer->merged());
  tensors.add("", extras.head);
  write_parameters(folder.file("model.safetensors"), tensors);
  encode::write_json(folder.file("sentence_bert_config.json"),
                     {{"max_seq_length", max_tokens}, {"do_lower_case", false}});
  std::vector<encode::Module> modules = {{"sentence_transformers.models.Transformer", ""}};
  if (late) return modules;
  for (encode::Module& each : pooler->write(folder)) modules.push_back(std::move(each));
  return modules;
}

TextModel::TextModel(const TextModelOptions& options, std::uint64_t seed)
    : state_(std::make_unique<State>(options, seed)) {}
TextModel::~TextModel() = default;
TextModel::TextModel(TextModel&&) noexcept = default;
TextModel& TextModel::operator=(TextModel&&) noexcept = default;

const Tokenizer& TextModel::tokenizer() const { return *state_->tokenizer; }
Transformer& TextModel::transformer() { return *state_->transformer; }
const Transformer& TextModel::transformer() const { return *state_->transformer; }
const Pooler& TextModel::pooler() const { return *state_->pooler; }
bool TextModel::causal() const { return state_->causal(); }
std::int64_t TextModel::dim() const { return state_->dim(); }
std::size_t TextModel::max_tokens() const { return state_->max_tokens; }
bool TextModel::normalized() const { return state_->normalize; }
const std::optional<encode::Thinking>& TextModel::thinking() const { return state_->thinking; }
const std::optional<encode::LateInteraction>& TextModel::late_interaction() const {
  return state_->late;
}
const std::map<std::string, std::string>& TextModel::prompts() const {
  return state_->prompts.by_name;
}

Parameters TextModel::parameters() const {
  Parameters all;
  all.add("transformer.", state_->transformer->parameters());
  all.add("lora.", state_->lora);
  all.add("positions.", state_->positions);
  all.add("pooling.", state_->pooler->parameters());
  for (std::size_t i = 0; i < state_->dense.size(); ++i) {
    const DenseHead& head = state_->dense[i];
    all.add("dense." + std::to_string(i) + ".weight", head.weight);
    if (head.has_bias) all.add("dense." + std::to_string(i) + ".bias", head.bias);
  }
  return all;
}

Parameters TextModel::trained() const {
  Parameters trained;
  for (const Parameter& each : parameters()) {
    if (each.value.requires_grad()) trained.add(each.name, each.value);
  }
  return trained;
}

TextModel::Texts TextModel::tokenize(std::span<const std::string_view> texts,
                                     const std::string& prompt, std::size_t most,
                                     const Control& control) const {
  const State& state = *state_;
  Truncation truncation = state.tokenizer->truncation().value_or(Truncation{});
  truncation.max_length = most == 0 ? state.max_tokens : std::min(most, state.max_tokens);
  truncation.stride = 0;
  Texts result;
  const bool special = !state.is_static();
  result.encodings =
      encode::tokenize(*state.tokenizer, texts, prompt, "", truncation, special, control);
  const std::size_t before = encode::prompt_tokens(*state.tokenizer, prompt, special);
  for (const Encoding& each : result.encodings) {
    result.sequences.push_back(
        {.ids = each.ids, .types = each.types, .prompt = std::min(before, each.ids.size())});
  }
  return result;
}

TextModel::Texts TextModel::tokenize(TextRole role, std::span<const std::string_view> texts,
                                     const std::string& prompt, std::size_t most,
                                     const Control& control) const {
  const State& state = *state_;
  if (!state.late) return tokenize(texts, prompt, most, control);
  const bool query = role == TextRole::query;
  const std::size_t own = query ? state.late->query_tokens : state.late->document_tokens;
  const std::size_t length = std::min(most == 0 ? own : std::min(most, own), state.max_tokens);
  Texts result = tokenize(texts, prompt, length, control);
  if (!query || !state.late->expand_queries) return result;
  if (!state.late->expansion_seen) {
    refuse("queries whose tokens don't see those that fill them up: attend_to_expansion_tokens");
  }
  const std::uint32_t mask = encode::mask_token(*state.tokenizer);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Encoding& encoding = result.encodings[i];
    encode::expand(encoding, mask, length);
    result.sequences[i].ids = encoding.ids;
    result.sequences[i].types = encoding.types;
  }
  return result;
}

at::Tensor TextModel::State::through_heads(at::Tensor x) const {
  for (const DenseHead& head : dense) {
    x = activate(head.activation,
                 torch::linear(x, head.weight, head.has_bias ? head.bias : at::Tensor()));
  }
  return x;
}

at::Tensor TextModel::token_vectors(const std::vector<at::Tensor>& states,
                                    std::size_t layer) const {
  const State& state = *state_;
  at::Tensor x = states.at(layer);
  if (layer < state.transformer->layers() && state.norms_every_layer()) {
    x = state.transformer->final_norm(x);
  }
  return torch::nn::functional::normalize(state.through_heads(x),
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

TokenSets TextModel::sets_of(TextRole role, const at::Tensor& vectors, const Tokens& tokens) const {
  const State& state = *state_;
  if (role == TextRole::query || !state.skipped.defined() || state.skipped.numel() == 0) {
    return {vectors, tokens.begin};
  }
  at::Tensor kept = torch::isin(tokens.ids.cpu(), state.skipped).logical_not();
  TokenSets sets;
  for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
    const std::int64_t first = tokens.begin[s], length = tokens.begin[s + 1] - first;
    at::Tensor own = kept.narrow(0, first, length);
    if (!own.any().item<bool>()) own.fill_(true);
    sets.begin.push_back(sets.begin.back() + own.sum().item<std::int64_t>());
  }
  sets.vectors = vectors.index_select(0, kept.nonzero().squeeze(1).to(vectors.device()));
  return sets;
}

TokenSets TextModel::embed_tokens(TextRole role, std::span<const std::string_view> texts,
                                  const std::string& prompt, const Control& control,
                                  std::size_t most) const {
  constexpr std::size_t kBatch = 64;
  const torch::NoGradGuard constant;
  const Texts tokenized = tokenize(role, texts, prompt, most, without_progress(control));
  const std::span<const TokenSequence> sequences = tokenized.sequences;
  std::vector<TokenSets> parts((sequences.size() + kBatch - 1) / kBatch);
  run_shards(parts.size(), [&](std::size_t part) {
    throw_if_cancelled(control);
    const std::size_t at = part * kBatch;
    const auto some = sequences.subspan(at, std::min(kBatch, sequences.size() - at));
    const Tokens tokens = pack_tokens(some).to(device());
    const std::size_t layers = transformer().layers();
    const at::Tensor vectors = token_vectors(transformer().states(tokens, layers), layers);
    parts[part] = sets_of(role, vectors.cpu(), tokens);
  });
  TokenSets sets;
  std::vector<at::Tensor> rows;
  for (const TokenSets& part : parts) {
    for (std::int64_t s = 0; s < part.size(); ++s) {
      sets.begin.push_back(sets.begin.back() + part.begin[s + 1] - part.begin[s]);
    }
    rows.push_back(part.vectors);
  }
  sets.vectors = rows.empty() ? torch::empty({0, dim()}) : torch::cat(rows);
  return sets;
}

at::Tensor TextModel::raw_vectors(const std::vector<at::Tensor>& states, std::size_t layer,
                                  const Tokens& tokens) const {
  const State& state = *state_;
  if (state.late) {
    refuse("a late-interaction model gives a vector for each token and none for a whole text");
  }
  at::Tensor x;
  if (layer < state.transformer->layers() && state.norms_every_layer()) {
    std::vector<at::Tensor> normed = states;
    normed.at(layer) = state.transformer->final_norm(states.at(layer));
    x = state.pooler->pool(normed, layer, tokens);
  } else {
    x = state.pooler->pool(states, layer, tokens);
  }
  return state.through_heads(x);
}

at::Tensor TextModel::vectors(const std::vector<at::Tensor>& states, std::size_t layer,
                              const Tokens& tokens) const {
  const at::Tensor raw = raw_vectors(states, layer, tokens);
  if (!state_->normalize) return raw;
  return torch::nn::functional::normalize(raw,
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

at::Tensor TextModel::embed(std::span<const std::string_view> texts, const std::string& prompt,
                            const Control& control, std::size_t most) const {
  return embed(tokenize(texts, prompt, most, without_progress(control)).sequences, control);
}

at::Tensor TextModel::embed(std::span<const TokenSequence> sequences,
                            const Control& control) const {
  constexpr std::size_t kBatch = 64;
  const torch::NoGradGuard constant;
  std::vector<at::Tensor> parts((sequences.size() + kBatch - 1) / kBatch);
  run_shards(parts.size(), [&](std::size_t part) {
    throw_if_cancelled(control);
    const std::size_t at = part * kBatch;
    const auto some = sequences.subspan(at, std::min(kBatch, sequences.size() - at));
    const Tokens tokens = pack_tokens(some).to(device());
    const std::size_t layers = transformer().layers();
    parts[part] = vectors(transformer().states(tokens, layers), layers, tokens).cpu();
  });
  return parts.empty() ? torch::empty({0, dim()}) : torch::cat(parts);
}

at::Device TextModel::device() const { return transformer().parameters().begin()->value.device(); }

void TextModel::to(const at::Device& device) {
  for (const Parameter& each : parameters()) {
    at::Tensor value = each.value;
    value.set_data(value.to(device));
  }
}

const nlohmann::json& TextModel::config() const { return state_->config; }
const std::string& TextModel::base() const { return state_->base; }

void TextModel::save(const std::string& path, const Extras& extras) const {
  const State& state = *state_;
  encode::NewFolder folder(path);
  std::vector<encode::Module> modules;
  if (state.is_static()) {
    modules = state.write_static(folder);
  } else {
    modules = state.write_transformer(folder, extras);
  }
  for (const DenseHead& head : state.dense) {
    const std::string place = std::to_string(modules.size()) + "_Dense";
    write_dense(folder, place, head);
    modules.push_back({"sentence_transformers.models.Dense", place});
  }
  if (state.normalize) {
    modules.push_back(
        {"sentence_transformers.models.Normalize", std::to_string(modules.size()) + "_Normalize"});
  }
  encode::write_modules(folder, modules);
  if (state.late) {
    encode::write_json(folder.file("config_sentence_transformers.json"),
                       encode::late_interaction_json(*state.late, state.prompts, *state.tokenizer));
  } else if (!state.prompts.by_name.empty()) {
    nlohmann::ordered_json prompts = {{"prompts", state.prompts.by_name}};
    if (!state.prompts.usual.empty()) prompts["default_prompt_name"] = state.prompts.usual;
    encode::write_json(folder.file("config_sentence_transformers.json"), prompts);
  }
  if (state.thinking) {
    encode::write_text(folder.file(encode::kThinkingFile), state.thinking_json);
  }
  for (const auto& [name, text] : extras.files) encode::write_text(folder.file(name), text);
  for (const auto& [name, own] : extras.tensors) write_parameters(folder.file(name), own);
  folder.commit();
}

}  // namespace kith::learn

#include "learn/nn/text_model_state.h"

#include <algorithm>

#include "base/read_file.h"
#include "encode/static_model.h"
#include "learn/nn/cross_attention.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
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
  read_heads(modules);
}

void TextModel::State::read_modules(const encode::Modules& modules) {
  pooler = read_pooler(modules, pooled_model(transformer->config()));
  read_heads(modules);
}

void TextModel::State::read_heads(const encode::Modules& modules) {
  normalize = false;
  for (const auto& [kind, folder] : modules.ahead) {
    if (kind == "Normalize") normalize = true;
    if (kind == encode::kConcepts) {
      concepts.emplace(encode::read_concepts(folder, static_cast<std::size_t>(pooled_dim())));
    }
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
  expect_own_heads(options);
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
  if (options.concepts) add_concepts(*options.concepts);
  if (options.lora && options.positions) refuse("either LoRA or longer positions is trained");
  if (options.lora) lora = transformer->add_lora(*options.lora, seed);
}

// What can't be changed beside concepts.
void TextModel::State::expect_own_heads(const TextModelOptions& options) const {
  if (!concepts && !options.concepts) return;
  if (concepts && options.concepts) {
    refuse(base +
           ": has concepts, whose list and order are part of the model; expected none in "
           "[model.concepts]");
  }
  if (late || options.late_interaction || thinking || options.thinking || options.positions) {
    refuse(
        "concepts: expected neither late interaction, thinking nor longer positions beside them");
  }
  if (concepts && (options.pooling || options.dim != 0)) {
    refuse(base +
           ": has concepts that are read from its own vectors; expected no other pooling or "
           "dim");
  }
}

// Behind all else. What their names say of texts is where they start from.
void TextModel::State::add_concepts(const ConceptOptions& options) {
  constexpr std::size_t kBatch = 256;
  const torch::NoGradGuard constant;
  std::vector<at::Tensor> vectors;
  for (std::size_t first = 0; first < options.concepts.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, options.concepts.size() - first);
    std::vector<std::vector<std::uint32_t>> ids;
    std::vector<TokenSequence> sequences;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string words = words_of_name(options.concepts[first + i].name);
      ids.push_back(tokenizer->encode(words, {.special_tokens = !is_static()}).ids);
      ids.back().resize(std::min(ids.back().size(), max_tokens));
      if (ids.back().empty()) ids.back().push_back(0);
    }
    for (const auto& each : ids) sequences.push_back({.ids = each, .types = {}});
    const Tokens tokens = pack_tokens(sequences);
    const std::size_t layers = transformer->layers();
    vectors.push_back(pooled(transformer->states(tokens, layers), layers, tokens));
  }
  if (vectors.empty()) refuse("concepts: none, expected at least one");
  concepts.emplace(options, torch::cat(vectors));
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

bool TextModel::State::causal() const { return is_causal(transformer->config()); }

at::Tensor TextModel::State::through_heads(at::Tensor x) const {
  for (const DenseHead& head : dense) {
    x = activate(head.activation,
                 torch::linear(x, head.weight, head.has_bias ? head.bias : at::Tensor()));
  }
  return x;
}

}  // namespace kith::learn

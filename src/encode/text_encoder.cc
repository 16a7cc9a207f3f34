#include "kith/text_encoder.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "encode/config.h"
#include "encode/late_interaction.h"
#include "encode/modules.h"
#include "encode/nvembed.h"
#include "encode/prompted_texts.h"
#include "encode/static_model.h"
#include "encode/thinking.h"
#include "json/json.h"
#include "kith/error.h"
#include "kith/tokenizer.h"
#include "text/utf8.h"

namespace kith {

using encode::kUnlimited;
using encode::StaticModel;

struct TextEncoder::State {
  Tokenizer tokenizer;
  std::variant<Encoder, StaticModel> model;
  encode::Prompts prompts;
  std::string end;  // what stands behind each text, before it is cut
  std::optional<Truncation> truncation;
  bool special = true;  // whether texts get what the tokenizer adds
  std::optional<encode::Thinking> thinking;
  std::optional<encode::LateInteraction> late;
  std::vector<std::uint32_t> skipped;  // ids, ascending, that documents leave out
  std::vector<std::string> concepts;
};

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check_utf8(std::size_t number, std::string_view text) {
  const std::size_t wrong = text::first_wrong_byte(text);
  if (wrong == text.size()) return;
  refuse("text " + std::to_string(number) + ": byte " + std::to_string(wrong) + " is no UTF-8");
}

// What the file says of truncation, at most to the model's length; a length that was asked for
// stands before both.
std::optional<Truncation> truncation_for(const Tokenizer& tokenizer, std::size_t max_tokens,
                                         bool asked) {
  std::optional<Truncation> truncation = tokenizer.truncation();
  if (!truncation && max_tokens == kUnlimited) return truncation;
  if (!truncation) truncation.emplace().max_length = max_tokens;
  truncation->max_length = asked ? max_tokens : std::min(truncation->max_length, max_tokens);
  truncation->stride = 0;
  return truncation;
}

// The texts that have a token below `unknown` behind the prompt's, the longest first; equal ones in
// their order.
std::vector<std::size_t> order_of(const std::vector<Encoding>& encodings, std::size_t prompt,
                                  std::size_t unknown) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    const std::vector<std::uint32_t>& ids = encodings[i].ids;
    const auto is_known = [&](std::uint32_t id) { return id < unknown; };
    if (ids.size() > prompt && std::any_of(ids.begin() + prompt, ids.end(), is_known)) {
      order.push_back(i);
    }
  }
  std::ranges::stable_sort(order, std::greater{},
                           [&](std::size_t i) { return encodings[i].ids.size(); });
  return order;
}

// As text, which the tokenizer knows as one token.
std::string end_of_text(const std::string& folder, const Tokenizer& tokenizer) {
  const Json json = Json::read(folder + "/config.json");
  const std::optional<std::uint32_t> id = encode::nvembed_end(json);
  if (!id) return "";
  const std::optional<std::string> token = tokenizer.token(*id);
  if (!token) {
    json.object("text_config").refuse("eos_token_id", "the id of one of the tokenizer's tokens");
  }
  return *token;
}

TokenSequence sequence_of(const Encoding& encoding, std::size_t prompt) {
  TokenSequence sequence{.ids = encoding.ids, .types = encoding.types, .prompt = prompt};
  const std::vector<std::uint8_t>& special = encoding.special;
  const auto is_text = [](std::uint8_t flag) { return flag == 0; };
  const auto first = std::ranges::find_if(special, is_text);
  sequence.lead = static_cast<std::size_t>(first - special.begin());
  const auto last = std::find_if(special.rbegin(), std::reverse_iterator(first), is_text);
  sequence.tail = static_cast<std::size_t>(last - special.rbegin());
  return sequence;
}

// Throws where the prompt is so long that nothing is left of a text behind it.
void check_room(const std::vector<Encoding>& encodings, std::size_t prompt) {
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    const TokenSequence sequence = sequence_of(encodings[i], prompt);
    const std::size_t kept = sequence.ids.size();
    if (encodings[i].overflow.empty() || kept > prompt + sequence.tail) continue;
    refuse("text " + std::to_string(i) + ": behind a prompt of " + std::to_string(prompt) +
           " tokens nothing of it is left in " + std::to_string(kept));
  }
}

void check_options(const TextEncodeOptions& options, std::size_t dim, const EncoderInfo& info) {
  if (dim > info.dim) {
    refuse("dim " + std::to_string(dim) + ", but the model's vectors have " +
           std::to_string(info.dim));
  }
  if (options.layer && *options.layer > info.layers) {
    refuse("layer " + std::to_string(*options.layer) + ", but the model has layers 0 to " +
           std::to_string(info.layers));
  }
}

// The first `dim` components of a model's vector. Whole ones that the model has normalised stay as
// they are, to the bit.
void finish(const float* vector, const EncoderInfo& info, const TextEncodeOptions& options,
            float* out, std::size_t dim) {
  std::copy_n(vector, dim, out);
  const bool normal = info.modules.back() == "normalize";
  if (options.normalize.value_or(normal) && (dim < info.dim || !normal)) {
    encode::normalize(out, dim);
  }
}

std::variant<Encoder, StaticModel> open_model(const std::string& folder,
                                              const encode::Modules& modules,
                                              const std::string& type,
                                              const ModelOptions& options) {
  if (modules.is_static && (modules.by_token || !modules.place_of(encode::kConcepts).empty())) {
    return StaticModel::open_with_head(modules);
  }
  if (modules.is_static) {
    return StaticModel::open_embedding(modules.transformer, !modules.ahead.empty());
  }
  if (type == encode::kStaticType) return StaticModel::open(modules.transformer);
  ModelOptions own = options;
  own.generates = std::filesystem::exists(folder + "/" + encode::kThinkingFile);
  return Encoder::open(folder, own);
}

}  // namespace

TextEncoder::TextEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
TextEncoder::~TextEncoder() = default;
TextEncoder::TextEncoder(TextEncoder&&) noexcept = default;
TextEncoder& TextEncoder::operator=(TextEncoder&&) noexcept = default;

TextEncoder TextEncoder::open(const std::string& folder, const ModelOptions& options) {
  const encode::Modules modules = encode::find_modules(folder);
  const std::string& transformer = modules.transformer;
  const std::string type =
      modules.is_static ? "" : Json::read(transformer + "/config.json").text("model_type");
  auto state =
      std::make_unique<State>(State{.tokenizer = Tokenizer::open(transformer + "/tokenizer.json"),
                                    .model = open_model(folder, modules, type, options),
                                    .prompts = encode::read_prompts(folder),
                                    .end = {},
                                    .truncation = {},
                                    .special = !modules.is_static,
                                    .thinking = {},
                                    .late = {},
                                    .skipped = {},
                                    .concepts = {}});
  state->thinking = encode::read_thinking(folder, state->tokenizer);
  state->late = encode::read_late_interaction(folder, state->prompts);
  if (state->late) state->skipped = encode::skipped_ids(*state->late, state->tokenizer);
  if (const std::string place = modules.place_of(encode::kConcepts); !place.empty()) {
    const Json names = Json::read(place + "/" + encode::kConceptsFile);
    for (encode::NamedConcept& each : encode::read_concept_names(names)) {
      state->concepts.push_back(std::move(each.name));
    }
  }
  const bool asked = options.context.tokens != 0 || options.context.extension != Extension::none;
  const auto* fixed = std::get_if<StaticModel>(&state->model);
  if (fixed != nullptr && asked) {
    throw Error(ErrorCode::unsupported, folder + ": a model of type " + fixed->info().architecture +
                                            " takes texts of any length, expected no context");
  }
  if (type == encode::kNvEmbedType) state->end = end_of_text(transformer, state->tokenizer);
  const std::size_t longest =
      std::visit([](const auto& model) { return model.info().max_tokens; }, state->model);
  state->truncation = truncation_for(state->tokenizer, longest, options.context.tokens != 0);
  return TextEncoder(std::move(state));
}

const EncoderInfo& TextEncoder::info() const {
  return std::visit([](const auto& model) -> const EncoderInfo& { return model.info(); },
                    state_->model);
}
std::size_t TextEncoder::tokenizer_size() const { return state_->tokenizer.vocabulary_size(); }
const std::map<std::string, std::string>& TextEncoder::prompts() const {
  return state_->prompts.by_name;
}
const std::string& TextEncoder::default_prompt() const { return state_->prompts.usual; }
const std::vector<std::string>& TextEncoder::concepts() const { return state_->concepts; }

namespace {

// What a model that thinks makes of texts: tokens, and with thoughts several sequences of each.
class ThinkingTexts {
 public:
  ThinkingTexts(const encode::Thinking& thinking, const Tokenizer& tokenizer,
                const Encoder& encoder, const TextEncodeOptions& options)
      : thinking_(thinking), tokenizer_(tokenizer), encoder_(encoder), options_(options) {}

  EncodedTexts encode(std::span<const std::string_view> texts) const {
    EncodedTexts result;
    std::vector<std::vector<std::uint32_t>> sequences;
    std::size_t each = 1;
    for (const std::string_view text : texts) {
      sequences.push_back(options_.think
                              ? thinking_.prompt(tokenizer_, text)
                              : thinking_.document(tokenizer_, text, encoder_.info().max_tokens));
    }
    if (options_.think && options_.think->thoughts > 0) {
      each = options_.think->thoughts;
      sequences = with_thoughts(sequences, result);
    } else if (options_.think) {
      for (auto& sequence : sequences) thinking_.finish({}, sequence);
    }
    std::vector<TokenSequence> tokens;
    for (const auto& ids : sequences) tokens.push_back({.ids = ids, .types = {}});
    EncodeOptions encode;
    encode.layer = options_.layer;
    encode.control = options_.control;
    const Matrix<float> vectors = encoder_.encode(tokens, encode);
    result.vectors = Matrix<float>(texts.size(), vectors.cols());
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      for (std::size_t j = 0; j < vectors.cols(); ++j) {
        result.vectors(i / each, j) += vectors(i, j) / static_cast<float>(each);
      }
    }
    return result;
  }

 private:
  std::vector<std::vector<std::uint32_t>> with_thoughts(
      const std::vector<std::vector<std::uint32_t>>& prompts, EncodedTexts& result) const {
    const ThinkOptions& think = *options_.think;
    std::vector<std::vector<std::uint32_t>> sequences;
    for (const auto& prompt : prompts) sequences.insert(sequences.end(), think.thoughts, prompt);
    GenerateOptions generate;
    generate.most = think.most == 0 ? thinking_.thought_tokens : think.most;
    generate.end = thinking_.end;
    generate.temperature = think.temperature;
    generate.top_p = think.top_p;
    generate.seed = think.seed;
    generate.control = options_.control;
    const auto thoughts = encoder_.generate(sequences, generate);
    result.thoughts.resize(prompts.size());
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      result.thoughts[i / think.thoughts].push_back(tokenizer_.decode(thoughts[i]));
      thinking_.finish(thoughts[i], sequences[i]);
    }
    return sequences;
  }

  const encode::Thinking& thinking_;
  const Tokenizer& tokenizer_;
  const Encoder& encoder_;
  const TextEncodeOptions& options_;
};

}  // namespace

bool TextEncoder::thinks() const { return state_->thinking.has_value(); }

EncodedTexts TextEncoder::encode(std::span<const std::string_view> texts,
                                 const TextEncodeOptions& options) const {
  const EncoderInfo& about = info();
  encode::expect_whole_vectors(about);
  const std::size_t dim = options.dim == 0 ? about.dim : options.dim;
  check_options(options, dim, about);
  if (options.strict) {
    for (std::size_t i = 0; i < texts.size(); ++i) check_utf8(i, texts[i]);
  }
  if (state_->thinking) {
    EncodedTexts thought = ThinkingTexts(*state_->thinking, state_->tokenizer,
                                         std::get<Encoder>(state_->model), options)
                               .encode(texts);
    const Matrix<float> whole = std::exchange(thought.vectors, Matrix<float>(texts.size(), dim));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      finish(whole.row(i), about, options, thought.vectors.row(i), dim);
    }
    return thought;
  }
  if (options.think) {
    throw Error(ErrorCode::unsupported,
                "thoughts: the model's folder has no thinking.json, expected one that was trained "
                "to think");
  }
  std::string prompt = options.prompt.value_or("");
  if (!options.prompt && !default_prompt().empty()) prompt = prompts().at(default_prompt());
  const std::vector<Encoding> encodings =
      encode::tokenize(state_->tokenizer, texts, prompt, state_->end, state_->truncation,
                       state_->special, options.control);

  const auto* fixed = std::get_if<StaticModel>(&state_->model);
  const std::size_t unknown = fixed != nullptr ? about.vocabulary - 1 : kUnlimited;
  // NV-Embed counts them without the special token in front, but leaves out so many from the first
  // on: that one too, and not the prompt's last.
  const bool nvembed = about.architecture == encode::kNvEmbedType;
  const std::size_t before =
      encode::prompt_tokens(state_->tokenizer, prompt, state_->special && !nvembed);
  if (before != 0) check_room(encodings, before);
  const std::vector<std::size_t> order = order_of(encodings, before, unknown);
  std::vector<TokenSequence> sequences;
  for (const std::size_t i : order) {
    const Encoding& encoding = encodings[i];
    sequences.push_back(sequence_of(encoding, before));
  }
  EncodeOptions encode;
  encode.layer = options.layer;
  encode.control = options.control;
  const Matrix<float> vectors = fixed != nullptr
                                    ? fixed->encode(sequences, options.control)
                                    : std::get<Encoder>(state_->model).encode(sequences, encode);

  EncodedTexts result;
  for (const Encoding& encoding : encodings) {
    result.truncated += encoding.overflow.empty() ? 0 : 1;
    result.mended += encoding.invalid_bytes == 0 ? 0 : 1;
  }
  result.empty = texts.size() - order.size();
  result.vectors = Matrix<float>(texts.size(), dim);
  for (std::size_t s = 0; s < order.size(); ++s) {
    finish(vectors.row(s), about, options, result.vectors.row(order[s]), dim);
  }
  return result;
}

namespace {

std::string token_prompt(const encode::Prompts& prompts, const TokenEncodeOptions& options) {
  if (options.prompt) return *options.prompt;
  for (const char* name : {"query", "document", "passage"}) {
    if ((std::string_view(name) == "query") != options.queries) continue;
    const auto found = prompts.by_name.find(name);
    if (found != prompts.by_name.end()) return found->second;
  }
  return prompts.usual.empty() ? "" : prompts.by_name.at(prompts.usual);
}

// Which tokens of a text count: all but unknown and skipped ones, or where these are all, all but
// unknown ones.
std::vector<std::size_t> counted(std::span<const std::uint32_t> ids, std::size_t unknown,
                                 std::span<const std::uint32_t> skipped) {
  std::vector<std::size_t> known, kept;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= unknown) continue;
    known.push_back(i);
    if (!std::ranges::binary_search(skipped, ids[i])) kept.push_back(i);
  }
  return kept.empty() ? known : kept;
}

// Where texts are cut: a late-interaction model's length of this kind of text, or a shorter one.
Truncation cut_by(const encode::LateInteraction& late, bool queries,
                  const std::optional<Truncation>& truncation) {
  const std::size_t most = queries ? late.query_tokens : late.document_tokens;
  Truncation cut = truncation.value_or(Truncation{});
  cut.max_length = truncation ? std::min(cut.max_length, most) : most;
  return cut;
}

// The vectors of those tokens that count, or of a text without any a zero. `vectors`: of all tokens
// of the texts in `order`, one text after the other.
EncodedTokens token_sets(std::span<const Encoding> encodings, std::span<const std::size_t> order,
                         std::size_t unknown, std::span<const std::uint32_t> skipped,
                         const Matrix<float>& vectors) {
  std::vector<std::size_t> first(encodings.size());
  std::vector<std::vector<std::size_t>> kept(encodings.size());
  std::size_t at = 0;
  for (const std::size_t i : order) {
    first[i] = at;
    kept[i] = counted(encodings[i].ids, unknown, skipped);
    at += encodings[i].ids.size();
  }
  EncodedTokens result;
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    result.truncated += encodings[i].overflow.empty() ? 0 : 1;
    result.mended += encodings[i].invalid_bytes == 0 ? 0 : 1;
    result.empty += kept[i].empty() ? 1 : 0;
    result.sets.offsets.push_back(result.sets.offsets.back() +
                                  std::max<std::size_t>(kept[i].size(), 1));
  }
  result.sets.vectors = Matrix<float>(result.sets.offsets.back(), vectors.cols());
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    for (std::size_t t = 0; t < kept[i].size(); ++t) {
      std::copy_n(vectors.row(first[i] + kept[i][t]), vectors.cols(),
                  result.sets.vectors.row(result.sets.offsets[i] + t));
    }
  }
  return result;
}

}  // namespace

EncodedTokens TextEncoder::encode_tokens(std::span<const std::string_view> texts,
                                         const TokenEncodeOptions& options) const {
  const State& state = *state_;
  const EncoderInfo& about = info();
  if (state.thinking) {
    throw Error(ErrorCode::unsupported, "tokens' vectors of a model that thinks");
  }
  check_options({.layer = options.layer}, 0, about);
  if (options.strict) {
    for (std::size_t i = 0; i < texts.size(); ++i) check_utf8(i, texts[i]);
  }
  const std::string prompt = token_prompt(state.prompts, options);
  std::vector<Encoding> encodings = encode::tokenize(
      state.tokenizer, texts, prompt, state.end,
      state.late ? cut_by(*state.late, options.queries, state.truncation) : state.truncation,
      state.special, options.control);
  const std::size_t before = encode::prompt_tokens(state.tokenizer, prompt, state.special);
  if (before != 0) check_room(encodings, before);

  const auto* fixed = std::get_if<StaticModel>(&state.model);
  const std::size_t unknown = fixed != nullptr ? about.vocabulary - 1 : kUnlimited;
  const std::vector<std::size_t> order = order_of(encodings, before, unknown);
  if (state.late && options.queries && state.late->expand_queries) {
    if (!state.late->expansion_seen) {
      throw Error(ErrorCode::unsupported,
                  "queries of a model whose tokens don't see those that fill a query up "
                  "(attend_to_expansion_tokens is false), expected documents");
    }
    const std::uint32_t mask = encode::mask_token(state.tokenizer);
    const std::size_t to = std::min(state.late->query_tokens, about.max_tokens);
    for (const std::size_t i : order) encode::expand(encodings[i], mask, to);
  }
  std::vector<TokenSequence> sequences;
  for (const std::size_t i : order) sequences.push_back(sequence_of(encodings[i], before));
  EncodeOptions encode;
  encode.layer = options.layer;
  encode.control = options.control;
  const Matrix<float> vectors =
      fixed != nullptr ? fixed->token_vectors(sequences, options.control)
                       : std::get<Encoder>(state.model).token_vectors(sequences, encode);

  return token_sets(encodings, order, unknown,
                    options.queries ? std::span<const std::uint32_t>() : state.skipped, vectors);
}

}  // namespace kith

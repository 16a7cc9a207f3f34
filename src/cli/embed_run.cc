#include "cli/embed_run.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "base/checksum.h"
#include "cli/context_option.h"
#include "cli/format.h"
#include "cli/options.h"
#include "cli/partial_sets.h"
#include "cli/precision_option.h"
#include "cli/text_options.h"
#include "cli/think_option.h"
#include "encode/model_files.h"
#include "kith/error.h"
#include "text/utf8.h"

namespace kith::cli {
namespace {

using nlohmann::json;

// Texts that run together: what an interruption loses at most, and enough to fill threads.
constexpr std::size_t kPartTexts = 256, kPartBytes = std::size_t{1} << 20;
// The same of texts whose tokens all have vectors.
constexpr std::size_t kTokenPartBytes = kPartBytes / 8;

TextEncodeOptions encode_options(const EmbedOptions& options, const TextEncoder& model,
                                 const std::vector<std::string>& prompts) {
  TextEncodeOptions encode;
  encode.layer = options.layer;
  encode.dim = options.dim;
  encode.think = options.think;
  if (encode.think) encode.think->seed = options.seed;
  for (const std::string& name : prompts) {
    const auto named = model.prompts().find(name);
    if (named != model.prompts().end() && !encode.prompt) encode.prompt = named->second;
  }
  if (options.has_prompt) encode.prompt = prompt_text(model, options.prompt);
  if (!options.tokens) model.encode({}, encode);  // refuses wrong options before any work
  return encode;
}

}  // namespace

std::string prompt_text(const TextEncoder& model, const std::string& given) {
  const auto named = model.prompts().find(given);
  if (named != model.prompts().end()) return named->second;
  if (given.empty() || given.find_first_of(" :") != std::string::npos) return given;
  std::string known;
  for (const auto& [name, text] : model.prompts()) known += (known.empty() ? "" : ", ") + name;
  throw Error(
      ErrorCode::invalid_argument,
      "--prompt " + given + ": expected " +
          (known.empty() ? "" : "the name of one of the model's prompts (" + known + ") or ") +
          "a text with a space or a colon");
}

// ---- What is known of the texts -----------------------------------------------------------------

void EmbedRun::Counts::take(const std::string& name, const formats::TextRecord& record) {
  if (texts == 0) ids = record.id.has_value();
  if (ids != record.id.has_value()) {
    throw Error(ErrorCode::corrupt, name + ": text " + std::to_string(texts) +
                                        (ids ? " has no id" : " has an id") +
                                        ", unlike those before it");
  }
  ++texts;
  const std::string id = record.id.value_or("");
  const std::uint64_t sums[] = {input, checksum(std::as_bytes(std::span(record.text))),
                                checksum(std::as_bytes(std::span(id)))};
  input = checksum(std::as_bytes(std::span(sums)));
}

json EmbedRun::Counts::state() const {
  return {{"input", input},   {"texts", texts}, {"truncated", truncated},
          {"mended", mended}, {"empty", empty}, {"ids", ids}};
}

void EmbedRun::Counts::restore(const json& state) {
  truncated = state.value("truncated", std::size_t{0});
  mended = state.value("mended", std::size_t{0});
  empty = state.value("empty", std::size_t{0});
}

json EmbedRun::counts() const {
  return {{"truncated", counts_.truncated}, {"mended", counts_.mended}, {"empty", counts_.empty}};
}

void EmbedRun::add_counts(Record& record) const {
  const bool asked = options_.context.tokens != 0;
  record.add("truncated", asked ? "cut to the context" : "cut to the model's length",
             counts_.truncated);
  record.add("mended", "with bytes that are no UTF-8", counts_.mended);
  record.add("empty", "without a known token (zeros)", counts_.empty);
  record.add("labels", counts_.ids);
}

void EmbedRun::add_rate(Record& record, double seconds) const {
  if (before_ != 0) record.add("before", "of an earlier run", before_);
  const double rate = static_cast<double>(kept() - before_) / seconds;
  record.add("rate", "texts/s", Cell(rate, rate_text(rate)));
}

// ---- The run ------------------------------------------------------------------------------------

EmbedRun::EmbedRun(const EmbedOptions& options, const std::string& output, const How& how)
    : options_(options),
      control_(options.control()),
      model_(TextEncoder::open(options.model,
                               {.precision = options.precision, .context = options.context})),
      model_sum_(encode::model_checksum(options.model)),
      stream_(options.input, options.read),
      encode_(encode_options(options, model_, how.prompts)),
      dim_(options.dim != 0                            ? options.dim
           : options.tokens && !model_.info().by_token ? model_.info().width
                                                       : model_.info().dim),
      cut_(how.cut),
      labels_(how.labels),
      rows_(output, dim_, settings(how)),
      before_(kept()) {
  if (options.tokens) model_.encode_tokens({}, token_options());
  std::error_code none;
  const auto size = std::filesystem::file_size(options.input, none);
  if (!none) size_ = size;
}

json EmbedRun::settings(const How& how) const {
  json all = {{"kith", KITH_VERSION},
              {"model", model_sum_},
              {"dim", dim_},
              {"strict", options_.strict},
              {"precision", precision_name(options_.precision)},
              {"format", stream_.format()},
              {"fields", options_.read.fields},
              {"id", options_.read.id}};
  if (encode_.prompt) all["prompt"] = *encode_.prompt;
  if (encode_.layer) all["layer"] = *encode_.layer;
  const json context = context_settings(options_.context);
  if (!context.empty()) all["context"] = context;
  const json think = think_settings(encode_.think);
  if (!think.empty()) all["think"] = think;
  if (options_.tokens) all["tokens"] = options_.queries ? "queries" : "documents";
  all.update(how.settings);
  return all;
}

TokenEncodeOptions EmbedRun::token_options() const {
  TokenEncodeOptions tokens;
  tokens.queries = options_.queries;
  tokens.prompt = encode_.prompt;
  tokens.layer = encode_.layer;
  return tokens;
}

// What is made so far: texts, or where texts are in pieces, these.
std::size_t EmbedRun::kept() const {
  return options_.tokens && rows_.rows() != 0 ? rows_.state().value("texts", std::size_t{0})
                                              : rows_.rows();
}

void EmbedRun::finish() {
  if (options_.tokens) {
    finish_sets(rows_, control_);
  } else {
    rows_.finish(control_);
  }
}

void EmbedRun::run(const std::string& kept, const Visit& visit) {
  try {
    skip(visit);
    for (Part part = next_part(visit); !part.items.empty(); part = next_part(visit)) embed(part);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled || rows_.rows() == 0) throw;
    throw Error(ErrorCode::cancelled, "cancelled: the vectors of " + count_text(this->kept()) +
                                          " texts are kept " + kept +
                                          "; the same command goes on from there");
  }
  if (rows_.rows() == 0) throw Error(ErrorCode::corrupt, options_.input + ": no texts");
}

// Passes over the texts whose vectors are there, and checks that they are the same ones.
void EmbedRun::skip(const Visit& visit) {
  if (rows_.rows() == 0) return;
  const json& state = rows_.state();
  const std::size_t texts = state.value("texts", std::size_t{0});
  EmbedItem item;
  while (counts_.texts < texts && next_item(item)) {
    if (visit) visit(item);
  }
  if (counts_.texts != texts || counts_.input != state.value("input", std::uint64_t{0})) {
    const std::string parts = rows_.output() + ".partial";
    throw Error(ErrorCode::invalid_argument, options_.input + ": not the texts that " + parts +
                                                 " was begun with; remove " + parts +
                                                 "* to start anew");
  }
  counts_.restore(state);
  done_ = stream_.bytes();
}

bool EmbedRun::next_item(EmbedItem& item) {
  formats::TextRecord& record = item.record;
  if (!stream_.next(record)) return false;
  item.line = stream_.line();
  counts_.take(options_.input, record);
  if (text::first_wrong_byte(record.text) != record.text.size()) {
    if (options_.strict) refuse_bytes(options_.input, item.line, record.text);
    record.text = text::mended(record.text);
    ++counts_.mended;
  }
  item.pieces = cut_ ? cut_(record.text) : std::vector<TextRange>{{0, record.text.size()}};
  return true;
}

EmbedRun::Part EmbedRun::next_part(const Visit& visit) {
  Part part;
  EmbedItem item;
  const std::size_t most = options_.tokens ? kTokenPartBytes : kPartBytes;
  while (part.pieces < kPartTexts && part.bytes < most && next_item(item)) {
    if (visit) visit(item);
    part.pieces += item.pieces.size();
    part.bytes += item.record.text.size();
    part.items.push_back(std::move(item));
    item = {};
  }
  return part;
}

void EmbedRun::embed(const Part& part) {
  std::vector<std::string_view> texts;
  std::vector<std::string> labels;
  for (const EmbedItem& item : part.items) {
    for (const TextRange& piece : item.pieces) texts.push_back(piece.of(item.record.text));
    if (labels_ && item.record.id) labels.push_back(*item.record.id);
  }
  if (options_.tokens) {
    embed_tokens(texts, labels);
    return;
  }
  TextEncodeOptions encode = encode_;
  encode.control = control_of_part();
  const EncodedTexts encoded = model_.encode(texts, encode);
  counts_.truncated += encoded.truncated;
  counts_.empty += encoded.empty;
  rows_.append(encoded.vectors, labels, counts_.state());
  done_ = stream_.bytes();
}

void EmbedRun::embed_tokens(const std::vector<std::string_view>& texts,
                            const std::vector<std::string>& labels) {
  TokenEncodeOptions encode = token_options();
  encode.control = control_of_part();
  const EncodedTokens encoded = model_.encode_tokens(texts, encode);
  counts_.truncated += encoded.truncated;
  counts_.empty += encoded.empty;
  rows_.append(encoded.sets.vectors, set_lines(encoded.sets, labels), counts_.state());
  done_ = stream_.bytes();
}

// Progress is that of the whole file, in bytes; of standard input there is no whole.
Control EmbedRun::control_of_part() const {
  Control control = control_;
  control.progress = {};
  if (!control_.progress || size_ == 0) return control;
  control.progress = [this](std::string_view, std::size_t done, std::size_t total) {
    const std::uint64_t part = stream_.bytes() - done_;
    control_.progress("embed", done_ + part * done / std::max<std::size_t>(total, 1), size_);
  };
  return control;
}

// ---- Options ------------------------------------------------------------------------------------

void add_embed_options(CLI::App& verb, EmbedOptions& options) {
  verb.add_option("FILE", options.input,
                  "Texts: JSON lines, CSV, TSV or plain lines; - is standard input")
      ->required()
      ->type_name("");
  verb.add_option("--model", options.model, "Model folder")->required()->type_name("FOLDER");
  verb.add_option("--prompt", options.prompt,
                  "What stands before each text: the name of one of the model's prompts, or a "
                  "text with a space or a colon (default: the model's own)")
      ->type_name("NAME|TEXT");
  verb.add_option("--layer", options.layer, "Layer whose state is used (default: the last)")
      ->check(whole_number(0))
      ->type_name("N");
  verb.add_option("--dim", options.dim, "The first so many components only (default: all)")
      ->check(whole_number(1))
      ->type_name("D");
  add_precision_option(verb, options.precision);
  add_text_options(verb, options.read.format, options.fields, options.strict);
  verb.add_option("--id", options.read.id,
                  "Member or column of the label (default: _id or id, where there is one)")
      ->type_name("NAME");
  add_common_options(verb, options);
}

void use_options(const CLI::App& verb, EmbedOptions& options) {
  options.has_prompt = verb.count("--prompt") > 0;
  options.read.fields = split_names(options.fields);
}

}  // namespace kith::cli

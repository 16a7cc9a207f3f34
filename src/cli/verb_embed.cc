// kith embed: texts to vectors by a model folder, however many, and on from where an earlier run
// was interrupted.
#include <cstdio>
#include <memory>
#include <string>

#include "cli/cli.h"
#include "cli/context_option.h"
#include "cli/embed_run.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/think_option.h"
#include "cli/times.h"
#include "formats/format.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

struct Options : EmbedOptions {
  std::string output;
};

void check_output(const Options& options) {
  if (!options.tokens) {
    formats::format_to_write(options.output, "", formats::Content::vectors);
    return;
  }
  for (const char* end : {".npz", ".safetensors", ".jsonl"}) {
    if (options.output.ends_with(end)) return;
  }
  throw Error(ErrorCode::invalid_argument,
              options.output + ": sets of vectors are written as .npz, .safetensors or .jsonl");
}

// A vector for each token, in place of one for each text.
void add_token_options(CLI::App& verb, Options& options) {
  CLI::Option* tokens = verb.add_flag(
      "--tokens", options.tokens,
      "A vector for each token, for late interaction (kith build --multi); of models\n"
      "that weren't trained for it the last layer's states");
  tokens->excludes("--dim")->excludes("--think");
  verb.add_flag("--queries", options.queries,
                "With --tokens: the texts are queries (default: documents)")
      ->needs(tokens);
}

void embed(const Options& options) {
  check_output(options);
  check_writable(options.output);
  check_distinct(options.output, options.input);
  const Stopwatch watch;
  EmbedRun run(options, options.output, {});
  run.run("beside " + options.output);
  run.finish();
  const Times times(watch);
  Record record;
  record.add("input", options.input);
  record.add("output", options.output);
  record.add("texts", run.texts());
  record.add("dim", "dimension", run.dim());
  run.add_counts(record);
  add_times(record, times);
  run.add_rate(record, times.wall);
  record.print(stdout, options.json);
}

}  // namespace

void add_embed(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("embed", "Turn texts into vectors by a model");
  add_embed_options(*verb, *options);
  add_context_options(*verb, options->context);
  add_think_options(*verb, options->think);
  add_token_options(*verb, *options);
  verb->add_option("-o,--output", options->output,
                   "Vectors: .npy, .fbin, .safetensors ...; of tokens .npz, .safetensors or .jsonl")
      ->required()
      ->type_name("FILE");
  add_examples(
      *verb,
      "kith embed texts.txt --model use-lite -o texts.npy\n"
      "kith embed corpus.jsonl --model e5 --prompt \"passage: \" -o corpus.fbin\n"
      "kith embed products.csv --field name,description --id sku --model use-lite -o p.npy\n"
      "zcat texts.gz | kith embed - --model use-lite --dim 256 -o texts.npy\n"
      "kith embed texts.txt --model use-lite --precision int8 -o texts.npy\n"
      "kith embed books.jsonl --model e5 --context 2048 --extend pcw -o books.npy\n"
      "kith embed books.jsonl --model nomic --context 16384 --extend selfextend -o books.npy\n"
      "kith embed queries.txt --model thinker --think 3 -o queries.npy\n"
      "kith embed corpus.jsonl --model colbert --tokens -o tokens.npz\n"
      "kith embed queries.txt --model colbert --tokens --queries -o questions.npz\n"
      "# Interrupted? The same command goes on from where it was.");
  verb->callback([options, verb] {
    use_options(*verb, *options);
    embed(*options);
  });
}

}  // namespace kith::cli

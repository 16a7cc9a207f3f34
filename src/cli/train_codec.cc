#include "cli/train_codec.h"

#include <memory>
#include <string>

#include "cli/load_learn.h"
#include "cli/recipe_options.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "cli/train_report.h"

namespace kith::cli {
namespace {

struct Options : RecipeOptions {
  std::string vectors, queries, metric, kind, quantiser;
  std::size_t lists = 0, parts = 0, dims = 0, bits = 0;
};

void run(const Options& options) {
  const auto number = [](std::size_t value) {
    return value == 0 ? std::string() : std::to_string(value);
  };
  const learn::TrainRequest request =
      recipe_request(options, {{"data.vectors", toml_text(options.vectors)},
                               {"data.queries", toml_text(options.queries)},
                               {"data.metric", toml_text(options.metric)},
                               {"codec.lists", number(options.lists)},
                               {"codec.parts", number(options.parts)},
                               {"codec.kind", toml_text(options.kind)},
                               {"codec.dims", number(options.dims)},
                               {"codec.bits", number(options.bits)},
                               {"codec.quantiser", toml_text(options.quantiser)}});
  const Stopwatch watch;
  const learn::TrainSummary summary = load_learn().train_codec(request);
  print_training(summary, Times(watch), options.json);
}

}  // namespace

void add_train_codec(CLI::App& train) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = train.add_subcommand(
      "codec",
      "Learn an inverted file's lists and product code from how vectors rank (Distill-VQ), a\n"
      "binariser (BEBR), or a product code's codebooks (SimVQ and others)");
  verb->add_option("--vectors", options->vectors, "What is to be indexed, or a sample of it")
      ->type_name("FILE");
  verb->add_option("--queries", options->queries,
                   "Queries like those to come (kind bebr: may be left out, kind vq: has none)")
      ->type_name("FILE");
  verb->add_option("--metric", options->metric, "l2, ip or cosine (default: l2; kind bebr: cosine)")
      ->type_name("NAME");
  verb->add_option("--kind", options->kind,
                   "lists, bebr, a binariser, or vq, codebooks (default: lists)")
      ->type_name("NAME");
  verb->add_option("--lists", options->lists,
                   "Lists (default: about twice the square root of the vectors)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option(
          "--parts", options->parts,
          "Parts of the product code, 4 bits each (default: one for two dimensions; kind vq:\n"
          "one for eight)")
      ->check(whole_number(1, kMaxDim))
      ->type_name("N");
  verb->add_option("--dims", options->dims, "kind bebr: dimensions of codes (default: 256)")
      ->check(whole_number(1, kMaxDim))
      ->type_name("N");
  verb->add_option("--bits", options->bits,
                   "kind bebr: bits of each, 1 to 4 (default: 2); kind vq: of each part, 1 to 16\n"
                   "(default: 8)")
      ->check(whole_number(1, 16))
      ->type_name("N");
  verb->add_option("--quantiser", options->quantiser,
                   "kind vq: vq, ema, simvq, simvq-trained or fsq (default: simvq)")
      ->type_name("NAME");
  add_recipe_options(*verb, *options, "loss.temperature=0.1");
  add_examples(
      *verb,
      "kith train codec --vectors base.npy --queries q.npy --metric cosine --parts 32 -o lists\n"
      "kith build base.npy --metric cosine --trained lists -o base.kith\n"
      "kith train codec lists.toml --set codec.rotate=true\n"
      "kith train codec --kind bebr --vectors base.npy --dims 256 --bits 2 -o codes\n"
      "kith build base.npy --metric cosine --trained codes -o base.kith\n"
      "kith train codec --kind vq --vectors base.npy --parts 16 --bits 8 -o codebooks\n"
      "kith build base.npy --index flat --trained codebooks -o base.kith");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

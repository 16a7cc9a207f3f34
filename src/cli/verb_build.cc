// kith build: vectors, sets of them or texts in, an index file out.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/build_choices.h"
#include "cli/cli.h"
#include "cli/disk_options.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/inverted.h"
#include "cli/multi.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "cli/verify_options.h"
#include "kith/error.h"
#include "kith/index.h"
#include "kith/verifier.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string base, output, train_queries, disk_file;
  std::string verify, verify_codec, verify_disk_file;
  BuildChoices build;
  InvertedChoices inverted;
  MultiChoices multi;
  ReadOptions read;
};

// Where vectors on disk go; empty where there are none.
std::string disk_file(const Options& options) {
  if (options.build.options.disk.empty()) return {};
  return options.disk_file.empty() ? options.output + ".disk" : options.disk_file;
}

std::string verifier_file(const Options& options) { return options.output + ".verify"; }

// Of another model's vectors of the same items, where there are some. Its files have no names yet.
std::optional<Verifier> build_verifier(const Options& options, const BuildOptions& build,
                                       std::size_t items, const ReadOptions& read) {
  if (options.verify.empty()) return {};
  const Vectors vectors = read_vectors(options.verify, read);
  if (vectors.rows.rows() != items) {
    throw Error(ErrorCode::invalid_argument,
                options.verify + ": " + std::to_string(vectors.rows.rows()) + " vectors, but " +
                    options.base + " has " + std::to_string(items) + ": expected as many");
  }
  VerifierOptions how;
  how.metric = build.metric;
  if (!options.verify_codec.empty()) how.codec = options.verify_codec;
  how.file = verifier_file(options);
  how.disk_file = options.verify_disk_file;
  how.seed = build.seed;
  how.control = build.control;
  return naming("verifier", options.verify, [&] { return Verifier::build(vectors.rows, how); });
}

void build_vectors(const Options& options) {
  const Control control = options.control();
  BuildOptions build = options.build.build_options(options);
  build.disk_file = disk_file(options);

  const Stopwatch watch;
  ReadOptions read = options.read;
  read.control = control;
  const Vectors base = read_vectors(options.base, read);
  Vectors queries;
  if (!options.train_queries.empty()) {
    queries = read_vectors(options.train_queries, read);
    build.train_queries = queries.rows;
  }
  std::optional<Verifier> verifier = build_verifier(options, build, base.rows.rows(), read);
  const Index index = naming("training query", options.train_queries, [&] {
    return naming("base", options.base,
                  [&] { return Index::build(base.rows, base.labels, build); });
  });
  index.save(options.output, control);
  if (verifier) verifier->save();
  const Times times(watch);

  const IndexInfo info = index.info();
  Record record;
  record.add("file", options.output);
  record.add("kind", info.kind);
  record.add("codec", info.codec);
  record.add("metric", name(info.metric));
  record.add("vectors", info.vectors);
  record.add("dim", "dimension", info.dim);
  if (info.degree > 0) record.add("degree", info.degree);
  if (info.lists > 0) record.add("lists", info.lists);
  if (info.default_beam > 0) record.add("beam", info.default_beam);
  record.add_sizes("bytes", "size", info.bytes, info.vectors);
  add_disk(record, info.disk, info.vectors);
  if (verifier) add_verifier(record, verifier_file(options), verifier->info());
  add_times(record, times);
  record.print(stdout, options.json);
}

// Before the work: `option` names a file that would be written beside the index.
void check_beside(const std::string& option, const std::string& file, const Options& options) {
  if (std::filesystem::absolute(file) == std::filesystem::absolute(options.output)) {
    throw Error(ErrorCode::invalid_argument,
                option + ": '" + file + "' is the index itself, expected another file");
  }
  check_distinct(file, options.base);
  if (!options.verify.empty()) check_distinct(file, options.verify);
  check_writable(file);
}

void check_disk(const Options& options) {
  const std::string file = disk_file(options);
  const std::string& index = options.build.options.index;
  if (file.empty()) {
    if (options.disk_file.empty()) return;
    throw Error(ErrorCode::invalid_argument, "--disk-file: expected --disk, too");
  }
  if (options.multi.multi || index == "bm25" || index == "sparse") {
    throw Error(ErrorCode::invalid_argument, "--disk: for indexes of single dense vectors");
  }
  check_beside("--disk-file", file, options);
}

void check_verify(const Options& options) {
  const std::string& index = options.build.options.index;
  if (options.verify.empty()) {
    if (options.verify_codec.empty() && options.verify_disk_file.empty()) return;
    throw Error(
        ErrorCode::invalid_argument,
        std::string(options.verify_codec.empty() ? "--verify-disk-file" : "--verify-codec") +
            ": expected --verify, too");
  }
  if (options.multi.multi || index == "bm25" || index == "sparse") {
    throw Error(ErrorCode::invalid_argument, "--verify: for indexes of single dense vectors");
  }
  check_distinct(options.output, options.verify);
  const std::string file = verifier_file(options);
  const std::string vectors =
      options.verify_disk_file.empty() ? file + ".disk" : options.verify_disk_file;
  check_beside("--verify", file, options);
  check_beside("--verify-disk-file", vectors, options);
  for (const std::string& other : {file, disk_file(options)}) {
    if (!other.empty() && std::filesystem::absolute(vectors) == std::filesystem::absolute(other)) {
      throw Error(ErrorCode::invalid_argument, "--verify-disk-file: '" + vectors +
                                                   "' is written already, expected another file");
    }
  }
}

void run(const CLI::App& verb, const Options& options) {
  const std::string& index = options.build.options.index;
  check_choices(verb, index);
  check_multi_choices(verb, options.multi, index);
  check_distinct(options.output, options.base);
  check_writable(options.output);
  check_disk(options);
  check_verify(options);
  if (options.multi.multi) {
    build_sets(options.base, options.output, options.build.build_options(options), options.multi,
               options.read, options);
  } else if (index == "bm25") {
    build_texts(options.base, options.output, options.read.format, options.inverted, options);
  } else if (index == "sparse") {
    build_sparse(options.base, options.output, options.inverted, options);
  } else {
    build_vectors(options);
  }
}

}  // namespace

void add_build(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("build", "Build an index from a file of vectors or texts");
  verb->add_option(
          "BASE", options->base,
          "File of vectors, of sets of them for --multi, of texts for --index bm25 (one a\n"
          "line, .tsv or .jsonl), or .csr for --index sparse")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "Index file to write")
      ->required()
      ->type_name("FILE");
  add_build_choices(*verb, options->build);
  verb->add_option("--disk-file", options->disk_file,
                   "Where vectors on disk go (default: FILE.disk beside the index FILE)")
      ->type_name("PATH");
  verb->add_option("--verify", options->verify,
                   "Another model's vectors of the same items, row by row: they go to disk, to\n"
                   "FILE.verify beside the index FILE, for searches to rank what it finds")
      ->type_name("FILE");
  verb->add_option("--verify-codec", options->verify_codec,
                   "How those are stored: f32, f16, lvq8 ... (default: f16)")
      ->type_name("NAME");
  verb->add_option("--verify-disk-file", options->verify_disk_file,
                   "Where they go (default: FILE.verify.disk)")
      ->type_name("PATH");
  add_inverted_choices(*verb, options->inverted);
  add_multi_choices(*verb, options->multi);
  verb->add_option("--train-queries", options->train_queries,
                   "Queries from which codec leanvecN-... learns what to keep, beside BASE")
      ->type_name("FILE");
  verb->add_option("--leanvec", options->build.options.leanvec,
                   "How it learns: id (from BASE alone), es, fw or es+fw\n"
                   "(default: es with --train-queries, else id)")
      ->type_name("METHOD");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith build words.txt --metric cosine -o words.kith\n"
               "kith build base.fvecs -o base.kith --codec lvq8 --degree 48\n"
               "kith build glove.hdf5 --metric cosine --recall 0.99 -o glove.kith\n"
               "kith build base.fbin -o base.kith --metric ip --codec leanvec160-lvq8+f16 \\\n"
               "    --train-queries queries.fbin\n"
               "kith build base.fbin -o base.kith --codec pq64 --disk f16\n"
               "kith build small.npy -o x.kith --codec pq16 --metric ip --verify large.npy\n"
               "kith build tokens.npz --multi --fde 20,5,16 --tokens lvq8 -o tokens.kith\n"
               "kith build texts.tsv --index bm25 --stem --stop-words --keep-text -o texts.kith");
  verb->callback([options, verb] { run(*verb, *options); });
}

}  // namespace kith::cli

// kith merge: one index file of several that were built apart.
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "kith/error.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> indexes, vectors;
  std::string output;
  bool replace = false;
  ReadOptions read;
};

// What the library calls "index 1" is "b.kith" to the person who gave the file.
std::string with_names(std::string message, const std::vector<std::string>& names) {
  for (std::size_t i = names.size(); i-- > 0;) {
    const std::string number = "index " + std::to_string(i);
    for (std::size_t at = 0; (at = message.find(number, at)) != std::string::npos;) {
      message.replace(at, number.size(), names[i]);
      at += names[i].size();
    }
  }
  return message;
}

void run(const Options& options) {
  const Control control = options.control();
  if (options.indexes.size() < 2) {
    throw Error(ErrorCode::invalid_argument,
                options.indexes.front() + ": one index, expected at least two to merge");
  }
  for (const std::string& path : options.vectors) check_distinct(options.output, path);
  check_writable(options.output);
  std::vector<Index> indexes;
  for (const std::string& path : options.indexes) indexes.push_back(Index::open(path));

  const Stopwatch watch;
  MergeOptions merge;
  merge.replace = options.replace;
  merge.control = control;
  ReadOptions read = options.read;
  read.control = control;
  std::vector<Vectors> vectors;
  for (const std::string& path : options.vectors) {
    vectors.push_back(read_vectors(path, read));
    merge.vectors.push_back(vectors.back().rows);
  }
  std::vector<const Index*> others;
  std::size_t before = indexes.front().size();
  for (std::size_t i = 1; i < indexes.size(); ++i) {
    others.push_back(&indexes[i]);
    before += indexes[i].size();
  }
  Index& merged = indexes.front();
  try {
    merged.merge(others, merge);
  } catch (const Error& error) {
    if (!std::string_view(error.what()).starts_with("index ")) throw;
    throw Error(error.code(), with_names(error.what(), options.indexes));
  }
  merged.save(options.output, control);

  const Times times(watch);
  const IndexInfo info = merged.info();
  Record record;
  record.add("file", options.output);
  record.add("merged", "indexes", indexes.size());
  record.add("kind", info.kind);
  record.add("codec", info.codec);
  if (options.replace) record.add("replaced", before - merged.size());
  record.add("vectors", merged.size());
  if (info.default_beam > 0) record.add("beam", info.default_beam);
  record.add_sizes("bytes", "size", info.bytes, info.vectors);
  add_times(record, times);
  record.print(stdout, options.json);
}

}  // namespace

void add_merge(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("merge", "One index of several that were built apart");
  verb->add_option("INDEX", options->indexes,
                   "Index files, at least two. The first says how vectors are stored and found:\n"
                   "let it be the largest")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "Index file to write")
      ->required()
      ->type_name("FILE");
  verb->add_option(
          "--vectors", options->vectors,
          "The vectors of an index, as it was built from them: once for each index but the\n"
          "first (default: those that its codes stand for)")
      ->expected(1)
      ->take_all()
      ->type_name("FILE");
  verb->add_flag("--replace", options->replace,
                 "Of vectors with equal labels keep the last index's (default: an error)");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith merge a.kith b.kith c.kith -o all.kith\n"
               "kith merge all.kith corrected.kith --replace -o all.kith\n"
               "kith merge a.kith b.kith --vectors b.fbin -o all.kith");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

// kith add: more vectors into an index file.
#include <memory>
#include <string>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/inverted.h"
#include "cli/labelled.h"
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
  std::string index, vectors, output;
  bool replace = false;
  ReadOptions read;
};

void add_vectors(const Options& options, const std::string& output) {
  const Control control = options.control();
  Index index = Index::open(options.index);
  check_writable(output);

  const Stopwatch watch;
  ReadOptions read = options.read;
  read.control = control;
  const Vectors more = read_vectors(options.vectors, read);
  check_dimension(options.index, index, options.vectors, more.rows);
  const std::size_t before = index.size();
  std::size_t replaced = 0;
  if (options.replace) {
    const std::vector<Id> ids = ids_with_labels_of(index, more.labels, more.rows.rows());
    replaced = ids.size();
    index.remove(ids, control);
  }
  naming("row", options.vectors, [&] { index.add(more.rows, more.labels, control); });
  index.save(output, control);

  const Times times(watch);
  Record record;
  record.add("file", output);
  record.add("before", "vectors before", before);
  if (options.replace) record.add("replaced", replaced);
  record.add("added", more.rows.rows());
  record.add("vectors", "vectors now", index.size());
  add_times(record, times);
  record.print(stdout, options.json);
}

void run(const Options& options) {
  const std::string& output = options.output.empty() ? options.index : options.output;
  check_distinct(output, options.vectors);
  const IndexKind kind = kind_of_index(options.index);
  if (options.replace && kind != IndexKind::vectors) {
    throw Error(ErrorCode::invalid_argument,
                "--replace: " + options.index + " is no index of dense vectors");
  }
  switch (kind) {
    case IndexKind::vectors:
      return add_vectors(options, output);
    case IndexKind::sets:
      throw Error(ErrorCode::unsupported,
                  options.index + ": an index of sets, which isn't added to; build it anew");
    case IndexKind::texts:
      return add_texts(options.index, options.vectors, output, options.read.format, options);
    case IndexKind::sparse:
      return add_sparse(options.index, options.vectors, output, options);
  }
}

}  // namespace

void add_add(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("add", "Add vectors or texts to an index");
  verb->add_option("INDEX", options->index, "Index file")->required()->type_name("");
  verb->add_option("VECTORS", options->vectors, "File of vectors, or of texts, to add")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output,
                   "Index file to write (default: replace INDEX, atomically)")
      ->type_name("FILE");
  verb->add_flag("--replace", options->replace,
                 "Remove the vectors that have the labels of those that come");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith add words.kith more.txt\n"
               "kith add words.kith more.txt -o bigger.kith\n"
               "kith add words.kith corrected.txt --replace");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

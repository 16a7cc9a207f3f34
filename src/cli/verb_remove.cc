// kith remove: vectors out of an index file.
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
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
  std::string index, file, match, output;
  std::vector<std::string> labels;
};

std::vector<Id> chosen_ids(const Options& options, const Index& index) {
  if (!options.match.empty()) return ids_matching(index, options.match);
  const auto labels = options.file.empty() ? options.labels : read_lines(options.file);
  return ids_of_labels(index, options.index, labels);
}

void run(const Options& options) {
  const int sources = !options.labels.empty() + !options.file.empty() + !options.match.empty();
  if (sources != 1) {
    throw Error(ErrorCode::invalid_argument,
                std::string("remove: ") + (sources == 0 ? "nothing" : "too much") +
                    " to remove, expected one of --label, --labels and --match");
  }
  const Control control = options.control();
  const std::string& output = options.output.empty() ? options.index : options.output;
  Index index = Index::open(options.index);
  check_writable(output);

  const Stopwatch watch;
  const std::size_t before = index.size();
  index.remove(chosen_ids(options, index), control);
  index.save(output, control);

  const Times times(watch);
  Record record;
  record.add("file", output);
  record.add("before", "vectors before", before);
  record.add("removed", before - index.size());
  record.add("vectors", "vectors now", index.size());
  add_times(record, times);
  record.print(stdout, options.json);
}

}  // namespace

void add_remove(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("remove", "Remove vectors from an index");
  verb->add_option("INDEX", options->index, "Index file")->required()->type_name("");
  verb->add_option("--label", options->labels, "Label of what goes; repeatable")
      ->allow_extra_args(false)
      ->type_name("LABEL");
  verb->add_option("--labels", options->file, "File of labels, one a line")->type_name("FILE");
  verb->add_option("--match", options->match,
                   "Regular expression: what it finds something of in the label goes")
      ->type_name("REGEX");
  verb->add_option("-o,--output", options->output,
                   "Index file to write (default: replace INDEX, atomically)")
      ->type_name("FILE");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith remove words.kith --label paris --label london\n"
               "kith remove products.kith --labels sold-out.txt\n"
               "kith remove words.kith --match '^[0-9]' -o no-numbers.kith");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

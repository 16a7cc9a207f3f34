// kith model compress: a model's weights in fewer bytes, by vector quantisation, low rank or bytes.
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "encode/compress.h"
#include "kith/error.h"
#include "kith/judge.h"

namespace kith::cli {
namespace {

using encode::CompressedTensor;
using encode::CompressSummary;

constexpr int kDigits = 4, kErrorDigits = 3;

struct Options : CommonOptions {
  std::string from, to, suite;
  encode::CompressOptions compress;
};

Cell share(double value) { return {value, fixed_text(value, kDigits)}; }
Cell size(std::size_t bytes) { return {bytes, bytes_text(static_cast<double>(bytes))}; }

Table tensors_of(const CompressSummary& summary) {
  Table table({"tensor", "rows", "columns", "dim", "before", "after", "error"});
  for (const CompressedTensor& each : summary.tensors) {
    table.add({each.name, each.rows, each.cols, each.dim == 0 ? Cell() : Cell(each.dim),
               size(each.before), size(each.after),
               Cell(each.error, significant_text(each.error, kErrorDigits))});
  }
  return table;
}

Table dims_of(const CompressSummary& summary) {
  Table table({"dim", {"low_rank", "left out"}, "clustering", {"sum", "E(dim)"}, "taken"});
  for (const encode::DimensionError& each : summary.dims) {
    table.add({each.dim, share(each.low_rank), share(each.clustering),
               share(each.low_rank + each.clustering),
               each.dim == summary.dim ? Cell("*") : Cell()});
  }
  return table;
}

// Both models on every task of the suite.
Table judged(const Options& options) {
  JudgeOptions how;
  how.seed = options.seed;
  how.control = options.control();
  Table table({"task", "metric", {"before", "before"}, {"after", "after"}, "difference"});
  for (const Task& task : read_suite(options.suite)) {
    ModelVectors before(options.from), after(options.to);
    const TaskResult a = judge_task(task, before, how), b = judge_task(task, after, how);
    table.add({task.name, a.main_metric, share(a.main_score), share(b.main_score),
               share(b.main_score - a.main_score)});
  }
  return table;
}

void run(const Options& options) {
  if (!options.suite.empty()) read_suite(options.suite);  // before anything is done
  encode::CompressOptions how = options.compress;
  how.seed = options.seed;
  how.control = options.control();
  const Stopwatch watch;
  const CompressSummary summary = encode::compress_model(options.from, options.to, how);
  const Times times(watch);
  if (!summary.dims.empty()) dims_of(summary).print(stdout, options.json);
  tensors_of(summary).print(stdout, options.json);
  Record record;
  record.add("output", options.to);
  record.add("method", how.method);
  if (summary.dim != 0) record.add("dim", summary.dim);
  record.add("before", "weights before", size(summary.before));
  record.add("after", "weights after", size(summary.after));
  const double ratio = static_cast<double>(summary.before) / static_cast<double>(summary.after);
  record.add("ratio", "times smaller", Cell(ratio, significant_text(ratio, kDigits)));
  add_times(record, times);
  record.print(stdout, options.json);
  if (!options.suite.empty()) judged(options).print(stdout, options.json);
}

}  // namespace

void add_model_compress(CLI::App& model) {
  constexpr std::size_t kMostDim = 1 << 16;
  auto options = std::make_shared<Options>();
  CLI::App* verb = model.add_subcommand("compress", "Write a model with smaller weights");
  verb->add_option("FOLDER", options->from, "Model folder")->required()->type_name("");
  verb->add_option("-o,--output", options->to, "Folder to write, which must be new")
      ->required()
      ->type_name("FOLDER");
  verb->add_option("--method", options->compress.method,
                   "lr2vq, vq, lowrank or int8 (default: lr2vq)")
      ->type_name("NAME");
  verb->add_option("--sub", options->compress.sub,
                   "lr2vq, vq: values of a sub-vector, which one code stands for (default: 8)")
      ->check(whole_number(1, encode::PackedTensor::kMostSub))
      ->type_name("M");
  verb->add_option("--codewords", options->compress.words,
                   "lr2vq, vq: centres of each matrix (default: 256)")
      ->check(whole_number(2, encode::PackedTensor::kMostWords))
      ->type_name("K");
  verb->add_option(
          "--dim", options->compress.dim,
          "lr2vq: dimensions in which sub-vectors are clustered (default: by their errors);\n"
          "lowrank: the rank (default: at the bytes of codes)")
      ->check(whole_number(1, kMostDim))
      ->type_name("D");
  verb->add_option("--tensor", options->compress.tensors,
                   "A matrix to compress; may be given again (default: all that are large enough)")
      ->type_name("NAME");
  verb->add_option("--suite", options->suite, "Tasks by which both models are judged")
      ->type_name("FOLDER");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith model compress static-debian -o small --sub 8 --codewords 256\n"
               "kith model compress use-lite -o small --method int8 --suite .cache/data/debian");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

// kith plan: what an index would take, before building it.
#include <fstream>
#include <memory>
#include <string>

#include "base/parallel.h"
#include "cli/build_choices.h"
#include "cli/cli.h"
#include "cli/disk_options.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/table.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string base;
  BuildChoices build;
  ReadOptions read;
};

// What the kernel could give a new process now; 0 where it doesn't say.
std::size_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  std::size_t kibibytes = 0;
  while (file >> key >> kibibytes && std::getline(file, unit)) {
    if (key == "MemAvailable:") return kibibytes * 1024;
  }
  return 0;
}

Cell memory_cell(std::size_t bytes) { return Cell(bytes, bytes_text(static_cast<double>(bytes))); }

void run(const Options& options) {
  const BuildOptions build = options.build.build_options(options);
  ReadOptions read = options.read;
  read.control = build.control;
  const Vectors base = read_vectors(options.base, read);
  const BuildPlan plan =
      naming("base", options.base, [&] { return plan_build(base.rows, base.labels, build); });

  const std::size_t threads = thread_count(build.control);
  const double wall = plan.build_cpu_seconds / static_cast<double>(threads);
  const std::size_t memory = available_memory();
  Record record;
  record.add("base", options.base);
  record.add("vectors", base.rows.rows());
  record.add("dim", "dimension", base.rows.dim());
  record.add("kind", plan.kind);
  record.add("codec", plan.codec);
  record.add("metric", name(build.metric));
  if (plan.degree > 0) record.add("degree", plan.degree);
  if (plan.lists > 0) record.add("lists", plan.lists);
  if (plan.build_beam > 0) record.add("build_beam", "build beam", plan.build_beam);
  record.add_sizes("bytes", "size", plan.bytes, base.rows.rows());
  if (plan.disk_bytes > 0) {
    record.add("disk_bytes", "vectors on disk", disk_cell(plan.disk_bytes, base.rows.rows()));
  }
  record.add("peak_memory_bytes", "memory to build", memory_cell(plan.peak_memory_bytes));
  if (memory > 0) record.add("available_memory_bytes", "memory available", memory_cell(memory));
  record.add("cpu_seconds", "CPU time",
             Cell(plan.build_cpu_seconds, "about " + seconds_text(plan.build_cpu_seconds)));
  record.add("wall_seconds", "wall time",
             Cell(wall, "about " + seconds_text(wall) + " on " + std::to_string(threads) +
                            (threads == 1 ? " thread" : " threads")));
  record.print(stdout, options.json);
  if (memory > 0 && plan.peak_memory_bytes > memory) {
    std::fprintf(stderr, "kith: note: building needs %s, but %s is available\n",
                 bytes_text(static_cast<double>(plan.peak_memory_bytes)).c_str(),
                 bytes_text(static_cast<double>(memory)).c_str());
  }
}

}  // namespace

void add_plan(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("plan", "Forecast an index's size, memory and build time");
  verb->add_option("BASE", options->base, "File of vectors to index")->required()->type_name("");
  add_build_choices(*verb, options->build);
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith plan words.txt --metric cosine\n"
               "kith plan base.fvecs --codec lvq4x8 --degree 64 --threads 8");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

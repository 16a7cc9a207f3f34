// kith bench kernels: every distance kernel beside what this machine can do at best.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/storage.h"
#include "cli/cli.h"
#include "cli/dense_bench.h"
#include "cli/exact_bench.h"
#include "cli/format.h"
#include "cli/kernel_bench.h"
#include "cli/maxsim_bench.h"
#include "cli/precision_option.h"
#include "cli/table.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

constexpr char kExact[] = "exact search";  // what --only calls the last table
constexpr const char* kDense = "dense layer";
constexpr const char* kMaxSim = "maxsim";

struct Options : CommonOptions {
  std::vector<std::size_t> dims = {96, 100, 768, 1000};
  std::string only;
  std::size_t megabytes = 256;
  double seconds = 0.004;
};

// Every aligned group of 1, 2 or 4 bytes is an ordinary value of every element type.
Storage bench_memory(std::size_t bytes) {
  Storage memory(bytes);
  auto* words = memory.mutable_as<std::uint32_t>();
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < bytes / 4; ++i) {
    state = state * 1664525u + 1013904223u;
    words[i] = 0x3c3c3c3cu | (state >> 6 & 0x03030303u);
  }
  return memory;
}

void add_peak(Table& table, const char* key, double per_second, double unit, const char* shown) {
  if (per_second > 0) {
    table.add({Cell(key), Cell(per_second, significant_text(per_second / unit, 4)), Cell(shown)});
  }
}

Table peaks_table(const MachinePeaks& peaks) {
  Table table({"peak", {"per_second", "rate"}, "unit"});
  add_peak(table, "fma", 2 * peaks.fma, 1e9, "GFLOP/s");
  add_peak(table, "vnni", peaks.vnni, 1e9, "G int8 multiply-adds/s");
  add_peak(table, "bf16", peaks.bf16, 1e9, "G bfloat16 multiply-adds/s");
  add_peak(table, "amx int8", peaks.amx_int8, 1e9, "G int8 multiply-adds/s");
  add_peak(table, "amx bf16", peaks.amx_bf16, 1e9, "G bfloat16 multiply-adds/s");
  add_peak(table, "popcount", peaks.popcount, 1e9, "Gbit/s");
  add_peak(table, "cache load", peaks.cache_load, 1e9, "GB/s");
  add_peak(table, "stream", peaks.stream, 1e9, "GB/s");
  add_peak(table, "random, huge pages", peaks.random_huge, 1e6, "M lines of 64 bytes/s");
  add_peak(table, "random, 4 KiB pages", peaks.random_small, 1e6, "M lines of 64 bytes/s");
  return table;
}

Table kernels_table(const Options& options, const MachinePeaks& peaks,
                    std::span<const std::byte> memory, const Control& control) {
  Table table({"kernel",
               "dim",
               "form",
               "rows",
               {"ns_per_vector", "ns"},
               {"gigabytes_per_second", "GB/s"},
               {"giga_dims_per_second", "Gdim/s"},
               "limit",
               {"fraction", "of limit"},
               {"times_scalar", "x scalar"},
               {"times_naive_f32", "x naive f32"}});
  const simd::KernelTable& best = simd::tables_for(simd::level());
  const simd::KernelTable& scalar = simd::tables_for(simd::Level::scalar);
  for (const Kernel& kernel : all_kernels()) {
    if (kernel.name.find(options.only) == std::string::npos) continue;
    for (const std::size_t dim : options.dims) {
      const double naive = time_naive(dim, memory);
      const KernelTime plain =
          time_kernel(kernel, scalar, dim, Form::gather, true, memory, peaks, options.seconds);
      for (const bool in_cache : {true, false}) {
        for (const Form form : {Form::gather, Form::many}) {
          throw_if_cancelled(control);
          const KernelTime time =
              time_kernel(kernel, best, dim, form, in_cache, memory, peaks, options.seconds);
          const double ns = 1e9 * time.seconds;
          const double bytes = static_cast<double>(kernel.row_bytes(dim)) / ns;
          const double dims = static_cast<double>(dim) / ns;
          const double fraction = time.bound / time.seconds;
          const auto times = [&](double other) {
            if (!in_cache) return Cell();
            return Cell(other / time.seconds, fixed_text(other / time.seconds, 1));
          };
          table.add({Cell(kernel.name), Cell(dim), Cell(form == Form::many ? "many" : "gather"),
                     Cell(in_cache ? "in cache" : "in memory"), Cell(ns, fixed_text(ns, 2)),
                     Cell(bytes, fixed_text(bytes, 1)), Cell(dims, fixed_text(dims, 1)),
                     Cell(time.limit), Cell(fraction, fixed_text(fraction, 2)),
                     times(plain.seconds), times(naive)});
        }
      }
    }
  }
  return table;
}

Table exact_table(const Options& options, const MachinePeaks& peaks, const Control& control) {
  constexpr double kLonger = 50;  // one run takes a thousand times as long as a kernel's
  Table table({{"kernel", "float32, l2"},
               "dim",
               "vectors",
               {"per_second", "rate"},
               "unit",
               "limit",
               {"fraction", "of limit"}});
  for (const std::size_t dim : options.dims) {
    throw_if_cancelled(control);
    for (const ExactTime& time :
         time_exact(dim, options.megabytes << 20, peaks, kLonger * options.seconds)) {
      const double fraction = time.per_second / time.limit;
      table.add({Cell(time.what), Cell(dim), Cell(time.rows),
                 Cell(time.per_second, fixed_text(time.per_second / 1e9, 1)),
                 Cell(time.limit_name == "fma" ? "GFLOP/s" : "GB/s"), Cell(time.limit_name),
                 Cell(fraction, fixed_text(fraction, 2))});
    }
  }
  return table;
}

Table dense_table(const Options& options, const MachinePeaks& peaks) {
  constexpr double kLonger = 50;
  Table table({{"kernel", "dense layer"},
               "outputs",
               "tokens",
               "precision",
               {"per_second", "G operations/s"},
               {"fraction", "of the peak"}});
  for (const DenseTime& time : time_dense(peaks, kLonger * options.seconds)) {
    const double fraction = time.per_second / time.limit;
    table.add({Cell(std::to_string(time.inputs) + " inputs"), Cell(time.outputs), Cell(time.tokens),
               Cell(precision_name(time.precision)),
               Cell(time.per_second, fixed_text(time.per_second / 1e9, 1)),
               Cell(fraction, fixed_text(fraction, 2))});
  }
  return table;
}

Table maxsim_table(const Options& options, const MachinePeaks& peaks, const Control& control) {
  constexpr double kLonger = 10;
  constexpr std::size_t kMostMegabytes = 32;  // what is stored is beyond the caches then, too
  Table table({{"kernel", "maxsim of"},
               "dim",
               "queries",
               {"per_second", "GFLOP/s"},
               {"fraction", "of fma"},
               {"times_plain", "x plain loop"}});
  for (const std::size_t dim : options.dims) {
    throw_if_cancelled(control);
    const std::size_t megabytes = std::min(options.megabytes, kMostMegabytes);
    for (const MaxSimTime& time :
         time_maxsim(dim, megabytes << 20, peaks, kLonger * options.seconds)) {
      const double fraction = time.per_second / time.limit, times = time.per_second / time.plain;
      table.add({Cell(time.codec), Cell(dim), Cell(time.queries),
                 Cell(time.per_second, fixed_text(time.per_second / 1e9, 1)),
                 Cell(fraction, fixed_text(fraction, 2)), Cell(times, fixed_text(times, 1))});
    }
  }
  return table;
}

void bench_kernels(const Options& options) {
  for (const std::size_t dim : options.dims) {
    if (dim == 0 || dim > 4096) {
      throw Error(ErrorCode::invalid_argument,
                  "--dim: " + std::to_string(dim) + ", expected 1 to 4096");
    }
  }
  const Storage memory = bench_memory(options.megabytes << 20);
  const MachinePeaks peaks = measure_peaks(memory.bytes());
  if (!options.json) {
    std::printf("instruction set: %s\n\n", std::string(simd::name(simd::level())).c_str());
  }
  peaks_table(peaks).print(stdout, options.json);
  if (!options.json) std::printf("\n");
  const Control control = options.control();
  Table kernels = kernels_table(options, peaks, memory.bytes(), control);
  if (kernels.rows() > 0) kernels.print(stdout, options.json);
  if (std::string(kDense).find(options.only) != std::string::npos) {
    if (!options.json && kernels.rows() > 0) std::printf("\n");
    dense_table(options, peaks).print(stdout, options.json);
  }
  if (std::string(kMaxSim).find(options.only) != std::string::npos) {
    if (!options.json && kernels.rows() > 0) std::printf("\n");
    maxsim_table(options, peaks, control).print(stdout, options.json);
  }
  if (std::string(kExact).find(options.only) == std::string::npos) return;
  if (!options.json && kernels.rows() > 0) std::printf("\n");
  exact_table(options, peaks, control).print(stdout, options.json);
}

}  // namespace

void add_bench_kernels(CLI::App& bench) {
  CLI::App* verb = bench.add_subcommand(
      "kernels", "Time the distance kernels beside the machine's own limits, on one core");
  auto options = std::make_shared<Options>();
  verb->add_option("--dim", options->dims, "Dimensions to time")->delimiter(',');
  verb->add_option(
      "--only", options->only,
      "Only kernels whose name contains this (or: exact search, dense layer,\nmaxsim)");
  verb->add_option("--memory", options->megabytes, "MiB of rows out of cache (beyond any cache)")
      ->check(CLI::Range(16, 1 << 16));
  verb->add_option("--seconds", options->seconds, "Processor time of one round of one kernel")
      ->check(CLI::Range(1e-4, 10.0));
  verb->add_flag("--json", options->json, "Print JSON instead of tables");
  add_examples(*verb,
               "kith bench kernels                        # all of them: under a minute\n"
               "kith bench kernels --only codes --dim 100\n"
               "KITH_SIMD=avx2 kith bench kernels --json");
  verb->callback([options] { bench_kernels(*options); });
}

}  // namespace kith::cli

// kith bench encode: a model in each precision, beside onnxruntime on the same weights, texts and
// threads: how fast it is, and what narrow numbers lose.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "cli/bench_tokens.h"
#include "cli/cache_folder.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/idle.h"
#include "cli/measure.h"
#include "cli/onnx_session.h"
#include "cli/options.h"
#include "cli/precision_option.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "datasets/packages.h"
#include "encode/export_onnx.h"
#include "kith/encoder.h"
#include "kith/error.h"
#include "kith/judge.h"
#include "simd/dispatch.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

// What tests/models/onnx.sh compares vectors with.
constexpr const char* kRuntime = "onnxruntime-node";
constexpr const char* kRuntimeVersion = "1.30.0";
constexpr const char* kRuntimeSum =
    "twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==";
#if defined(__aarch64__)
constexpr const char* kRuntimeLibrary = "/bin/napi-v6/linux/arm64/libonnxruntime.so.1";
#else
constexpr const char* kRuntimeLibrary = "/bin/napi-v6/linux/x64/libonnxruntime.so.1";
#endif

constexpr std::size_t kMostBatch = 4096, kMostTexts = 1000000;

struct Options : CommonOptions {
  std::string model, texts, suite, cache, batches = "1,32";
  std::size_t most = 500, rounds = 5;
  bool alone = false;
};

// A way to encode, what it gave and how long it took.
struct System {
  std::string name;
  std::function<Matrix<float>(std::span<const TokenSequence>)> encode;
  Matrix<float> vectors;
  std::vector<double> seconds;  // one a round
};

// One file that goes away.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& end)
      : path_((fs::temp_directory_path() / ("kith-" + std::to_string(::getpid()) + end)).string()) {
  }
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<OnnxSession> open_onnxruntime(const Options& options, const Control& control) {
  const TemporaryFile file(".onnx");
  try {
    encode::export_onnx(options.model, file.path());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported) throw;
    std::fprintf(stderr, "kith: without onnxruntime: %s\n", error.what());
    return nullptr;
  }
  datasets::Packages packages(options.cache, control, [](const std::string& what) {
    std::fprintf(stderr, "kith: %s\n", what.c_str());
  });
  const std::string folder = packages.npm(kRuntime, kRuntimeVersion, kRuntimeSum);
  return std::make_unique<OnnxSession>(folder + kRuntimeLibrary, file.path(),
                                       thread_count(control));
}

// Encodes all sequences, `batch` of them a call. Returns the seconds that took.
double pass(const System& system, std::span<const TokenSequence> sequences, std::size_t batch,
            Matrix<float>* vectors) {
  const Stopwatch watch;
  for (std::size_t first = 0; first < sequences.size(); first += batch) {
    const std::size_t count = std::min(batch, sequences.size() - first);
    const Matrix<float> part = system.encode(sequences.subspan(first, count));
    for (std::size_t i = 0; vectors != nullptr && i < count; ++i) {
      std::memcpy(vectors->row(first + i), part.row(i), part.cols() * sizeof(float));
    }
  }
  return watch.wall_seconds();
}

// Every round times every system once, each time another one first.
void time_batch(std::vector<System>& systems, std::span<const TokenSequence> sequences,
                std::size_t batch, std::size_t rounds, const Control& control, Progress& progress) {
  for (System& system : systems) {
    system.seconds.clear();
    pass(system, sequences, batch, &system.vectors);
    progress.add(1);
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < systems.size(); ++i) {
      throw_if_cancelled(control);
      System& system = systems[(round + i) % systems.size()];
      wait_until_idle();
      system.seconds.push_back(pass(system, sequences, batch, nullptr));
      progress.add(1);
    }
  }
}

double cosine(const float* a, const float* b, std::size_t n) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t j = 0; j < n; ++j) {
    dot += static_cast<double>(a[j]) * b[j];
    aa += static_cast<double>(a[j]) * a[j];
    bb += static_cast<double>(b[j]) * b[j];
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

void add_row(Table& table, std::size_t batch, const System& system, const System& exact,
             const System* peer, const BenchTokens& tokens) {
  const double seconds = median(system.seconds);
  const double tokens_rate = static_cast<double>(tokens.tokens) / seconds;
  const double texts_rate = static_cast<double>(tokens.sequences.size()) / seconds;
  const auto times = [&](const System& other) {
    const double ratio = median(other.seconds) / seconds;
    return Cell(ratio, fixed_text(ratio, 2));
  };
  double sum = 0, worst = 1;
  const Matrix<float>& vectors = system.vectors;
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    const double each = cosine(vectors.row(i), exact.vectors.row(i), vectors.cols());
    sum += each;
    worst = std::min(worst, each);
  }
  const double mean = sum / static_cast<double>(vectors.rows());
  constexpr int kDigits = 5;
  table.add({batch, system.name, Cell(tokens_rate, rate_text(tokens_rate)),
             Cell(texts_rate, rate_text(texts_rate)), times(exact),
             peer == nullptr ? Cell() : times(*peer), Cell(mean, fixed_text(mean, kDigits)),
             Cell(worst, fixed_text(worst, kDigits))});
}

// ---- What is lost at tasks ----------------------------------------------------------------------

Table judged(const Options& options) {
  Table table({"task",
               "metric",
               "f32",
               "bf16",
               "int8",
               {"bf16_change", "bf16 - f32"},
               {"int8_change", "int8 - f32"}});
  JudgeOptions how;
  how.resamples = 0;
  how.control = options.control();
  std::vector<std::unique_ptr<ModelVectors>> models;
  for (const Precision precision : kPrecisions) {
    models.push_back(std::make_unique<ModelVectors>(options.model, ModelOptions{precision}));
  }
  constexpr int kDigits = 4;
  for (const Task& task : read_suite(options.suite)) {
    std::vector<Cell> scores, changes;
    std::string metric;
    double exact = 0;
    for (const auto& model : models) {
      const TaskResult result = judge_task(task, *model, how);
      const double score = result.main_score;
      if (scores.empty()) exact = score;
      if (!scores.empty()) changes.emplace_back(score - exact, fixed_text(score - exact, kDigits));
      scores.emplace_back(score, fixed_text(score, kDigits));
      metric = result.main_metric;
    }
    std::vector<Cell> row = {task.name, metric};
    row.insert(row.end(), scores.begin(), scores.end());
    row.insert(row.end(), changes.begin(), changes.end());
    table.add(std::move(row));
  }
  return table;
}

// ---- The verb -----------------------------------------------------------------------------------

std::vector<System> systems_of(const std::vector<Encoder>& encoders, const OnnxSession* peer,
                               std::size_t dim, const Control& control) {
  std::vector<System> systems;
  EncodeOptions encode;
  encode.control = without_progress(control);
  for (const Encoder& encoder : encoders) {
    System& system = systems.emplace_back();
    system.name = std::string("kith ") + precision_name(encoder.info().precision);
    system.encode = [&encoder, encode](std::span<const TokenSequence> sequences) {
      return encoder.encode(sequences, encode);
    };
  }
  if (peer == nullptr) return systems;
  System& system = systems.emplace_back();
  system.name = "onnxruntime " + peer->version() + " f32";
  system.encode = [peer, dim](std::span<const TokenSequence> sequences) {
    return peer->encode(sequences, dim);
  };
  return systems;
}

void run(Options options) {
  if (options.cache.empty()) options.cache = default_cache();
  const std::vector<std::size_t> batches = parse_counts("--batch", options.batches, 1, kMostBatch);
  const Control control = options.control();
  std::vector<Encoder> encoders;
  for (const Precision precision : kPrecisions) {
    encoders.push_back(Encoder::open(options.model, {.precision = precision}));
  }
  const EncoderInfo& info = encoders.front().info();
  const BenchTokens tokens = bench_tokens(info, {.model = options.model,
                                                 .texts = options.texts,
                                                 .cache = options.cache,
                                                 .most = options.most,
                                                 .seed = options.seed,
                                                 .control = control});
  const std::unique_ptr<OnnxSession> peer =
      options.alone ? nullptr : open_onnxruntime(options, control);
  std::vector<System> systems = systems_of(encoders, peer.get(), info.dim, control);
  for (System& system : systems) system.vectors = Matrix<float>(tokens.sequences.size(), info.dim);
  if (!options.json) {
    std::printf("%s texts, %s tokens (%s); %zu thread(s), %s; medians of %zu rounds\n\n",
                count_text(tokens.sequences.size()).c_str(), count_text(tokens.tokens).c_str(),
                tokens.source.c_str(), thread_count(control),
                std::string(simd::name(simd::level())).c_str(), options.rounds);
  }
  Table table({{"batch", "texts a call"},
               "system",
               {"tokens_per_second", "tokens/s"},
               {"texts_per_second", "texts/s"},
               {"times_f32", "x kith f32"},
               {"times_onnxruntime", "x onnxruntime"},
               {"mean_cosine", "mean cosine"},
               {"worst_cosine", "worst cosine"}});
  {
    Progress progress(control, "bench", batches.size() * systems.size() * (options.rounds + 1));
    for (const std::size_t batch : batches) {
      time_batch(systems, tokens.sequences, batch, options.rounds, control, progress);
      for (const System& system : systems) {
        add_row(table, batch, system, systems.front(), peer == nullptr ? nullptr : &systems.back(),
                tokens);
      }
    }
  }
  table.print(stdout, options.json);
  if (options.suite.empty()) return;
  if (!options.json) std::printf("\n");
  judged(options).print(stdout, options.json);
}

}  // namespace

void add_bench_encode(CLI::App& bench) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = bench.add_subcommand(
      "encode", "A model in each precision beside onnxruntime: speed, and what is lost");
  verb->add_option("--model", options->model, "Model folder")->required()->type_name("FOLDER");
  verb->add_option("--texts", options->texts,
                   "Texts to encode (default: Debian's descriptions where the cache has\n"
                   "them and the model a tokenizer, else random tokens)")
      ->type_name("FILE");
  verb->add_option("--most", options->most, "At most so many texts, drawn by --seed (default: 500)")
      ->check(whole_number(1, kMostTexts))
      ->type_name("N");
  verb->add_option("--batch", options->batches, "Texts a call, one or several (default: 1,32)")
      ->type_name("N,...");
  verb->add_option("--rounds", options->rounds, "Rounds, of which medians are shown (default: 5)")
      ->check(whole_number(1, 1000))
      ->type_name("N");
  verb->add_option("--suite", options->suite,
                   "Tasks (see kith judge) that each precision is put to")
      ->type_name("DIR");
  verb->add_flag("--alone", options->alone, "Without onnxruntime");
  verb->add_option("--cache", options->cache,
                   "Folder of fetched packages, onnxruntime's among them (default: .cache,\n"
                   "or $XDG_CACHE_HOME/kith where that is set)")
      ->type_name("DIR");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith bench encode --model use-lite\n"
               "kith bench encode --model use-lite --texts queries.txt --batch 1,8,64 --threads 1\n"
               "kith bench encode --model use-lite --alone --suite .cache/data/debian --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

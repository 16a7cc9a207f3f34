// LR2VQ: are weights that are clustered in a few dimensions, and trained as what the clusters are
// made of, better than those of plain vector quantisation at no more bytes and as many steps?
// (a) The matrices of a small encoder, (b) a static embedding's table; both find the long
// description of a package by the short one, and tell which section of Debian's archive it is in.
// The paper has convolutions of image classifiers; what its text leaves open is our own: low rank
// by training P and B, k-means in orthonormal directions, then centres and B with fixed codes.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "encode/compress.h"
#include "kith/judge.h"
#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/paper.h"
#include "papers/common/static_embedding.h"
#include "papers/common/text_tasks.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr char kDense[] = "float32", kBytes[] = "int8", kLowRank[] = "low rank", kVq[] = "VQ",
               kVqTuned[] = "VQ, fine-tuned", kNdcg[] = "nDCG@10", kSections[] = "sections",
               kSize[] = "KiB", kError[] = "error of weights";
constexpr std::size_t kWords = 256;
constexpr std::array<std::size_t, 3> kSubs = {4, 8, 16};
constexpr std::array<std::size_t, 4> kDims = {1, 2, 4, 8};
constexpr std::size_t kEncoderSub = 8;

std::string dims_row(std::size_t dim) { return fmt::format("LR2VQ, d = {}", dim); }
std::string tuned(std::size_t dim) { return dims_row(dim) + ", fine-tuned"; }
std::string table_of(std::size_t sub) {
  return fmt::format("Static embedding, {} values a byte", sub);
}
std::string encoder_table() { return fmt::format("Encoder, {} values a byte", kEncoderSub); }

// A model, and what is the same in all of its further trainings.
struct Subject {
  std::string folder;
  std::string data;  // [[data]] and lines of [train]
  std::size_t steps;
};

struct Tasks {
  Task retrieval, sections;
};

Subject static_subject(const Trial& trial) {
  return {static_embedding(trial, 128),
          data_table(debian_pairs(trial)) +
              fmt::format("[loss]\ntemperature = 0.05\n[train]\nbatch = {}\nquery_tokens = 32\n"
                          "document_tokens = 128\nweight_decay = 0\ndropout = 0\nseed = {}\n",
                          trial.quick ? 32 : 1024, trial.seed),
          trial.quick ? 6U : 100U};
}

Subject encoder_subject(const Trial& trial) {
  ContrastiveOptions options;
  options.base = tiny_bert(trial);
  options.data = data_table(debian_pairs(trial));
  return {trained(trial, "lr2vq-encoder", contrastive_recipe(options, trial)),
          data_table(debian_pairs(trial)) +
              fmt::format("[loss]\ntemperature = 0.05\n[train]\nbatch = {}\nquery_tokens = 16\n"
                          "document_tokens = 40\nweight_decay = 0\ndropout = 0\n"
                          "attention_dropout = 0\nseed = {}\n",
                          trial.quick ? 8 : 96, trial.seed),
          trial.quick ? 6U : 60U};
}

// Folders that are made anew each time, beside the models that are kept.
std::string scratch(const Trial& trial, const std::string& name) {
  std::string folder = fmt::format("{}/models/lr2vq-{}-{}", trial.cache, name, trial.seed);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path());
  return folder;
}

encode::CompressOptions options_of(const char* method, std::size_t sub, std::size_t dim,
                                   const Trial& trial) {
  encode::CompressOptions options;
  options.method = method;
  options.sub = sub;
  // A quick trial's matrices have few sub-vectors.
  options.words = trial.quick ? 16 : kWords;
  options.dim = dim;
  options.seed = trial.seed;
  options.control.threads = trial.control.threads;
  options.control.cancel = trial.control.cancel;
  return options;
}

// [train] is the last table of `data`.
std::string tuning(const Subject& subject, const std::string& base, const std::string& compress,
                   std::size_t steps, double rate, const Trial& trial) {
  return trained(trial, "lr2vq",
                 fmt::format("[model]\nbase = \"{}\"\n{}steps = {}\nlearning_rate = {}\n"
                             "schedule = \"cosine\"\n[compress]\n{}",
                             base, subject.data, steps, rate, compress));
}

void report(const std::string& table, const std::string& row, const std::string& folder,
            std::size_t bytes, const Tasks& tasks, const Trial& trial, Results& results) {
  ModelVectors model(folder);
  results.add(table, row, kSize, static_cast<double>(bytes) / 1024);
  results.add(table, row, kNdcg, score(tasks.retrieval, model, trial));
  results.add(table, row, kSections, score(tasks.sections, model, trial));
  trial.step();
}

// Of all tensors that were packed.
double error_of(const encode::CompressSummary& summary) {
  double error = 0, bytes = 0;
  for (const encode::CompressedTensor& each : summary.tensors) {
    error += each.error * static_cast<double>(each.before);
    bytes += static_cast<double>(each.before);
  }
  return error / bytes;
}

// Packs a model, judges it and leaves the folder.
std::string packed(const std::string& table, const std::string& row, const std::string& from,
                   const encode::CompressOptions& options, const Tasks& tasks, const Trial& trial,
                   Results& results) {
  std::string folder =
      scratch(trial, fmt::format("{}-{}-{}", options.method, options.sub, options.dim));
  const encode::CompressSummary summary = encode::compress_model(from, folder, options);
  results.add(table, row, kError, error_of(summary));
  report(table, row, folder, summary.after, tasks, trial, results);
  return folder;
}

void compare(const std::string& table, const Subject& subject, std::size_t sub, const Tasks& tasks,
             const Trial& trial, Results& results) {
  constexpr double kRate = 1e-3, kLowRankRate = 3e-4;
  constexpr char kCodes[] = "kind = \"codes\"\n";
  const std::size_t early = subject.steps / 3;  // of LR2VQ's steps before the clustering
  const auto pack = [&](const std::string& row, const std::string& from, const char* method,
                        std::size_t dim) {
    return packed(table, row, from, options_of(method, sub, dim, trial), tasks, trial, results);
  };
  const auto weights = [](const std::string& folder) {
    std::size_t sum = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string name = file.path().filename().string();
      if (name == "model.safetensors" || name == encode::kPackedFile) sum += file.file_size();
    }
    return sum;
  };
  report(table, kDense, subject.folder, weights(subject.folder), tasks, trial, results);
  std::filesystem::remove_all(pack(kBytes, subject.folder, "int8", 0));
  std::filesystem::remove_all(pack(kLowRank, subject.folder, "lowrank", 0));
  const std::string plain = pack(kVq, subject.folder, "vq", 0);
  const std::string plain_tuned = tuning(subject, plain, kCodes, subject.steps, kRate, trial);
  report(table, kVqTuned, plain_tuned, weights(plain_tuned), tasks, trial, results);
  std::filesystem::remove_all(plain);
  for (const std::size_t dim : kDims) {
    if (dim >= sub) continue;
    std::filesystem::remove_all(pack(dims_row(dim), subject.folder, "lr2vq", dim));
    const std::string low =
        tuning(subject, subject.folder,
               fmt::format("kind = \"low-rank\"\nsub = {}\ndim = {}\ncodewords = {}\n", sub, dim,
                           trial.quick ? 16 : kWords),
               early, kLowRankRate, trial);
    const std::string codes = scratch(trial, fmt::format("low-{}-{}", sub, dim));
    encode::compress_model(low, codes, options_of("lr2vq", sub, dim, trial));
    const std::string last = tuning(subject, codes, kCodes, subject.steps - early, kRate, trial);
    report(table, tuned(dim), last, weights(last), tasks, trial, results);
    std::filesystem::remove_all(codes);
  }
}

void measure(const Trial& trial, Results& results) {
  std::size_t rows = 0;
  for (const std::size_t sub : kSubs) {
    rows += 5;
    for (const std::size_t dim : kDims) rows += dim < sub ? 2 : 0;
  }
  for (const std::size_t dim : kDims) rows += dim < kEncoderSub ? 2 : 0;
  trial.expect(rows + 5);
  const Tasks tasks = {debian_retrieval(trial), section_classes(trial)};
  const Subject table = static_subject(trial);
  for (const std::size_t sub : kSubs) compare(table_of(sub), table, sub, tasks, trial, results);
  compare(encoder_table(), encoder_subject(trial), kEncoderSub, tasks, trial, results);
}

// Fine-tuned LR2VQ of some d minus fine-tuned VQ.
Judgement beats(const Results& results, const std::string& table, std::size_t sub) {
  std::vector<Judgement> parts;
  for (const std::size_t dim : kDims) {
    if (dim >= sub) continue;
    parts.push_back(above(fmt::format("{}, d = {}", table, dim),
                          results.difference(table, tuned(dim), kVqTuned, kNdcg)));
  }
  return any_of(parts);
}

Judgement in_each_table(const Results& results, const std::string& a, const std::string& b) {
  std::vector<Judgement> parts;
  for (const std::size_t sub : kSubs) {
    parts.push_back(above(table_of(sub), results.difference(table_of(sub), a, b, kNdcg)));
  }
  parts.push_back(above(encoder_table(), results.difference(encoder_table(), a, b, kNdcg)));
  return all_of(parts);
}

const Registration registration({
    .slug = "lr2vq",
    .title = "Learning Low-Rank Representations for Model Compression",
    .authors = "Zhu, Zhou, Zhao",
    .year = 2022,
    .source = "arXiv 2211.11397",
    .data = {"debian", "sections", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"An embedding's table of low-rank representations beats plain VQ when both are "
          "fine-tuned "
          "at no more bytes and as many steps, 8 values a byte",
          "shown if nDCG@10 minus that of VQ is above 0 for some d below 8; refuted if below for "
          "all",
          [](const Results& results) { return beats(results, table_of(8), 8); }},
         {"The same with 16 values a byte",
          "shown if nDCG@10 minus that of VQ is above 0 for some d below 16; refuted if below for "
          "all",
          [](const Results& results) { return beats(results, table_of(16), 16); }},
         {"The same of an encoder's matrices",
          "shown if nDCG@10 minus that of VQ is above 0 for some d below 8; refuted if below for "
          "all",
          [](const Results& results) { return beats(results, encoder_table(), kEncoderSub); }},
         {"With 16 values a byte half of the dimensions are better than one",
          "shown if nDCG@10 of d = 8 minus that of d = 1 is above 0, both fine-tuned",
          [](const Results& results) {
            return above("d = 8 - d = 1",
                         results.difference(table_of(16), tuned(8), tuned(1), kNdcg));
          }},
         {"Fine-tuning of the centres regains some of what VQ lost",
          "shown if nDCG@10 minus that before is above 0 for the encoder and each size of "
          "sub-vectors; refuted if below for one",
          [](const Results& results) { return in_each_table(results, kVqTuned, kVq); }},
         {"Codes keep more than a product of two thin matrices of as many bytes",
          "shown if VQ's nDCG@10 minus that of low rank, neither fine-tuned, is above 0 for the "
          "encoder and each size of sub-vectors; refuted if below for one",
          [](const Results& results) { return in_each_table(results, kVq, kLowRank); }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

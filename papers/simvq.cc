// SimVQ: does one linear layer behind a frozen random basis keep a vector quantiser's codewords in
// use where plain ones collapse, and is less lost for it? Vectors are a trained static embedding's
// of 128 dimensions, of long descriptions of packages; an autoencoder with a hidden layer on both
// sides squeezes them through 32 numbers, which one codeword of K stands for. The paper has images
// and sounds. k-means on the vectors themselves, which needs no network, stands beside it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/cpu_time.h"
#include "base/random.h"
#include "codec/codebooks.h"
#include "kith/vectors.h"
#include "papers/common/data.h"
#include "papers/common/description_vectors.h"
#include "papers/common/paper.h"
#include "papers/common/trained_models.h"

namespace kith::papers {
namespace {

constexpr std::size_t kWidth = 128;
constexpr std::array<int, 4> kBits = {8, 10, 12, 13};
constexpr int kLarge = 10;  // bits from which on the paper's claims are looked at
constexpr char kPlain[] = "VQ", kEma[] = "VQ, means and restarts", kSim[] = "SimVQ",
               kSimTrained[] = "SimVQ, basis trained", kFsq[] = "FSQ", kMeans[] = "k-means";
constexpr char kError[] = "error", kNearest[] = "error, nearest codeword",
               kUtilisation[] = "utilisation", kPerplexity[] = "perplexity",
               kSeconds[] = "CPU seconds";
constexpr std::pair<const char*, const char*> kRows[] = {
    {kPlain, "vq"}, {kEma, "ema"}, {kSim, "simvq"}, {kSimTrained, "simvq-trained"}, {kFsq, "fsq"}};

struct Sets {
  Matrix<float> base, held_out;
};

Sets sets_of(const Trial& trial) {
  constexpr std::size_t kBase = 50000, kHeldOut = 8000;
  if (!trial.quick) {
    DescriptionVectors vectors = description_vectors(trial, kWidth, kBase, kHeldOut, 1, 1);
    return {std::move(vectors.base), std::move(vectors.others)};
  }
  const auto made_up = [](std::size_t count, std::uint64_t seed) {
    Random random(seed);
    Matrix<float> rows(count, kWidth / 8);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < rows.cols(); ++j) {
        rows(i, j) = static_cast<float>(random.normal() / (1 + 0.2 * static_cast<double>(j)));
      }
    }
    normalise(rows);
    return rows;
  };
  return {made_up(1000, 1), made_up(200, 2)};
}

struct Files {
  std::string base, held_out;
};

Files files_of(const Sets& sets, const Trial& trial) {
  const auto file = [&](const char* name, const Matrix<float>& rows) {
    std::string path =
        data_path(trial, fmt::format("simvq-{}-{}", name, trial.seed), {"debian"}, ".npy");
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    write_vectors(path, rows.view(), Labels());
    return path;
  };
  return {file("base", sets.base), file("held", sets.held_out)};
}

std::string table_of(int bits) { return fmt::format("{} codewords", 1 << bits); }

// A quick trial has too few vectors for as many codewords as its tables name.
int bits_of(int bits, const Trial& trial) { return trial.quick ? bits - 5 : bits; }

std::string codebook(const Files& files, const char* quantiser, int bits, const Trial& trial) {
  return trained_codec(
      trial, "simvq",
      fmt::format("[data]\nvectors = \"{}\"\nmetric = \"cosine\"\n[codec]\nkind = \"vq\"\n"
                  "parts = 1\nbits = {}\nquantiser = \"{}\"\nlatent = 32\nhidden = 256\n[train]\n"
                  "steps = {}\nbatch = 512\nlearning_rate = 1e-3\nseed = {}\n[validation]\n"
                  "vectors = \"{}\"\nbaseline = false\nkeep_best = false\nevery = 100000\n",
                  files.base, bits_of(bits, trial), quantiser, trial.quick ? 20 : 3000, trial.seed,
                  files.held_out));
}

double perplexity_of(const std::unordered_map<std::uint32_t, std::size_t>& counts,
                     std::size_t rows) {
  double entropy = 0;
  for (const auto& [word, count] : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(rows);
    entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

// Of the same rows, by the same measures: usage of 20 vectors a codeword, errors of others.
void report_means(const Sets& sets, int bits, const Trial& trial, Results& results) {
  constexpr std::size_t kRowsAWord = 20;
  const double before = cpu_seconds();
  Codebooks books(sets.base.cols(), 1, bits_of(bits, trial));
  books.learn(sets.base.view(), trial.seed, trial.control);
  const double seconds = cpu_seconds() - before;
  std::unordered_map<std::uint32_t, std::size_t> counts;
  std::uint32_t code = 0;
  const auto seen = random_sample(sets.base.rows(), kRowsAWord * books.words(), trial.seed);
  for (const std::uint32_t row : seen) {
    books.encode(sets.base.row(row), &code);
    ++counts[code];
  }
  std::vector<double> mean(sets.base.cols());
  for (std::size_t i = 0; i < sets.base.rows(); ++i) {
    for (std::size_t j = 0; j < mean.size(); ++j) {
      mean[j] += sets.base(i, j) / static_cast<double>(sets.base.rows());
    }
  }
  double error = 0, variance = 0;
  for (std::size_t i = 0; i < sets.held_out.rows(); ++i) {
    error += books.encode(sets.held_out.row(i), &code);
    for (std::size_t j = 0; j < mean.size(); ++j) {
      variance += std::pow(sets.held_out(i, j) - mean[j], 2);
    }
  }
  const std::string table = table_of(bits);
  results.add(table, kMeans, kUtilisation,
              static_cast<double>(counts.size()) / static_cast<double>(books.words()));
  results.add(table, kMeans, kPerplexity, perplexity_of(counts, seen.size()));
  results.add(table, kMeans, kError, error / variance);
  results.add(table, kMeans, kNearest, error / variance);
  results.add(table, kMeans, kSeconds, seconds);
}

void measure(const Trial& trial, Results& results) {
  trial.expect(kBits.size() * (std::size(kRows) + 1));
  const Sets sets = sets_of(trial);
  const Files files = files_of(sets, trial);
  for (const int bits : kBits) {
    const std::string table = table_of(bits);
    for (const auto& [row, quantiser] : kRows) {
      const std::string folder = codebook(files, quantiser, bits, trial);
      results.add(table, row, kUtilisation, validation_score(folder, "network_utilisation"));
      results.add(table, row, kPerplexity, validation_score(folder, "network_perplexity"));
      results.add(table, row, kError, validation_score(folder, "network_error"));
      results.add(table, row, kNearest, validation_score(folder, "error"));
      results.add(table, row, kSeconds, training_seconds(folder));
      trial.step();
    }
    report_means(sets, bits, trial, results);
    trial.step();
  }
}

// Row a minus row b is above `bound` at every large K.
Judgement everywhere(const Results& results, const char* a, const char* b, const char* column,
                     double bound = 0) {
  std::vector<Judgement> parts;
  for (const int bits : kBits) {
    if (bits < kLarge) continue;
    parts.push_back(above(table_of(bits), results.difference(table_of(bits), a, b, column), bound));
  }
  return all_of(parts);
}

const Registration registration({
    .slug = "simvq",
    .title = "Addressing Representation Collapse in Vector Quantized Models with One Linear Layer",
    .authors = "Zhu, Li, Xin et al.",
    .year = 2024,
    .source = "arXiv 2411.02038",
    .data = {"debian", "train/debian", "train/texts", "train/wordnet"},
    .seeds = 3,
    .claims =
        {{"One linear layer keeps codewords in use that plain ones lose",
          "shown if SimVQ's utilisation minus that of VQ is above 0.1 with 1024, 4096 and 8192 "
          "codewords; refuted if below for one",
          [](const Results& results) {
            return everywhere(results, kSim, kPlain, kUtilisation, 0.1);
          }},
         {"Less is lost for it",
          "shown if VQ's error minus SimVQ's is above 0 with 1024, 4096 and 8192 codewords; "
          "refuted if below for one",
          [](const Results& results) { return everywhere(results, kPlain, kSim, kError); }},
         {"With the basis trained it works as well",
          "shown if SimVQ's error minus that with the basis trained is above -0.01 with 1024, 4096 "
          "and 8192 codewords; refuted if below for one",
          [](const Results& results) {
            return everywhere(results, kSim, kSimTrained, kError, -0.01);
          }},
         {"Less is lost than with codewords that follow means and start again",
          "shown if their error minus SimVQ's is above 0 with 1024, 4096 and 8192 codewords; "
          "refuted if below for one",
          [](const Results& results) { return everywhere(results, kEma, kSim, kError); }},
         {"Less is lost than with finite scalar quantisation",
          "shown if FSQ's error minus SimVQ's is above 0 with 1024, 4096 and 8192 codewords; "
          "refuted if below for one",
          [](const Results& results) { return everywhere(results, kFsq, kSim, kError); }},
         {"More codewords are of use",
          "shown if SimVQ's error with 1024 codewords minus that with 8192 is above 0",
          [](const Results& results) {
            return above("1024 - 8192 codewords",
                         paired_difference(results.values(table_of(kLarge), kSim, kError),
                                           results.values(table_of(kBits.back()), kSim, kError)));
          }},
         {"A network about the codebook does better than k-means on the vectors themselves",
          "shown if k-means' error minus SimVQ's is above 0 with 1024, 4096 and 8192 codewords; "
          "refuted if below for one",
          [](const Results& results) { return everywhere(results, kMeans, kSim, kError); }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

// Statistical depth of texts: does its test tell corpora apart that differ, and no others? Are the
// deepest texts of a class its best examples? Corpora are sections of Debian's archive, their texts
// embedded by two plain models; the paper's were annotated and generated sets and trained encoders.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/random.h"
#include "kith/correlation.h"
#include "kith/depth.h"
#include "kith/judge.h"
#include "papers/common/data.h"
#include "papers/common/paper.h"
#include "papers/common/text_models.h"

namespace kith::papers {
namespace {

using Numbers = std::vector<std::uint32_t>;

// ---- Texts --------------------------------------------------------------------------------------

constexpr std::size_t kSections = 6, kTexts = 600;  // of each section
constexpr std::size_t kLeastWords = 10;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Section by section, kTexts of each: text i is of section i / kTexts.
using Corpus = std::vector<std::string>;

// The sections with the most texts; which of these is the seed's choice.
Corpus debian_sections_texts(const Trial& trial) {
  const Task task = std::move(load_tasks("sections", trial).front());
  const auto& classes = std::get<ClassificationTask>(task.content);
  std::vector<std::vector<std::string>> sections(classes.labels.size());
  for (std::size_t i = 0; i < classes.train.texts.size(); ++i) {
    const std::string& text = classes.train.texts[i];
    if (words_of(text).size() >= kLeastWords) sections[classes.train_labels[i]].push_back(text);
  }
  std::stable_sort(sections.begin(), sections.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  Corpus corpus;
  for (std::size_t s = 0; s < kSections; ++s) {
    for (const std::uint32_t i : random_sample(sections[s].size(), kTexts, trial.seed + s)) {
      corpus.push_back(sections[s][i]);
    }
  }
  return corpus;
}

Corpus made_up(const Trial& trial) {
  constexpr std::size_t kTopical = 60, kCommon = 200, kWordsOfText = 30;
  Random random(trial.seed);
  Corpus corpus;
  for (std::size_t i = 0; i < kSections * kTexts; ++i) {
    std::vector<std::string> words;
    for (std::size_t w = 0; w < kWordsOfText; ++w) {
      const bool topical = random.below(3) == 0;
      const std::size_t word = random.below(topical ? kTopical : kCommon);
      std::string& name = words.emplace_back(1, topical ? 't' : 'c');
      name += std::to_string(topical ? i / kTexts * kTopical + word : word);
    }
    corpus.push_back(joined(words));
  }
  return corpus;
}

Matrix<float> embed(Embedder& model, const Corpus& texts, const Trial& trial) {
  TextPart part;
  part.name = "texts";
  part.texts = texts;
  Matrix<float> rows = embed_all(model, part, trial.control);
  normalise(rows);
  return rows;
}

// Texts of a section in random order.
Numbers shuffled(std::size_t section, std::uint64_t seed) {
  Numbers order = random_permutation(kTexts, seed);
  for (std::uint32_t& i : order) i += static_cast<std::uint32_t>(section * kTexts);
  return order;
}

// Puts texts of other sections in place of the first so many.
void contaminate(std::span<std::uint32_t> numbers, std::size_t foreign, std::size_t section,
                 Random random) {
  for (std::size_t i = 0; i < foreign; ++i) {
    const std::size_t other = (section + 1 + random.below(kSections - 1)) % kSections;
    numbers[i] = static_cast<std::uint32_t>(other * kTexts + random.below(kTexts));
  }
}

// ---- Do two corpora differ? ---------------------------------------------------------------------

// The baseline: energy distance (Szekely and Rizzo, "Testing for equal distributions in high
// dimension", 2004) of unit rows, as many of each, and its permutation test.
double energy_p_value(const Matrix<float>& f, const Matrix<float>& g, std::uint64_t seed) {
  constexpr std::size_t kPermutations = 99;
  const std::size_t half = f.rows(), all = 2 * half;
  const auto row = [&](std::size_t i) { return i < half ? f.row(i) : g.row(i - half); };
  std::vector<float> distances(all * all);
  for (std::size_t i = 0; i < all; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double dot = 0;
      for (std::size_t k = 0; k < f.cols(); ++k) dot += double{row(i)[k]} * row(j)[k];
      distances[i * all + j] = static_cast<float>(std::sqrt(std::max(0.0, 2 - 2 * dot)));
    }
  }
  // Twice the mean between the two less the means within each, but for a factor: the sum over
  // pairs, negative where both are of one corpus.
  const auto statistic = [&](const Numbers& order) {
    double sum = 0;
    for (std::size_t i = 0; i < all; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const bool apart = (order[i] < half) != (order[j] < half);
        sum += apart ? distances[i * all + j] : -distances[i * all + j];
      }
    }
    return sum;
  };
  Numbers order(all);
  std::iota(order.begin(), order.end(), 0u);
  const double observed = statistic(order);
  std::size_t beyond = 1;
  for (std::size_t p = 0; p < kPermutations; ++p) {
    beyond += statistic(random_permutation(all, seed * kPermutations + p)) >= observed ? 1 : 0;
  }
  return static_cast<double>(beyond) / (kPermutations + 1);
}

struct Share {
  const char* name;
  std::size_t foreign;  // of kHalf texts
  std::size_t splits;
};
constexpr std::size_t kHalf = 250, kEnergySplits = 20;
constexpr Share kShares[] = {{"0 %", 0, 400},      {"2 %", 5, 100},   {"5 %", 12, 100},
                             {"10 %", 25, 100},    {"20 %", 50, 100}, {"40 %", 100, 100},
                             {"100 %", kHalf, 100}};
constexpr double kLevel = 0.05;
constexpr char kQ[] = "Q", kDepthRate[] = "rejected at 5 %, depth",
               kEnergyRate[] = "rejected at 5 %, energy";

std::string corpora_table(const std::string& model) { return "two corpora, " + model; }

void measure_tests(const Matrix<float>& rows, const std::string& model, const Trial& trial,
                   Results& results) {
  for (const Share& share : kShares) {
    const std::size_t splits = trial.quick ? share.splits / 10 : share.splits;
    std::vector<double> q(splits);
    std::vector<std::uint8_t> depth(splits), energy(splits);
    parallel_for(trial.control, splits, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t section = i % kSections;
        const std::uint64_t seed = trial.seed * 1000 + i;
        Numbers order = shuffled(section, seed);
        const std::span<std::uint32_t> first = std::span(order).first(kHalf),
                                       second = std::span(order).subspan(kHalf, kHalf);
        contaminate(second, share.foreign, section, Random(seed, 1));
        const Matrix<float> f = copy_rows(rows, first), g = copy_rows(rows, second);
        DepthOptions options;
        options.control.threads = 1;
        const DepthTest test = depth_test(f, g, options);
        q[i] = test.q;
        depth[i] = test.test.p_value < kLevel ? 1 : 0;
        if (i < kEnergySplits) energy[i] = energy_p_value(f, g, seed) <= kLevel ? 1 : 0;
      }
    });
    const auto rate = [](const std::vector<std::uint8_t>& rejected, std::size_t count) {
      return std::accumulate(rejected.begin(), rejected.end(), 0.0) / static_cast<double>(count);
    };
    const std::string table = corpora_table(model);
    results.add(table, share.name, kQ,
                std::accumulate(q.begin(), q.end(), 0.0) / static_cast<double>(splits));
    results.add(table, share.name, kDepthRate, rate(depth, splits));
    results.add(table, share.name, kEnergyRate, rate(energy, std::min(splits, kEnergySplits)));
    trial.step();
  }
}

// ---- Which texts are foreign? -------------------------------------------------------------------

// How often a foreign text's value is below a native's; ties count half.
double area_below(std::span<const double> values, std::size_t foreign) {
  const std::vector<double> ranks = average_ranks(values);
  const double sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(foreign), 0.0);
  const auto few = static_cast<double>(foreign),
             many = static_cast<double>(values.size() - foreign);
  return 1 - (sum - few * (few + 1) / 2) / (few * many);
}

// The mean cosine to the nearest others: the baseline.
std::vector<double> nearness(const Matrix<float>& rows, std::size_t neighbours) {
  std::vector<double> means;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    std::vector<double> cosines;
    for (std::size_t j = 0; j < rows.rows(); ++j) {
      if (j == i) continue;
      double dot = 0;
      for (std::size_t k = 0; k < rows.cols(); ++k) dot += double{rows(i, k)} * rows(j, k);
      cosines.push_back(dot);
    }
    const auto last = cosines.begin() + static_cast<std::ptrdiff_t>(neighbours);
    std::partial_sort(cosines.begin(), last, cosines.end(), std::greater<>());
    means.push_back(std::accumulate(cosines.begin(), last, 0.0));
  }
  return means;
}

void measure_outliers(const Matrix<float>& rows, const std::string& model, const Trial& trial,
                      Results& results) {
  constexpr std::size_t kAll = 300, kForeign = 15, kNeighbours = 10;
  const std::size_t draws = trial.quick ? 2 : 48;
  double cosine = 0, chord = 0, nearest = 0;
  for (std::size_t i = 0; i < draws; ++i) {
    throw_if_cancelled(trial.control);
    Numbers numbers = shuffled(i % kSections, trial.seed * 1000 + i);
    numbers.resize(kAll);
    contaminate(numbers, kForeign, i % kSections, Random(trial.seed, i));
    const Matrix<float> some = copy_rows(rows, numbers);
    DepthOptions options;
    options.control.threads = trial.control.threads;
    cosine += area_below(depths(some, options), kForeign);
    options.distance = DepthDistance::chord;
    chord += area_below(depths(some, options), kForeign);
    nearest += area_below(nearness(some, kNeighbours), kForeign);
  }
  const auto count = static_cast<double>(draws);
  const std::string table = "15 foreign texts among 300, " + model;
  results.add(table, "depth, cosine", "area under ROC", cosine / count);
  results.add(table, "depth, chord", "area under ROC", chord / count);
  results.add(table, "10 nearest neighbours", "area under ROC", nearest / count);
  trial.step();
}

// ---- Which texts stand for their class? ---------------------------------------------------------

constexpr std::size_t kShots[] = {1, 3, 5, 10};
constexpr std::size_t kTraining = 500;  // of a section; the others test

std::string shots_column(std::size_t k) { return "k = " + std::to_string(k); }
std::string shots_table(const std::string& model) {
  return "nearest mean of k texts of a class, " + model;
}

// The share of test texts whose section's mean of examples is the nearest.
double accuracy_of(const Matrix<float>& rows, const std::vector<Numbers>& examples,
                   const std::vector<Numbers>& tests) {
  Matrix<float> means(kSections, rows.cols());
  for (std::size_t s = 0; s < kSections; ++s) {
    for (const std::uint32_t i : examples[s]) {
      for (std::size_t k = 0; k < rows.cols(); ++k) means(s, k) += rows(i, k);
    }
  }
  normalise(means);
  std::size_t right = 0, all = 0;
  for (std::size_t s = 0; s < kSections; ++s) {
    for (const std::uint32_t i : tests[s]) {
      std::array<double, kSections> cosines{};
      for (std::size_t c = 0; c < kSections; ++c) {
        for (std::size_t k = 0; k < rows.cols(); ++k)
          cosines[c] += double{rows(i, k)} * means(c, k);
      }
      const auto best = std::max_element(cosines.begin(), cosines.end()) - cosines.begin();
      right += static_cast<std::size_t>(best) == s ? 1 : 0;
      ++all;
    }
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

void measure_examples(const Matrix<float>& rows, const std::string& model, const Trial& trial,
                      Results& results) {
  constexpr std::size_t kDraws = 10;
  std::vector<Numbers> training, tests, by_depth;
  for (std::size_t s = 0; s < kSections; ++s) {
    const Numbers order = shuffled(s, trial.seed * kSections + s);
    training.emplace_back(order.begin(), order.begin() + kTraining);
    tests.emplace_back(order.begin() + kTraining, order.end());
    DepthOptions options;
    options.control = trial.control;
    options.control.progress = {};
    Numbers& deep = by_depth.emplace_back();
    for (const std::uint32_t i : deepest(copy_rows(rows, training[s]), kTraining, {}, options)) {
      deep.push_back(training[s][i]);
    }
  }
  const auto add = [&](const std::string& row, std::size_t k, double accuracy) {
    results.add(shots_table(model), row, shots_column(k), accuracy);
  };
  // The k texts of each section from a place on; in `training` they lie in random order.
  const auto from = [](const std::vector<Numbers>& lists, std::size_t at, std::size_t k) {
    std::vector<Numbers> some;
    for (const Numbers& list : lists) {
      const auto begin = list.begin() + static_cast<std::ptrdiff_t>(at);
      some.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(k));
    }
    return some;
  };
  for (const std::size_t k : kShots) {
    double random = 0;
    for (std::size_t draw = 0; draw < kDraws; ++draw) {
      random += accuracy_of(rows, from(training, draw * k, k), tests) / kDraws;
    }
    add("random", k, random);
    add("deepest", k, accuracy_of(rows, from(by_depth, 0, k), tests));
    add("shallowest", k, accuracy_of(rows, from(by_depth, kTraining - k, k), tests));
  }
  trial.step();
}

// ---- Are synthetic texts off their source? ------------------------------------------------------

// Texts of as many words as those given, each word drawn from those that follow the two before it
// there.
Corpus markov_texts(const Corpus& source, Random random) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> follow;
  for (const std::string& text : source) {
    std::string first, second;  // empty before the beginning
    for (const std::string& word : words_of(text)) {
      follow[{first, second}].push_back(word);
      first = std::exchange(second, word);
    }
    follow[{first, second}].emplace_back();  // the end
  }
  Corpus made;
  for (const std::string& text : source) {
    const std::size_t length = words_of(text).size();
    std::vector<std::string> words;
    std::string first, second;
    while (words.size() < length) {
      const std::vector<std::string>& next = follow.at({first, second});
      std::string word = next[random.below(next.size())];
      if (word.empty()) {  // another sentence begins
        first.clear();
        second.clear();
        continue;
      }
      words.push_back(word);
      first = std::exchange(second, word);
    }
    made.push_back(joined(words));
  }
  return made;
}

Corpus without_some_words(const Corpus& source, Random random) {
  constexpr double kDropped = 0.15;
  Corpus made;
  for (const std::string& text : source) {
    std::vector<std::string> words = words_of(text);
    std::erase_if(words, [&](const std::string&) { return random.uniform() < kDropped; });
    made.push_back(words.empty() ? text : joined(words));
  }
  return made;
}

Corpus in_random_order(const Corpus& source, std::uint64_t seed) {
  Corpus made;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::vector<std::string> words = words_of(source[i]);
    std::vector<std::string> mixed;
    for (const std::uint32_t w : random_permutation(words.size(), seed + i)) {
      mixed.push_back(words[w]);
    }
    made.push_back(joined(mixed));
  }
  return made;
}

constexpr char kMarkov[] = "drawn word by word (trigrams)",
               kDropout[] = "15 % of the words left out";
std::string synthetic_table(const std::string& model) { return "made of a corpus, " + model; }

void measure_synthetic(const Corpus& corpus, Embedder& model, const std::string& name,
                       const Trial& trial, Results& results) {
  constexpr std::size_t kPart = kTexts / 2;
  constexpr double kStrict = 0.01;
  struct Process {
    const char* name;
    double q = 0, rejected = 0;
  };
  std::array<Process, 4> processes = {
      {{kMarkov}, {kDropout}, {"words in random order"}, {"left as they are"}}};
  for (std::size_t s = 0; s < kSections; ++s) {
    throw_if_cancelled(trial.control);
    const Numbers order = shuffled(s, trial.seed * kSections + s);
    Corpus real, source;
    for (std::size_t i = 0; i < kTexts; ++i)
      (i < kPart ? real : source).push_back(corpus[order[i]]);
    const Corpus made[] = {markov_texts(source, Random(trial.seed, s)),
                           without_some_words(source, Random(trial.seed, s)),
                           in_random_order(source, trial.seed), source};
    const Matrix<float> f = embed(model, real, trial);
    for (std::size_t p = 0; p < processes.size(); ++p) {
      const DepthTest test = depth_test(f, embed(model, made[p], trial));
      processes[p].q += test.q / kSections;
      processes[p].rejected += (test.test.p_value < kStrict ? 1.0 : 0.0) / kSections;
    }
  }
  for (const Process& process : processes) {
    results.add(synthetic_table(name), process.name, kQ, process.q);
    results.add(synthetic_table(name), process.name, "rejected at 1 %", process.rejected);
  }
  trial.step();
}

// ---- All of it ----------------------------------------------------------------------------------

constexpr char kMean[] = "means of words' vectors", kHashed[] = "hashed words";
// A quick trial has no words' vectors: it measures other hashes in their place.
const char* const kModels[] = {kMean, kHashed};

void measure(const Trial& trial, Results& results) {
  constexpr std::size_t kDim = 100, kHashedDim = 512;
  const Corpus corpus = trial.quick ? made_up(trial) : debian_sections_texts(trial);
  const FeatureWeights weights(corpus, {}, trial.control);
  std::unique_ptr<WordVectors> vectors;
  std::unique_ptr<Embedder> models[2];
  if (trial.quick) {
    models[0] = std::make_unique<HashedTexts>(kMean, FeatureKind{}, kDim, &weights, ~trial.seed);
  } else {
    vectors = std::make_unique<WordVectors>(load_word_vectors(trial));
    models[0] = std::make_unique<MeanOfWords>(kMean, *vectors, kDim, &weights);
  }
  models[1] =
      std::make_unique<HashedTexts>(kHashed, FeatureKind{}, kHashedDim, &weights, trial.seed);
  trial.expect(std::size(models) * (std::size(kShares) + 3));
  for (const auto& model : models) {
    const std::string name = model->name();
    const Matrix<float> rows = embed(*model, corpus, trial);
    measure_tests(rows, name, trial, results);
    measure_outliers(rows, name, trial, results);
    measure_examples(rows, name, trial, results);
    measure_synthetic(corpus, *model, name, trial, results);
  }
}

// A claim that must hold for both models.
template <class Judge>
Judgement of_both(const Judge& judge) {
  std::vector<Judgement> parts;
  for (const char* model : kModels) {
    for (Judgement& part : judge(std::string(model))) parts.push_back(std::move(part));
  }
  return all_of(parts);
}

const Registration registration({
    .slug = "tte-depth",
    .title = "Statistical depth for ranking and characterizing transformer-based text embeddings",
    .authors = "Seegmiller and Preum",
    .year = 2023,
    .source = "arXiv 2310.15010",
    .data = {"words", "sections"},
    .seeds = 3,
    .claims =
        {{"Of two halves of one corpus the test says as rarely as its level that they differ",
          "shown if at 5 % between 3 % and 8 % of 400 splits are rejected, refuted if fewer or "
          "more "
          "are, with one model",
          [](const Results& results) {
            return of_both([&](const std::string& model) {
              const Estimate rate = results.mean(corpora_table(model), "0 %", kDepthRate);
              return std::vector{above(model, rate, 0.03), below(model, rate, 0.08)};
            });
          }},
         {"It finds a fifth of foreign texts",
          "shown if with 20 % of 250 texts replaced more than 90 % of the splits are rejected at "
          "5 %, refuted if fewer are, with one model",
          [](const Results& results) {
            return of_both([&](const std::string& model) {
              return std::vector{
                  above(model, results.mean(corpora_table(model), "20 %", kDepthRate), 0.9)};
            });
          }},
         {"The deepest texts of a class are better examples of it than random ones",
          "shown if one and three of them classify better by nearest means, refuted if random ones "
          "do, with one model",
          [](const Results& results) {
            return of_both([&](const std::string& model) {
              std::vector<Judgement> parts;
              for (const std::size_t k : {1, 3}) {
                parts.push_back(above(
                    model + ", " + shots_column(k),
                    results.difference(shots_table(model), "deepest", "random", shots_column(k))));
              }
              return parts;
            });
          }},
         {"Synthetic texts lie off the corpus that they were made of",
          "shown if Q is below 0.5 for texts drawn word by word and for those without 15 % of "
          "their "
          "words, refuted if it is above for one, with one model",
          [](const Results& results) {
            return of_both([&](const std::string& model) {
              std::vector<Judgement> parts;
              for (const char* process : {kMarkov, kDropout}) {
                parts.push_back(below(model + ", " + process,
                                      results.mean(synthetic_table(model), process, kQ), 0.5));
              }
              return parts;
            });
          }}},
    .measure = measure,
});

}  // namespace
}  // namespace kith::papers

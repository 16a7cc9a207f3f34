#include "mine/negatives.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "judge/bm25.h"
#include "judge/nearest.h"
#include "kith/error.h"

namespace kith::mine {
namespace {

void check(std::span<Embedder* const> rankings, const NegativeOptions& options) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorCode::invalid_argument, message);
  };
  if (rankings.empty()) refuse("negatives: no ranking to mine by, expected BM25 or a model");
  if (options.first < 1 || options.last < options.first) {
    refuse("negatives: ranks " + std::to_string(options.first) + " to " +
           std::to_string(options.last) + ", expected 1 or more, in ascending order");
  }
  if (options.count < 1) refuse("negatives: a count of 0, expected 1 or more");
  if (!(options.max_ratio > 0)) {
    refuse("negatives: a ratio of " + std::to_string(options.max_ratio) + ", expected above 0");
  }
}

struct Vectors {
  Matrix<float> queries, documents;  // of unit length, or zero
};

Matrix<float> unit_vectors(Embedder& embedder, const TextPart& part, const Control& control) {
  Matrix<float> rows = embed_all(embedder, part, control);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double square = 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) square += double{rows(i, j)} * rows(i, j);
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      rows(i, j) = static_cast<float>(rows(i, j) * scale);
    }
  }
  return rows;
}

class Miner {
 public:
  Miner(const PairTexts& texts, std::span<Embedder* const> rankings, Embedder* teacher,
        const NegativeOptions& options)
      : texts_(texts), options_(options) {
    for (Embedder* each : rankings) rank(each);
    if (teacher != nullptr) teacher_ = &vectors_of(*teacher);
  }

  Negatives mine() const {
    const std::size_t pairs = texts_.pairs().size();
    Negatives result;
    result.documents.resize(pairs);
    if (teacher_ != nullptr) result.scores.resize(pairs);
    parallel_for(without_progress(options_.control), pairs, 64,
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   for (std::size_t i = begin; i < end; ++i) mine_pair(i, result);
                 });
    return result;
  }

 private:
  const Vectors& vectors_of(Embedder& embedder) {
    const auto known = vectors_.find(&embedder);
    if (known != vectors_.end()) return known->second;
    Vectors vectors{unit_vectors(embedder, texts_.queries(), options_.control),
                    unit_vectors(embedder, texts_.documents(), options_.control)};
    return vectors_.emplace(&embedder, std::move(vectors)).first->second;
  }

  // Deep enough for the last rank once answers are left out.
  void rank(Embedder* by) {
    const std::size_t depth = options_.last + texts_.most_answers();
    if (by == nullptr) {
      rankings_.push_back(
          judge::bm25_search(texts_.documents(), texts_.queries(), depth, options_.control));
    } else {
      const Vectors& vectors = vectors_of(*by);
      rankings_.push_back(
          judge::nearest_by_cosine(vectors.documents, vectors.queries, depth, options_.control));
    }
  }

  float score(std::uint32_t query, std::uint32_t document) const {
    double sum = 0;
    for (std::size_t j = 0; j < teacher_->queries.cols(); ++j) {
      sum += double{teacher_->queries(query, j)} * teacher_->documents(document, j);
    }
    return static_cast<float>(sum);
  }

  // By the teacher, where there is one.
  bool is_far(const PairTexts::Pair& pair, std::uint32_t document) const {
    return teacher_ == nullptr ||
           score(pair.query, document) <= options_.max_ratio * score(pair.query, pair.positive);
  }

  // The documents of each ranking's wanted ranks.
  std::vector<std::vector<std::uint32_t>> ranked(std::uint32_t query) const {
    std::vector<std::vector<std::uint32_t>> lists(rankings_.size());
    for (std::size_t r = 0; r < rankings_.size(); ++r) {
      std::size_t rank = 0;
      for (std::size_t i = 0; i < rankings_[r].k() && rank < options_.last; ++i) {
        const Id document = rankings_[r].ids(query, i);
        if (document == kNoId) break;
        if (texts_.answers(query, static_cast<std::uint32_t>(document))) continue;
        if (++rank >= options_.first) lists[r].push_back(static_cast<std::uint32_t>(document));
      }
    }
    return lists;
  }

  // In turn from each ranking, nearest first, or in random order.
  std::vector<std::uint32_t> candidates(std::uint32_t query, Random& random) const {
    const auto lists = ranked(query);
    std::vector<std::uint32_t> all;
    const auto add = [&](std::uint32_t document) {
      if (std::ranges::find(all, document) == all.end()) all.push_back(document);
    };
    for (std::size_t place = 0; place <= options_.last - options_.first; ++place) {
      for (const auto& list : lists) {
        if (place < list.size()) add(list[place]);
      }
    }
    if (!options_.random) return all;
    std::vector<std::uint32_t> shuffled;
    for (const std::uint32_t at : random_permutation(all.size(), random.next())) {
      shuffled.push_back(all[at]);
    }
    return shuffled;
  }

  void mine_pair(std::size_t i, Negatives& result) const {
    const PairTexts::Pair& pair = texts_.pairs()[i];
    Random random(options_.seed, i);
    std::vector<std::uint32_t>& chosen = result.documents[i];
    for (const std::uint32_t document : candidates(pair.query, random)) {
      if (chosen.size() == options_.count) break;
      if (is_far(pair, document)) chosen.push_back(document);
    }
    if (options_.fill) fill(pair.query, random, chosen);
    if (teacher_ == nullptr) return;
    result.scores[i] = {score(pair.query, pair.positive)};
    for (const std::uint32_t document : chosen) {
      result.scores[i].push_back(score(pair.query, document));
    }
  }

  // Gives up after some draws: of few documents all may be answers.
  void fill(std::uint32_t query, Random& random, std::vector<std::uint32_t>& chosen) const {
    constexpr std::size_t kDrawsEach = 100;
    for (std::size_t draw = 0; draw < kDrawsEach * options_.count; ++draw) {
      if (chosen.size() >= options_.count) return;
      const auto document =
          static_cast<std::uint32_t>(random.below(texts_.documents().texts.size()));
      if (texts_.answers(query, document)) continue;
      if (std::ranges::find(chosen, document) == chosen.end()) chosen.push_back(document);
    }
  }

  const PairTexts& texts_;
  const NegativeOptions& options_;
  std::map<Embedder*, Vectors> vectors_;
  std::vector<Neighbours> rankings_;
  const Vectors* teacher_ = nullptr;
};

}  // namespace

Negatives mine_negatives(const PairTexts& texts, std::span<Embedder* const> rankings,
                         Embedder* teacher, const NegativeOptions& options) {
  check(rankings, options);
  if (texts.pairs().empty()) return {};
  return Miner(texts, rankings, teacher, options).mine();
}

}  // namespace kith::mine

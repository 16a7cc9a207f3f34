#include "mine/vote.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>

#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"

namespace kith::mine {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

// Okapi BM25 with k1 = 1.5, b = 0.75 over a handful of texts.
std::vector<double> bm25(const Ballot& ballot) {
  constexpr double kK1 = 1.5, kB = 0.75;
  std::vector<std::map<std::string, double>> counts;
  std::map<std::string, double> holders;
  std::vector<double> lengths;
  for (const std::string& candidate : ballot.candidates) {
    auto& own = counts.emplace_back();
    const std::vector<std::string> words = words_of(candidate);
    for (const std::string& word : words) ++own[word];
    for (const auto& [word, count] : own) ++holders[word];
    lengths.push_back(static_cast<double>(words.size()));
  }
  const auto texts = static_cast<double>(counts.size());
  const double mean = std::max(std::accumulate(lengths.begin(), lengths.end(), 0.0) / texts, 1.0);
  std::vector<double> scores(counts.size());
  for (const std::string& word : words_of(ballot.positive)) {
    const auto held = holders.find(word);
    if (held == holders.end()) continue;
    const double rarity = std::log(1 + (texts - held->second + 0.5) / (held->second + 0.5));
    for (std::size_t c = 0; c < counts.size(); ++c) {
      const auto own = counts[c].find(word);
      if (own == counts[c].end()) continue;
      scores[c] += rarity * own->second * (kK1 + 1) /
                   (own->second + kK1 * (1 - kB + kB * lengths[c] / mean));
    }
  }
  return scores;
}

// Of all ballots, one after the other.
std::vector<std::vector<double>> cosines(std::span<const Ballot> ballots, Embedder& member,
                                         const VoteOptions& options) {
  TextPart positives{.name = "positives", .texts = {}, .ids = {}};
  TextPart candidates{.name = "candidates", .texts = {}, .ids = {}};
  for (const Ballot& ballot : ballots) {
    positives.texts.push_back(ballot.positive);
    candidates.texts.insert(candidates.texts.end(), ballot.candidates.begin(),
                            ballot.candidates.end());
  }
  const auto embedded = [&](const TextPart& part) {
    return embed_all(member, part, without_progress(options.control));
  };
  const Matrix<float> p = embedded(positives), c = embedded(candidates);
  const auto dot = [](const float* a, const float* b, std::size_t n) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += double{a[j]} * b[j];
    return sum;
  };
  std::vector<std::vector<double>> scores;
  std::size_t row = 0;
  for (std::size_t i = 0; i < ballots.size(); ++i) {
    auto& own = scores.emplace_back();
    for (std::size_t k = 0; k < ballots[i].candidates.size(); ++k, ++row) {
      const float *a = p.row(i), *b = c.row(row);
      const double lengths = std::sqrt(dot(a, a, p.cols()) * dot(b, b, p.cols()));
      own.push_back(lengths > 0 ? options.scale * dot(a, b, p.cols()) / lengths : 0);
    }
  }
  return scores;
}

// What a member adds to each candidate.
std::vector<double> votes_of(const std::vector<double>& scores, bool majority) {
  const auto best = std::ranges::max_element(scores);
  std::vector<double> votes(scores.size());
  if (majority) {
    votes[static_cast<std::size_t>(best - scores.begin())] = 1;
    return votes;
  }
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) sum += votes[k] = std::exp(scores[k] - *best);
  for (double& each : votes) each /= sum;
  return votes;
}

}  // namespace

std::vector<std::uint32_t> vote(std::span<const Ballot> ballots, std::span<Embedder* const> members,
                                const VoteOptions& options) {
  if (members.empty()) refuse("a vote without members");
  std::vector<std::vector<double>> sums;
  for (std::size_t i = 0; i < ballots.size(); ++i) {
    if (ballots[i].candidates.empty()) {
      refuse("ballot " + std::to_string(i) + ": no candidates, expected one at least");
    }
    sums.emplace_back(ballots[i].candidates.size());
  }
  for (Embedder* const member : members) {
    throw_if_cancelled(options.control);
    std::vector<std::vector<double>> scores;
    if (member != nullptr) {
      scores = cosines(ballots, *member, options);
    } else {
      for (const Ballot& ballot : ballots) scores.push_back(bm25(ballot));
    }
    for (std::size_t i = 0; i < ballots.size(); ++i) {
      const std::vector<double> votes = votes_of(scores[i], options.majority);
      for (std::size_t k = 0; k < votes.size(); ++k) sums[i][k] += votes[k];
    }
  }
  std::vector<std::uint32_t> chosen;
  for (const auto& own : sums) {
    chosen.push_back(static_cast<std::uint32_t>(std::ranges::max_element(own) - own.begin()));
  }
  return chosen;
}

}  // namespace kith::mine

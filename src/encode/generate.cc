#include "encode/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/checksum.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "encode/key_value_cache.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr std::size_t kTogether = 32;  // prompts that a thread writes behind at once

// One token from scores of the vocabulary.
std::uint32_t draw(std::span<const float> scores, const GenerateOptions& options, Random& random) {
  const auto likeliest = std::max_element(scores.begin(), scores.end());
  if (options.temperature <= 0) return static_cast<std::uint32_t>(likeliest - scores.begin());
  std::vector<double> weights;
  double sum = 0;
  for (const float score : scores) {
    weights.push_back(std::exp((double{score} - double{*likeliest}) / options.temperature));
    sum += weights.back();
  }
  // A heap, for a few of the likeliest are most often enough.
  std::vector<std::uint32_t> rest(scores.size()), kept;
  std::iota(rest.begin(), rest.end(), 0u);
  const auto less_likely = [&](std::uint32_t a, std::uint32_t b) {
    return weights[a] < weights[b] || (weights[a] == weights[b] && a > b);
  };
  std::ranges::make_heap(rest, less_likely);
  double share = 0;
  while (!rest.empty() && share < options.top_p * sum) {
    std::ranges::pop_heap(rest, less_likely);
    kept.push_back(rest.back());
    rest.pop_back();
    share += weights[kept.back()];
  }
  double at = random.uniform() * share;
  for (const std::uint32_t each : kept) {
    at -= weights[each];
    if (at < 0) return each;
  }
  return kept.empty() ? static_cast<std::uint32_t>(likeliest - scores.begin()) : kept.back();
}

// Each prompt's own, and another each time that it stands again right behind itself.
std::vector<std::uint64_t> streams_of(std::span<const std::vector<std::uint32_t>> prompts) {
  std::vector<std::uint64_t> streams;
  std::uint64_t again = 0;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    again = p > 0 && prompts[p] == prompts[p - 1] ? again + 1 : 0;
    streams.push_back(checksum(std::as_bytes(std::span(prompts[p]))) + again);
  }
  return streams;
}

// A few prompts on one thread.
class Writer {
 public:
  Writer(const Transformer& transformer, const simd::PackedWeights& output,
         std::span<const std::vector<std::uint32_t>> prompts,
         std::span<const std::uint64_t> streams, const GenerateOptions& options)
      : transformer_(transformer),
        output_(output),
        options_(options),
        alone_{.threads = 1, .cancel = options.control.cancel, .progress = {}},
        team_(alone_),
        written_(prompts.size()),
        cache_(transformer.config(), prompts.size(), room(prompts, options.most)) {
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      next_.push_back(prompts[p]);
      texts_.push_back(p);
      random_.emplace_back(options.seed, streams[p]);
    }
  }

  std::vector<std::vector<std::uint32_t>> run() {
    for (std::size_t count = 0; count < options_.most && !texts_.empty(); ++count) step();
    return std::move(written_);
  }

 private:
  static std::size_t room(std::span<const std::vector<std::uint32_t>> prompts, std::size_t most) {
    std::size_t longest = 0;
    for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
    return longest + most;
  }

  void step() {
    throw_if_cancelled(alone_);
    TokenBatch batch;
    for (const auto& tokens : next_) {
      batch.ids.insert(batch.ids.end(), tokens.begin(), tokens.end());
      batch.begin.push_back(batch.ids.size());
      batch.prompts.push_back(0);
    }
    batch.types.resize(batch.ids.size());
    const std::size_t layers = transformer_.config().layers.size();
    const MatrixView<const float> states =
        transformer_.run(alone_, batch, layers, true, scratch_, {}, &cache_);
    Matrix<float> last(next_.size(), states.cols()), scores(next_.size(), output_.outputs());
    for (std::size_t s = 0; s < next_.size(); ++s) {
      std::copy_n(states.row(batch.begin[s + 1] - 1), states.cols(), last.row(s));
      cache_.advance(s, next_[s].size());
    }
    simd::dense(team_, last, output_, scores, dense_);
    take(scores);
  }

  void take(const Matrix<float>& scores) {
    std::vector<bool> goes_on(texts_.size());
    std::vector<std::size_t> texts;
    std::vector<std::vector<std::uint32_t>> next;
    for (std::size_t s = 0; s < texts_.size(); ++s) {
      const std::size_t text = texts_[s];
      const std::uint32_t token = draw({scores.row(s), scores.cols()}, options_, random_[text]);
      if (token == options_.end) continue;
      written_[text].push_back(token);
      goes_on[s] = true;
      texts.push_back(text);
      next.push_back({token});
    }
    cache_.keep(goes_on);
    texts_ = std::move(texts);
    next_ = std::move(next);
  }

  const Transformer& transformer_;
  const simd::PackedWeights& output_;
  const GenerateOptions& options_;
  const Control alone_;
  WorkerTeam team_;
  std::vector<std::vector<std::uint32_t>> written_, next_;  // of all; of those that go on
  std::vector<std::size_t> texts_;                          // those that go on
  std::vector<Random> random_;                              // of all
  KeyValueCache cache_;
  TransformerScratch scratch_;
  simd::DenseScratch dense_;
};

}  // namespace

std::vector<std::vector<std::uint32_t>> generate(
    const Transformer& transformer, const simd::PackedWeights& output,
    std::span<const std::vector<std::uint32_t>> prompts, const GenerateOptions& options) {
  const std::size_t most = transformer.config().max_tokens;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const std::size_t length = prompts[p].size();
    if (length != 0 && length + options.most <= most) continue;
    throw Error(ErrorCode::invalid_argument,
                "prompt " + std::to_string(p) + ": " + std::to_string(length) + " tokens and " +
                    std::to_string(options.most) + " to write, expected 1 or more and " +
                    std::to_string(most) + " in all at most");
  }
  std::vector<std::vector<std::uint32_t>> written(prompts.size());
  const std::vector<std::uint64_t> streams = streams_of(prompts);
  const std::size_t parts = (prompts.size() + kTogether - 1) / kTogether;
  Progress progress(options.control, "write", prompts.size());
  parallel_for(
      without_progress(options.control), parts, 1,
      [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t part = begin; part < end; ++part) {
          const std::size_t first = part * kTogether;
          const auto some = prompts.subspan(first, std::min(kTogether, prompts.size() - first));
          auto texts =
              Writer(transformer, output, some, std::span(streams).subspan(first), options).run();
          std::ranges::move(texts, written.begin() + static_cast<std::ptrdiff_t>(first));
          progress.add(some.size());
        }
      });
  return written;
}

}  // namespace kith::encode

#include "papers/common/description_vectors.h"

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.h"
#include "kith/text_encoder.h"
#include "papers/common/data.h"
#include "papers/common/static_embedding.h"
#include "papers/common/training_data.h"

namespace kith::papers {

DescriptionVectors description_vectors(const Trial& trial, std::size_t width, std::size_t base,
                                       std::size_t others, std::size_t tests, std::size_t taught) {
  const Task task = load_tasks(kDescriptionData, trial).front();
  const auto& retrieval = std::get<RetrievalTask>(task.content);
  const std::vector<TrainingPair> pairs = read_pairs("debian", "debian-summary", trial);
  const TextEncoder model = TextEncoder::open(static_embedding(trial, width));
  TextEncodeOptions options;
  options.normalize = true;
  options.control = trial.control;
  const auto encode = [&](std::size_t count, std::span<const std::uint32_t> which,
                          const auto& text_of) {
    std::vector<std::string_view> some;
    for (const std::uint32_t i : which.first(count)) some.emplace_back(text_of(i));
    return model.encode(some, options).vectors;
  };
  const std::vector<std::string>& corpus = retrieval.corpus.texts;
  const std::vector<std::uint32_t> drawn = random_permutation(corpus.size(), trial.seed);
  const auto long_text = [&](std::uint32_t i) -> const std::string& { return corpus[i]; };
  const auto tested = random_permutation(retrieval.queries.texts.size(), trial.seed);
  const auto teaching = random_permutation(pairs.size(), trial.seed);
  return {encode(base, drawn, long_text), encode(others, std::span(drawn).subspan(base), long_text),
          encode(tests, tested,
                 [&](std::uint32_t i) -> const std::string& { return retrieval.queries.texts[i]; }),
          encode(taught, teaching,
                 [&](std::uint32_t i) -> const std::string& { return pairs[i].query; })};
}

}  // namespace kith::papers

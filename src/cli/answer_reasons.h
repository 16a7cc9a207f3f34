// Why `kith ask` ranks an answer as it does, as far as the numbers behind it have names: concepts
// of a model whose dimensions have some, words of BM25.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kith/text_encoder.h"
#include "store/collection.h"

namespace kith::cli {

struct Reason {
  std::string name;
  double contribution = 0, share = 0;
};

// Of one answer, each list at most kMostReasons long, the first the strongest. Contributions are to
// the inner product of both vectors and to BM25's score, and shares are of these; of what is
// missing, of the question's own square.
struct Reasons {
  double inner_product = 0;                                     // what all concepts add up to
  std::optional<std::vector<Reason>> concepts, missing, words;  // unset: not what was asked by
};
inline constexpr std::size_t kMostReasons = 5;

// Said beside concepts, so that nobody takes them for more.
inline constexpr char kReasonsNote[] =
    "concepts are what the model correlates with both texts, not why they belong together";

class AnswerReasons {
 public:
  // `model`: null where it isn't asked by vectors. Throws unsupported where nothing has a name: the
  // model has no concepts, and words don't count.
  AnswerReasons(const store::Collection& collection, const TextEncoder* model, store::AskBy by,
                const Control& control);

  // One an answer. `vector`: the question's, null without a model. Embeds the answers again, since
  // an index keeps vectors rounded, and searches once for every word of the question.
  std::vector<Reasons> of(const std::string& question, const float* vector,
                          const store::Answers& answers) const;

 private:
  bool by_concepts() const { return model_ != nullptr && !model_->concepts().empty(); }
  void add_concepts(const float* vector, const store::Answers& answers,
                    std::vector<Reasons>& all) const;
  void add_words(const std::string& question, const store::Answers& answers,
                 std::vector<Reasons>& all) const;

  const store::Collection& collection_;
  const TextEncoder* model_;
  bool by_words_;
  Control control_;
  TextEncodeOptions encoding_;  // of what was ingested
};

// Lines to stand below an answer, and what --json has of it.
std::vector<std::string> reason_lines(const Reasons& reasons);
nlohmann::ordered_json reasons_json(const Reasons& reasons);

}  // namespace kith::cli

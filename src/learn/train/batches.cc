#include "learn/train/batches.h"

#include <algorithm>
#include <functional>

#include "base/random.h"
#include "learn/loss/similarity.h"
#include "learn/torch.h"
#include "learn/train/held_out.h"

namespace kith::learn {
namespace {

std::string prompt_of(const TextModel& model, const std::string& wanted,
                      std::initializer_list<const char*> usual) {
  const auto& prompts = model.prompts();
  if (!wanted.empty()) return prompts.contains(wanted) ? prompts.at(wanted) : wanted;
  for (const char* name : usual) {
    if (prompts.contains(name)) return prompts.at(name);
  }
  return {};
}
std::string query_prompt(const TextModel& model, const SourceOptions& source) {
  return prompt_of(model, source.query_prompt, {"query"});
}
std::string document_prompt(const TextModel& model, const SourceOptions& source) {
  return prompt_of(model, source.document_prompt, {"document", "passage"});
}

using Texts = std::vector<std::string_view>;

Tokens tokens_of(const TextModel& model, TextRole role, const Texts& texts,
                 const std::string& prompt, std::size_t most, const Control& control) {
  const TextModel::Texts tokenized = model.tokenize(role, texts, prompt, most, control);
  return pack_tokens(tokenized.sequences).to(model.device());
}

// Sequences of a model that thinks: queries with thoughts or without, documents.
struct ThinkingSequences {
  std::vector<std::vector<std::uint32_t>> ids;
  std::vector<std::size_t> thoughts;  // where each query's begins; none: documents

  std::vector<TokenSequence> views() const {
    std::vector<TokenSequence> views;
    for (const auto& each : ids) views.push_back({.ids = each, .types = {}});
    return views;
  }
  Tokens tokens(const TextModel& model) const {
    Tokens tokens = pack_tokens(views());
    if (!thoughts.empty()) {
      std::vector<std::uint8_t> taught;  // all of a thought and its end, not what follows
      for (std::size_t i = 0; i < ids.size(); ++i) {
        for (std::size_t t = 0; t < ids[i].size(); ++t) {
          taught.push_back(t >= thoughts[i] && t + 1 < ids[i].size());
        }
      }
      tokens.taught = torch::tensor(taught).to(torch::kBool);
    }
    return tokens.to(model.device());
  }
};

// `thoughts`: a null is none.
ThinkingSequences query_sequences(const TextModel& model, std::span<const std::string_view> queries,
                                  const std::vector<const std::string*>& thoughts) {
  const encode::Thinking& thinking = *model.thinking();
  ThinkingSequences sequences;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    auto& own = sequences.ids.emplace_back(thinking.prompt(model.tokenizer(), queries[i]));
    sequences.thoughts.push_back(own.size());
    std::vector<std::uint32_t> thought;
    if (thoughts[i] != nullptr) {
      thought = model.tokenizer().encode(*thoughts[i], {.special_tokens = false}).ids;
      thought.resize(std::min(thought.size(), thinking.thought_tokens));
    }
    thinking.finish(thought, own);
  }
  return sequences;
}

ThinkingSequences document_sequences(const TextModel& model,
                                     std::span<const std::string_view> texts, std::size_t most) {
  const std::size_t room = most == 0 ? model.max_tokens() : std::min(most, model.max_tokens());
  ThinkingSequences sequences;
  for (const std::string_view text : texts) {
    sequences.ids.push_back(model.thinking()->document(model.tokenizer(), text, room));
  }
  return sequences;
}

// Whether an example is to be embedded without its thought: so often, the same at every epoch.
bool goes_without(std::uint32_t row, double share) { return Random(7, row).uniform() < share; }

// Whether a candidate's text can't be a negative of example i.
using IsNoNegative = std::function<bool(std::size_t i, std::string_view text)>;

// True at [i, c] where candidate c is no negative of example i, but for i's own positive.
at::Tensor masked_texts(const Texts& positives, const Texts& negatives,
                        const InfoNceOptions& options, const IsNoNegative& is_none) {
  const auto batch = static_cast<std::int64_t>(positives.size());
  const auto each = static_cast<std::int64_t>(negatives.size()) / batch;
  const bool others = options.in_batch && options.others_negatives;
  const std::int64_t first = options.in_batch ? batch : 1;
  const std::int64_t count = first + (others ? batch * each : each);
  at::Tensor masked = torch::zeros({batch, count}, torch::kBool);
  auto at = masked.accessor<bool, 2>();
  for (std::int64_t i = 0; i < batch; ++i) {
    const auto row = static_cast<std::size_t>(i);
    for (std::int64_t c = 0; options.in_batch && c < batch; ++c) {
      at[i][c] = c != i && is_none(row, positives[static_cast<std::size_t>(c)]);
    }
    for (std::int64_t c = first; c < count; ++c) {
      const std::int64_t negative = others ? c - first : i * each + (c - first);
      at[i][c] = is_none(row, negatives[static_cast<std::size_t>(negative)]);
    }
  }
  return masked;
}

// By mask_equal and mask_answers; undefined where neither leaves anything out.
at::Tensor masked_of(const Texts& queries, const Texts& positives, const Texts& negatives,
                     const LossOptions& loss, const Answers* answers) {
  const bool answered = loss.mask_answers && answers != nullptr;
  if (loss.kind != "info_nce" || !(loss.mask_equal || answered)) return {};
  std::vector<const Answers::Texts*> known(queries.size());
  if (answered) {
    std::ranges::transform(queries, known.begin(), [&](auto query) { return answers->of(query); });
  }
  return masked_texts(positives, negatives, loss.info_nce,
                      [&](std::size_t i, std::string_view text) {
                        return (loss.mask_equal && (text == positives[i] || text == queries[i])) ||
                               (known[i] != nullptr && known[i]->contains(text));
                      });
}

// [rows, concepts]; undefined where nobody gave any.
at::Tensor given_concepts(const ConceptHead& head, const std::vector<Example>& examples,
                          std::span<const std::uint32_t> rows, bool queries) {
  std::vector<const std::vector<std::string>*> lists;
  bool any = false;
  for (const std::uint32_t row : rows) {
    lists.push_back(queries ? &examples[row].query_concepts : &examples[row].concepts);
    any = any || !lists.back()->empty();
  }
  return any ? head.given(lists) : at::Tensor();
}

}  // namespace

TextBatch make_batch(const TextModel& model, const std::vector<Example>& examples,
                     std::span<const std::uint32_t> rows, const SourceOptions& source,
                     const LossOptions& loss, const TextLimits& limits, const Control& control,
                     std::span<const std::uint32_t> chosen, const SourceTexts& texts) {
  auto each = static_cast<std::size_t>(chosen.empty() ? source.negatives_each : 1);
  for (const std::uint32_t row : rows) each = std::min(each, examples[row].negatives.size());
  Texts queries, positives, negatives;
  std::vector<float> scores, teacher;
  bool taught = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Example& example = examples[rows[i]];
    const std::size_t first = chosen.empty() ? 0 : chosen[i];
    queries.push_back(example.query);
    positives.push_back(example.positive);
    scores.push_back(static_cast<float>(example.score));
    taught = taught && example.scores.size() > first + each;
    if (taught) teacher.push_back(static_cast<float>(example.scores[0]));
    for (std::size_t n = first; n < first + each; ++n) {
      negatives.push_back(example.negatives[n]);
      if (taught) teacher.push_back(static_cast<float>(example.scores[1 + n]));
    }
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  TextBatch batch;
  const auto documents = [&](const Texts& some) {
    if (model.thinking()) return document_sequences(model, some, limits.document).tokens(model);
    return tokens_of(model, TextRole::document, some, document_prompt(model, source),
                     limits.document, control);
  };
  if (model.thinking()) {
    std::vector<const std::string*> thoughts;
    for (const std::uint32_t row : rows) {
      const std::string& own = examples[row].thought;
      const bool without = own.empty() || goes_without(row, loss.without_thought);
      thoughts.push_back(without ? nullptr : &own);
    }
    batch.queries = query_sequences(model, queries, thoughts).tokens(model);
  } else {
    batch.queries = tokens_of(model, TextRole::query, queries, query_prompt(model, source),
                              limits.query, control);
  }
  batch.has_negatives = !negatives.empty();
  if (texts.documents != nullptr) {
    batch.fixed = texts.documents->of(positives, negatives, model.device());
  } else {
    batch.positives = documents(positives);
    if (batch.has_negatives) batch.negatives = documents(negatives);
  }
  batch.scores = torch::tensor(scores).to(model.device());
  if (taught && each > 0) {
    batch.teacher = torch::tensor(teacher).view({count, -1}).to(model.device());
  }
  if (model.concepts() != nullptr) {
    batch.query_concepts = given_concepts(*model.concepts(), examples, rows, true);
    batch.concepts = given_concepts(*model.concepts(), examples, rows, false);
  }
  const at::Tensor masked = masked_of(queries, positives, negatives, loss, texts.answers);
  if (masked.defined()) batch.masked = masked.to(model.device());
  return batch;
}

std::int64_t candidates_of(const TextBatch& batch, const LossOptions& loss) {
  const std::int64_t rows = batch.queries.sequences();
  std::int64_t each = 0;
  if (batch.has_negatives) {
    each = (batch.fixed.empty() ? batch.negatives.sequences() : batch.fixed[0].negatives.size(0)) /
           rows;
  }
  if (loss.kind != "info_nce" || !loss.info_nce.in_batch) return 1 + each;
  return rows + (loss.info_nce.others_negatives ? rows * each : each);
}

at::Tensor embed_queries(const TextModel& model, std::span<const std::string_view> texts,
                         const SourceOptions& source, const TextLimits& limits,
                         const Control& control) {
  if (model.thinking()) {  // without thoughts, which this doesn't write
    const std::vector<const std::string*> none(texts.size());
    return model.embed(query_sequences(model, texts, none).views(), control);
  }
  return model.embed(texts, query_prompt(model, source), control, limits.query);
}
at::Tensor embed_documents(const TextModel& model, std::span<const std::string_view> texts,
                           const SourceOptions& source, const TextLimits& limits,
                           const Control& control) {
  if (model.thinking()) {
    return model.embed(document_sequences(model, texts, limits.document).views(), control);
  }
  return model.embed(texts, document_prompt(model, source), control, limits.document);
}

namespace {

// By MaxSim, or of other models by cosine: [queries, documents].
at::Tensor scores_of(const TextModel& model, const Texts& queries, const Texts& documents,
                     const SourceOptions& source, const TextLimits& limits,
                     const Control& control) {
  if (!model.late_interaction()) {
    const at::Tensor q = unit(embed_queries(model, queries, source, limits, control));
    return q.mm(unit(embed_documents(model, documents, source, limits, control)).t());
  }
  constexpr std::int64_t kBlock = 64;  // of queries: what memory their products take
  const TokenSets q = model.embed_tokens(TextRole::query, queries, query_prompt(model, source),
                                         control, limits.query);
  const TokenSets d = model.embed_tokens(TextRole::document, documents,
                                         document_prompt(model, source), control, limits.document);
  std::vector<at::Tensor> rows;
  for (std::int64_t at = 0; at < q.size(); at += kBlock) {
    rows.push_back(maxsim_scores(q.slice(at, std::min(kBlock, q.size() - at)), d));
  }
  return torch::cat(rows);
}

}  // namespace

double mean_reciprocal_rank(const TextModel& model, const std::vector<Example>& examples,
                            const SourceOptions& source, const TextLimits& limits,
                            const Control& control) {
  const torch::NoGradGuard constant;
  const HeldOut held(examples);
  return held.reciprocal_rank(
      scores_of(model, held.queries(), held.documents(), source, limits, control));
}

double concept_f1(const TextModel& model, const std::vector<Example>& examples,
                  const SourceOptions& source, const TextLimits& limits, const Control& control) {
  constexpr std::int64_t kTop = 5;
  Texts texts;
  std::vector<const std::vector<std::string>*> lists;
  for (const Example& each : examples) {
    if (each.concepts.empty()) continue;
    texts.push_back(each.positive);
    lists.push_back(&each.concepts);
  }
  if (texts.empty()) return 0;
  const torch::NoGradGuard constant;
  const at::Tensor vectors = embed_documents(model, texts, source, limits, control);
  const std::int64_t top = std::min(kTop, vectors.size(1));
  const auto [values, places] = vectors.topk(top, 1);
  const at::Tensor given = model.concepts()->given(lists).cpu();
  const at::Tensor count = given.sum(1), hits = (given.gather(1, places) * (values > 0)).sum(1);
  const at::Tensor f1 = 2 * hits / (static_cast<double>(top) + count);
  return (f1.sum() / (count > 0).sum().clamp_min(1)).item<double>();
}

}  // namespace kith::learn

#include "store/collection.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "base/copy_rows.h"
#include "base/nonzero_rows.h"
#include "formats/text_stream.h"
#include "kith/error.h"

namespace kith::store {
namespace {

// Rows that are ranked for each answer wanted: fusion sees beyond the first ones, and of a long
// item several passages may lead.
constexpr std::size_t kFusedDepth = 100, kPassagesAnItem = 5;

std::string file_of(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

std::vector<Ranked> ranked(const Neighbours& found, std::size_t query, Metric metric) {
  std::vector<Ranked> list;
  for (std::size_t i = 0; i < found.k() && found.ids(query, i) != kNoId; ++i) {
    list.push_back({found.ids(query, i), customary(metric, found.distances(query, i))});
  }
  return list;
}

}  // namespace

bool Collection::is_at(const std::string& folder) {
  return std::filesystem::exists(file_of(folder, kItemsFile));
}

Collection Collection::open(const std::string& folder, bool verify) {
  if (!is_at(folder)) {
    throw Error(ErrorCode::not_found, folder + ": no collection, which kith ingest would make");
  }
  OpenOptions options;
  options.verify = verify;
  Items items = Items::open(file_of(folder, kItemsFile), verify);
  Index vectors = Index::open(file_of(folder, kVectorsFile), options);
  TextIndex texts = TextIndex::open(file_of(folder, kTextsFile), options);
  const auto fail = [&](const char* file, std::size_t seen, const char* what) {
    throw Error(ErrorCode::corrupt, file_of(folder, file) + ": " + std::to_string(seen) + " " +
                                        what + ", but " + kItemsFile + " has " +
                                        std::to_string(items.rows()) + ": from another collection");
  };
  if (texts.size() != items.rows()) fail(kTextsFile, texts.size(), "texts");
  const Labels labels = vectors.labels();
  const bool all = labels.kind() == Labels::Kind::none;
  if (all && vectors.size() != items.rows()) fail(kVectorsFile, vectors.size(), "vectors");
  if (!all) {
    if (labels.kind() != Labels::Kind::numbers) fail(kVectorsFile, 0, "numbered vectors");
    for (const std::uint64_t row : labels.numbers()) {
      if (row >= items.rows()) fail(kVectorsFile, row + 1, "vectors or more");
    }
  }
  if (vectors.metric() != Metric::cosine) {
    throw Error(ErrorCode::corrupt, file_of(folder, kVectorsFile) + ": metric " +
                                        std::string(name(vectors.metric())) + ", expected cosine");
  }
  return {folder, std::move(items), std::move(vectors), std::move(texts)};
}

TextEncodeOptions Collection::question_encoding(const TextEncoder& model,
                                                const std::optional<std::string>& prompt) const {
  constexpr std::size_t kMostLayers = 100000;
  const Json encoding = items_.manifest().object("model");
  TextEncodeOptions options;
  options.dim = vectors_.dim() == model.info().dim ? 0 : vectors_.dim();
  if (encoding.has("layer")) options.layer = encoding.whole("layer", 0, kMostLayers);
  options.prompt = prompt;
  const auto named = model.prompts().find("query");
  if (!prompt && named != model.prompts().end()) options.prompt = named->second;
  return options;
}

// ---- Asking -------------------------------------------------------------------------------------

// Vectors of rows without a known token aren't in the index; then the others bear their rows'
// numbers as labels.
Id Collection::row_of_vector(Id id) const {
  const Labels labels = vectors_.labels();
  return labels.kind() == Labels::Kind::none ? id : static_cast<Id>(labels.number(id));
}

Collection::Lists Collection::by_vectors(MatrixView<const float> vectors, std::size_t depth,
                                         const Control& control) const {
  Lists lists(vectors.rows());
  const std::vector<Id> questions = nonzero_rows(vectors);  // those that have a cosine
  if (questions.empty()) return lists;
  const Matrix<float> rows = copy_rows(vectors, questions);
  SearchOptions search;
  search.control = control;
  const Neighbours found = vectors_.search(rows, std::min(depth, vectors_.size()), search);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    std::vector<Ranked>& list = lists[questions[i]];
    list = ranked(found, i, Metric::cosine);
    for (Ranked& each : list) each.id = row_of_vector(each.id);
  }
  return lists;
}

Collection::Lists Collection::by_words(std::span<const std::string_view> questions,
                                       std::size_t depth, const Control& control) const {
  SparseSearchOptions search;
  search.control = control;
  const Neighbours found = texts_.search(questions, std::min(depth, texts_.size()), search);
  Lists lists;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    lists.push_back(ranked(found, q, Metric::ip));
  }
  return lists;
}

std::size_t Collection::depth(const AskOptions& options) const {
  const std::size_t rows = options.k * (items_.has_passages() ? kPassagesAnItem : 1);
  return options.by == AskBy::both ? std::max(rows, kFusedDepth) : rows;
}

Answers Collection::best_of_items(const std::vector<Ranked>& rows, std::size_t k,
                                  std::optional<Id> without) const {
  Answers answers;
  std::unordered_set<Id> seen;
  for (const Ranked& each : rows) {
    if (answers.size() == k) break;
    const Id item = items_.item_of(each.id);
    if (item != without && seen.insert(item).second) {
      answers.push_back({item, each.id, each.score});
    }
  }
  return answers;
}

std::vector<Answers> Collection::ask(std::span<const std::string_view> questions,
                                     MatrixView<const float> vectors,
                                     const AskOptions& options) const {
  const std::size_t most = depth(options);
  Lists near(questions.size()), worded(questions.size());
  if (options.by != AskBy::words) near = by_vectors(vectors, most, options.control);
  if (options.by != AskBy::vectors) worded = by_words(questions, most, options.control);
  FusionOptions fusion = options.fusion;
  fusion.k = 0;
  std::vector<Answers> all;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    if (options.by == AskBy::both) {
      const std::span<const Ranked> lists[] = {near[q], worded[q]};
      all.push_back(best_of_items(fuse(lists, fusion), options.k, {}));
    } else {
      all.push_back(best_of_items(options.by == AskBy::words ? worded[q] : near[q], options.k, {}));
    }
  }
  return all;
}

Answers Collection::like(Id item, const AskOptions& options) const {
  const std::size_t first = items_.first_row(item), last = items_.first_row(item + 1);
  const Labels labels = vectors_.labels();
  // Of an item in passages, the first one that has a vector.
  std::optional<Id> id;
  for (std::size_t row = first; row < last && !id; ++row) {
    if (labels.kind() == Labels::Kind::none) {
      id = static_cast<Id>(row);
    } else {
      const auto numbers = labels.numbers();
      const auto at = std::ranges::lower_bound(numbers, std::uint64_t{row});
      if (at != numbers.end() && *at == row) id = static_cast<Id>(at - numbers.begin());
    }
  }
  if (!id) return {};
  Matrix<float> vector(1, vectors_.dim());
  vectors_.vector(*id, vector.row(0));
  const std::size_t most = depth(options) + (last - first);
  return best_of_items(by_vectors(vector.view(), most, options.control)[0], options.k, item);
}

std::string Collection::text(Id item) const {
  const Json& manifest = items_.manifest();
  formats::TextStreamOptions options;
  options.fields = manifest.texts("fields");
  options.id = manifest.text("id", "");
  const std::string name =
      file_of(folder_, kItemsFile) + ": record of '" + std::string(items_.id(item)) + "'";
  return formats::parse_json_record(std::string(items_.record(item)), name, options).text;
}

}  // namespace kith::store

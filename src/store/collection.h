// A collection: a folder of three files that hold items, an index of their vectors and one of their
// words, with what is needed to ask it in words. `kith ingest` writes one; docs/format.md describes
// the files.
//
// Immutable: any number of threads may use one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/fusion.h"
#include "kith/index.h"
#include "kith/text_encoder.h"
#include "kith/text_index.h"
#include "store/items.h"

namespace kith::store {

inline constexpr char kItemsFile[] = "items.kith";
inline constexpr char kVectorsFile[] = "vectors.kith";
inline constexpr char kTextsFile[] = "texts.kith";

enum class AskBy : std::uint8_t { vectors, words, both };

struct AskOptions {
  AskBy by = AskBy::vectors;
  std::size_t k = 10;
  FusionOptions fusion = {};  // of both; its k is not used
  Control control = {};
};

// An item, the best of its rows, and the cosine, BM25 or fused score of that.
struct Answer {
  Id item, row;
  double score;
};
using Answers = std::vector<Answer>;  // best first

class Collection {
 public:
  // Throws not_found where the folder holds no collection, corrupt for files that don't belong
  // together. With `verify` every checksum is checked.
  static Collection open(const std::string& folder, bool verify = false);
  // Whether there is one.
  static bool is_at(const std::string& folder);

  const Items& items() const { return items_; }
  const Index& vectors() const { return vectors_; }
  const TextIndex& texts() const { return texts_; }
  const std::string& folder() const { return folder_; }

  // How questions become vectors. The prompt is the model's own called "query", or else its
  // default; without it in `prompt`.
  TextEncodeOptions question_encoding(const TextEncoder& model,
                                      const std::optional<std::string>& prompt) const;
  // One list a question. `vectors`, not needed for words alone, has a row a question; where that is
  // zero, no vector is near it.
  std::vector<Answers> ask(std::span<const std::string_view> questions,
                           MatrixView<const float> vectors, const AskOptions& options) const;
  // What is nearest to an item, without the item itself.
  Answers like(Id item, const AskOptions& options) const;

  // A record's text, as it was ingested.
  std::string text(Id item) const;

 private:
  Collection(std::string folder, Items items, Index vectors, TextIndex texts)
      : folder_(std::move(folder)),
        items_(std::move(items)),
        vectors_(std::move(vectors)),
        texts_(std::move(texts)) {}

  using Lists = std::vector<std::vector<Ranked>>;  // rows, one list a question
  Lists by_vectors(MatrixView<const float> vectors, std::size_t depth,
                   const Control& control) const;
  Lists by_words(std::span<const std::string_view> questions, std::size_t depth,
                 const Control& control) const;
  Id row_of_vector(Id id) const;
  Answers best_of_items(const std::vector<Ranked>& rows, std::size_t k,
                        std::optional<Id> without) const;
  std::size_t depth(const AskOptions& options) const;

  std::string folder_;
  Items items_;
  Index vectors_;
  TextIndex texts_;
};

}  // namespace kith::store

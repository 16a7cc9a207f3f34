#include "encode/chunks.h"

#include <algorithm>
#include <string>

#include "encode/pooling.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

using Ids = std::vector<std::uint32_t>;

// The first `lead` of all, [begin, begin + count), the last `tail`.
Ids chunk_of(std::span<const std::uint32_t> all, std::size_t lead, std::size_t begin,
             std::size_t count, std::size_t tail) {
  Ids chunk(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(lead));
  const auto part = all.subspan(begin, count), end = all.last(tail);
  chunk.insert(chunk.end(), part.begin(), part.end());
  chunk.insert(chunk.end(), end.begin(), end.end());
  return chunk;
}

}  // namespace

Chunks::Chunks(std::span<const TokenSequence> sequences, std::size_t most, bool include_prompt) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const TokenSequence& sequence = sequences[i];
    const std::size_t special = sequence.lead + sequence.tail;
    if (sequence.ids.size() <= most) {
      pieces_.push_back(sequence);
    } else if (special >= most) {
      throw Error(ErrorCode::invalid_argument,
                  "sequence " + std::to_string(i) + ": " + std::to_string(special) +
                      " special tokens leave no room in chunks of " + std::to_string(most));
    } else {
      cut(sequence, most, include_prompt);
    }
    begin_.push_back(pieces_.size());
  }
}

void Chunks::cut(const TokenSequence& sequence, std::size_t most, bool include_prompt) {
  const std::size_t lead = sequence.lead, tail = sequence.tail, count = most - lead - tail;
  const std::size_t end = sequence.ids.size() - tail;
  for (std::size_t at = lead;; at += count) {
    const std::size_t begin = std::min(at, end - count);
    const bool last = begin + count == end;
    if (!include_prompt && !last && sequence.prompt >= begin + count) continue;
    const Ids& ids = made_.emplace_back(chunk_of(sequence.ids, lead, begin, count, tail));
    // What of the prompt lies in this chunk, and the special tokens before it.
    std::size_t prompt = std::min(sequence.prompt, lead + count);
    if (begin > lead) {
      prompt = sequence.prompt > begin ? std::min(sequence.prompt - begin, count) + lead : 0;
    }
    TokenSequence& piece =
        pieces_.emplace_back(TokenSequence{.ids = ids, .types = {}, .prompt = prompt});
    if (!sequence.types.empty()) {
      piece.types = made_.emplace_back(chunk_of(sequence.types, lead, begin, count, tail));
    }
    if (last) return;
  }
}

Matrix<float> Chunks::means(MatrixView<const float> vectors) const {
  Matrix<float> means(begin_.size() - 1, vectors.cols());
  for (std::size_t s = 0; s + 1 < begin_.size(); ++s) {
    mean_of(vectors.slice(begin_[s], begin_[s + 1] - begin_[s]), means.row(s));
  }
  return means;
}

}  // namespace kith::encode

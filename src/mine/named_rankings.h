// Rankings and their teacher as people name them, each opened once.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kith/judge.h"

namespace kith::mine {

// "codes:FOLDER": the model's queries against its documents' codes (coded_vectors.h).
inline constexpr char kByCodes[] = "codes:";
// Within a training that learns codes, the model's and codes as they are.
inline constexpr char kOwnCodes[] = "codes";

// Who judges: `teacher`, or where that is empty the first of `by` that isn't BM25, if any.
std::string teacher_of(const std::vector<std::string>& by, const std::string& teacher);
// Whether its scores are cosines: there is one, and it isn't codes, whose products aren't.
bool gives_cosines(const std::vector<std::string>& by, const std::string& teacher);

class NamedRankings {
 public:
  // `by`: "bm25", whose ranking is null, a name that `known` has, a model's folder, or "codes:" and
  // the folder of one with codewords. `teacher`: the same but BM25, or empty (teacher_of()). What
  // `known` points to must outlive this. Throws as ModelVectors and CodedVectors do.
  NamedRankings(const std::vector<std::string>& by, const std::string& teacher,
                std::map<std::string, Embedder*> known = {});

  std::span<Embedder* const> rankings() const { return rankings_; }
  Embedder* teacher() const { return teacher_; }  // null: none

 private:
  Embedder* find(const std::string& name);

  std::map<std::string, Embedder*> known_;
  std::vector<std::unique_ptr<Embedder>> models_;
  std::vector<Embedder*> rankings_;
  Embedder* teacher_ = nullptr;
};

}  // namespace kith::mine

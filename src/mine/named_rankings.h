// Rankings and their teacher as people name them, each opened once.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kith/judge.h"

namespace kith::mine {

class NamedRankings {
 public:
  // `by`: "bm25", whose ranking is null, a name that `known` has, or a model's folder. `teacher`:
  // the same but BM25; empty: the first of `by` that isn't BM25, or none. What `known` points to
  // must outlive this. Throws as ModelVectors does.
  NamedRankings(const std::vector<std::string>& by, const std::string& teacher,
                std::map<std::string, Embedder*> known = {});

  std::span<Embedder* const> rankings() const { return rankings_; }
  Embedder* teacher() const { return teacher_; }  // null: none

 private:
  Embedder* find(const std::string& name);

  std::map<std::string, Embedder*> known_;
  std::vector<std::unique_ptr<ModelVectors>> models_;
  std::vector<Embedder*> rankings_;
  Embedder* teacher_ = nullptr;
};

}  // namespace kith::mine

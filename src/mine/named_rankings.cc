#include "mine/named_rankings.h"

#include <utility>

namespace kith::mine {

NamedRankings::NamedRankings(const std::vector<std::string>& by, const std::string& teacher,
                             std::map<std::string, Embedder*> known)
    : known_(std::move(known)) {
  known_["bm25"] = nullptr;
  if (!teacher.empty()) teacher_ = find(teacher);
  for (const std::string& name : by) {
    rankings_.push_back(find(name));
    if (teacher_ == nullptr) teacher_ = rankings_.back();
  }
}

Embedder* NamedRankings::find(const std::string& name) {
  const auto [at, fresh] = known_.try_emplace(name, nullptr);
  if (fresh) {
    models_.push_back(std::make_unique<ModelVectors>(name));
    at->second = models_.back().get();
  }
  return at->second;
}

}  // namespace kith::mine

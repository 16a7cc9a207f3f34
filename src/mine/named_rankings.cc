#include "mine/named_rankings.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "mine/coded_vectors.h"

namespace kith::mine {
namespace {

constexpr char kBm25[] = "bm25";

}  // namespace

std::string teacher_of(const std::vector<std::string>& by, const std::string& teacher) {
  if (!teacher.empty()) return teacher;
  const auto first = std::ranges::find_if(by, [](const auto& each) { return each != kBm25; });
  return first == by.end() ? std::string() : *first;
}

bool gives_cosines(const std::vector<std::string>& by, const std::string& teacher) {
  const std::string name = teacher_of(by, teacher);
  return !name.empty() && name != kOwnCodes && !name.starts_with(kByCodes);
}

NamedRankings::NamedRankings(const std::vector<std::string>& by, const std::string& teacher,
                             std::map<std::string, Embedder*> known)
    : known_(std::move(known)) {
  known_[kBm25] = nullptr;
  for (const std::string& name : by) rankings_.push_back(find(name));
  const std::string judge = teacher_of(by, teacher);
  if (!judge.empty()) teacher_ = find(judge);
}

Embedder* NamedRankings::find(const std::string& name) {
  const auto [at, fresh] = known_.try_emplace(name, nullptr);
  if (fresh) {
    if (name.starts_with(kByCodes)) {
      const std::string folder = name.substr(std::string_view(kByCodes).size());
      models_.push_back(std::make_unique<CodedVectors>(CodedVectors::in_folder(folder)));
    } else {
      models_.push_back(std::make_unique<ModelVectors>(name));
    }
    at->second = models_.back().get();
  }
  return at->second;
}

}  // namespace kith::mine

#include "datasets/held_out.h"

#include <span>
#include <string>

#include "base/checksum.h"
#include "datasets/catalogue.h"

namespace kith::datasets {

std::uint64_t fingerprint(std::string_view text) {
  std::string key;
  bool gap = false;
  for (const char c : text) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool counts = capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                        static_cast<signed char>(c) < 0;
    if (!counts) {
      gap = true;
      continue;
    }
    if (gap && !key.empty()) key += ' ';
    gap = false;
    key += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return key.empty() ? 0 : checksum(std::as_bytes(std::span(key.data(), key.size())));
}

void HeldOut::add(std::string_view text) {
  const std::uint64_t print = fingerprint(text);
  if (print != 0) texts_.insert(print);
}

void HeldOut::add_all(const TextPart& part) {
  for (const std::string& text : part.texts) add(text);
}

void HeldOut::add_answers(const TextPart& part,
                          const std::vector<std::vector<JudgedDocument>>& lists) {
  for (const std::vector<JudgedDocument>& list : lists) {
    for (const JudgedDocument& each : list) add(part.texts[each.document]);
  }
}

void HeldOut::add(const Task& task) {
  if (const auto* retrieval = std::get_if<RetrievalTask>(&task.content)) {
    add_all(retrieval->queries);
    return add_answers(retrieval->corpus, retrieval->judgements);
  }
  if (const auto* reranking = std::get_if<RerankingTask>(&task.content)) {
    add_all(reranking->queries);
    return add_answers(reranking->documents, reranking->candidates);
  }
  for (const TextPart* part : text_parts(task)) {
    if (part->name != "train") add_all(*part);
  }
}

HeldOut held_out(const std::vector<std::string>& sets, Packages& packages, std::uint64_t seed) {
  HeldOut texts;
  for (const std::string& name : sets) {
    for (const Task& task : find_dataset(name).make(packages, seed)) texts.add(task);
  }
  return texts;
}

HeldOut all_held_out(Packages& packages, std::uint64_t seed) {
  std::vector<std::string> names;
  for (const Dataset& set : datasets()) names.push_back(set.name);
  return held_out(names, packages, seed);
}

}  // namespace kith::datasets

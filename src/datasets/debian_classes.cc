// What a package is, from its description: its section in the archive, and its role by debtags.
#include "datasets/catalogue.h"
#include "datasets/debian_texts.h"
#include "datasets/split.h"

namespace kith::datasets {
namespace {

constexpr double kTestShare = 0.21;  // about 13,000 of 61,000
constexpr std::size_t kLeast = 16;   // training texts of a label
constexpr std::string_view kRole = "role::";

std::string description(const DebianText& text) { return text.summary + "\n" + text.text; }

std::vector<Task> task_of(const std::vector<LabelledText>& texts, std::uint64_t seed) {
  std::vector<Task> tasks(1);
  tasks.front().content = classification(texts, kTestShare, kLeast, seed);
  return tasks;
}

// The one role that a package has; empty for none or several.
std::string role_of(const DebianText& text) {
  std::string role;
  for (const std::string& tag : text.tags) {
    if (!tag.starts_with(kRole)) continue;
    if (!role.empty()) return {};
    role = tag.substr(kRole.size());
  }
  return role;
}

}  // namespace

std::vector<Task> make_sections(Packages& packages, std::uint64_t seed) {
  std::vector<LabelledText> texts;
  for (const DebianText& text : debian_texts(packages)) {
    if (text.section.empty()) continue;
    texts.push_back({description(text), text.section, text.source});
  }
  return task_of(texts, seed);
}

std::vector<Task> make_roles(Packages& packages, std::uint64_t seed) {
  std::vector<LabelledText> texts;
  for (const DebianText& text : debian_texts(packages)) {
    const std::string role = role_of(text);
    if (!role.empty()) texts.push_back({description(text), role, text.source});
  }
  return task_of(texts, seed);
}

}  // namespace kith::datasets

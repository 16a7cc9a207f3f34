// What a package is, from its description: its section in the archive, its role by debtags, and all
// of its tags.
#include "datasets/catalogue.h"
#include "datasets/debian_texts.h"
#include "datasets/split.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kLeast = 16;  // training texts of a label
constexpr std::string_view kRole = "role::";

std::vector<Task> task_of(const std::vector<LabelledText>& texts, std::uint64_t seed) {
  std::vector<Task> tasks(1);
  tasks.front().content = classification(texts, kDebianClassShare, kLeast, seed);
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

// Tags that say something of the package: "special::not-yet-tagged" and its like don't.
std::vector<std::string> tags_of(const DebianText& text) {
  std::vector<std::string> tags = text.tags;
  std::erase_if(tags, [](const std::string& tag) { return tag.starts_with("special::"); });
  return tags;
}

}  // namespace

std::vector<Task> make_sections(Packages& packages, std::uint64_t seed) {
  std::vector<LabelledText> texts;
  for (const DebianText& text : debian_texts(packages)) {
    if (text.section.empty()) continue;
    texts.push_back({whole_description(text), text.section, text.source});
  }
  return task_of(texts, seed);
}

std::vector<Task> make_roles(Packages& packages, std::uint64_t seed) {
  std::vector<LabelledText> texts;
  for (const DebianText& text : debian_texts(packages)) {
    const std::string role = role_of(text);
    if (!role.empty()) texts.push_back({whole_description(text), role, text.source});
  }
  return task_of(texts, seed);
}

std::vector<Task> make_tags(Packages& packages, std::uint64_t seed) {
  std::vector<TaggedText> texts;
  for (const DebianText& text : debian_texts(packages)) {
    texts.push_back({whole_description(text), tags_of(text), text.source});
  }
  std::vector<Task> tasks(1);
  tasks.front().content = multilabel(texts, kDebianClassShare, kLeast, seed);
  return tasks;
}

}  // namespace kith::datasets

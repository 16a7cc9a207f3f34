// Debian's descriptions of sources that no task tests on: what a person might type -> what
// describes the package.
#include <unordered_map>

#include "datasets/debian_texts.h"
#include "datasets/split.h"
#include "datasets/train_sets.h"

namespace kith::datasets {
namespace {

constexpr std::size_t kLeastTags = 3;  // fewer don't tell a package from hundreds of others

// "works-with::image:raster" -> "works with image raster"
std::string spelt_out(std::string tag) {
  for (char& c : tag) {
    if (c == ':' || c == '-' || c == '_') c = ' ';
  }
  return squeeze(tag);
}

// Section and tags as words; empty for too few tags. Tags of debtags' own book-keeping say nothing.
std::string tag_words(const DebianText& text) {
  std::string words = text.section.empty() ? "" : "section " + text.section;
  std::size_t tags = 0;
  for (const std::string& tag : text.tags) {
    if (tag.starts_with("special::")) continue;
    if (!words.empty()) words += ", ";
    words += spelt_out(tag);
    ++tags;
  }
  return tags < kLeastTags ? "" : words;
}

}  // namespace

std::vector<DebianText> untested_descriptions(Packages& packages, std::uint64_t seed,
                                              const HeldOut& held_out) {
  std::vector<DebianText> texts = debian_texts(packages);
  std::erase_if(texts, [&](const DebianText& text) {
    const std::string first = text.text.substr(0, text.text.find('\n'));  // what bitexts are of
    return text.text.empty() || tested_source(text.source, seed) || held_out.holds(text.summary) ||
           held_out.holds(text.text) || held_out.holds(first) ||
           held_out.holds(whole_description(text));
  });
  return texts;
}

void train_debian(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  const std::vector<DebianText> texts = untested_descriptions(packages, seed, file.held_out());
  std::unordered_map<std::string, std::size_t> with_tags;
  for (const DebianText& text : texts) ++with_tags[tag_words(text)];
  for (const DebianText& text : texts) {
    const std::string whole = whole_description(text), tags = tag_words(text);
    file.add({text.summary, text.text, "debian-summary", text.source, {}, {}});
    file.add({spelt_out(text.id), whole, "debian-name", text.source, {}, {}});
    // Tags that several packages share ask for all of them, so that one is no answer.
    if (!tags.empty() && with_tags.at(tags) == 1) {
      file.add({tags, whole, "debian-tags", text.source, {}, {}});
    }
  }
}

}  // namespace kith::datasets

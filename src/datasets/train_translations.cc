// Debian's descriptions in English and another language: summaries, and the first paragraphs of
// long descriptions. A description is left out of all languages when a task tests on its English
// text in any.
#include <unordered_map>

#include "datasets/debian.h"
#include "datasets/debian_texts.h"
#include "datasets/train_sets.h"

namespace kith::datasets {
namespace {

struct English {
  std::string summary, paragraph, source;
};

using ByMd5 = std::unordered_map<std::string, English>;

// Those with a long description that no task tests on, with their first paragraphs.
ByMd5 english_of(Packages& packages, std::uint64_t seed, const HeldOut& held_out) {
  ByMd5 texts;
  for (const DebianText& text : debian_texts(packages)) {
    if (text.text.empty() || tested_source(text.source, seed)) continue;
    std::string paragraph = text.text.substr(0, text.text.find('\n'));
    if (held_out.holds(text.summary) || held_out.holds(text.text)) continue;
    if (held_out.holds(paragraph)) continue;
    texts.emplace(text.md5, English{text.summary, std::move(paragraph), text.source});
  }
  return texts;
}

// ".../..._i18n_Translation-pt%5fBR" -> "pt_BR"
std::string language_of(const std::string& path) {
  std::string language = path.substr(path.rfind('-') + 1);
  const std::size_t escaped = language.find("%5f");
  if (escaped != std::string::npos) language.replace(escaped, 3, "_");
  return language;
}

}  // namespace

void train_translations(Packages& packages, std::uint64_t seed, TrainingFile& file) {
  const ByMd5 english = english_of(packages, seed, file.held_out());
  std::vector<std::string> files = translation_files(packages.debian_lists());
  files.erase(files.begin());
  for (const std::string& path : files) {
    const std::string source = "translation-" + language_of(path);
    for (const Description& other : read_descriptions(path)) {
      const auto own = english.find(other.md5);
      if (own == english.end()) continue;
      // Equal texts weren't translated; the file leaves them out.
      file.add({own->second.summary, other.summary, source, own->second.source, {}, {}});
      if (other.paragraphs.empty()) continue;
      file.add(
          {own->second.paragraph, other.paragraphs.front(), source, own->second.source, {}, {}});
    }
  }
}

}  // namespace kith::datasets

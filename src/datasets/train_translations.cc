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
  for (const DebianText& text : untested_descriptions(packages, seed, held_out)) {
    std::string paragraph = text.text.substr(0, text.text.find('\n'));
    texts.emplace(text.md5, English{text.summary, std::move(paragraph), text.source});
  }
  return texts;
}

// ".../..._i18n_Translation-pt%5fBR" -> "pt_BR"
std::string language_of(const std::string& path) {
  std::string language = path.substr(path.rfind('-') + 1);
  constexpr std::string_view kEscaped = "%5f";
  const std::size_t at = language.find(kEscaped);
  if (at == std::string::npos) return language;
  return language.substr(0, at) + "_" + language.substr(at + kEscaped.size());
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

#include "datasets/debian_texts.h"

#include <unordered_set>

#include "datasets/split.h"

namespace kith::datasets {
namespace {

std::string joined(const std::vector<std::string>& paragraphs) {
  std::string text;
  for (const std::string& paragraph : paragraphs) {
    if (!text.empty()) text += '\n';
    text += paragraph;
  }
  return text;
}

// A name that no other description has: of its packages the first that is free.
std::string free_id(const std::vector<std::string>& names, std::unordered_set<std::string>& taken) {
  for (const std::string& name : names) {
    if (taken.insert(name).second) return name;
  }
  for (std::size_t i = 2;; ++i) {  // versions of a package that differ between architectures
    std::string name = names.front() + "~" + std::to_string(i);
    if (taken.insert(name).second) return name;
  }
}

}  // namespace

bool tested_source(const std::string& source, std::uint64_t seed) {
  return in_test(source, kDebianQueryShare, seed) || in_test(source, kDebianClassShare, seed);
}

std::string whole_description(const DebianText& text) { return text.summary + "\n" + text.text; }

std::vector<DebianText> debian_texts(Packages& packages) {
  const std::string lists = packages.debian_lists();
  const auto known = read_packages(packages_file(lists));
  std::vector<DebianText> texts;
  std::unordered_set<std::string> taken;
  for (Description& description : read_descriptions(translation_files(lists).front())) {
    DebianText text;
    text.id = free_id(description.packages, taken);
    text.md5 = description.md5;
    text.summary = description.summary;
    text.text = joined(description.paragraphs);
    text.source = description.packages.front();
    for (const std::string& name : description.packages) {
      const auto package = known.find(name);
      if (package == known.end()) continue;
      text.section = package->second.section;
      text.source = package->second.source;
      text.tags = package->second.tags;
      break;
    }
    text.packages = std::move(description.packages);
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace kith::datasets

#include "bench/data/documents.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <unordered_set>

#include "base/checksum.h"
#include "base/random.h"
#include "bench/data/terms.h"
#include "datasets/debian.h"
#include "kith/error.h"

namespace kith::bench {
namespace {

using datasets::Description;
using datasets::read_descriptions;
using datasets::translation_files;

class SentenceCollector {
 public:
  void paragraph(const std::string& text) {
    for (std::string& sentence : sentences(text)) add(std::move(sentence));
  }

  Documents take() { return std::move(found_); }

 private:
  void add(std::string sentence) {
    std::vector<std::uint64_t> found = terms(sentence);
    if (found.size() < kMinTerms) return;
    std::vector<std::uint64_t> sorted = found;
    std::sort(sorted.begin(), sorted.end());
    if (!seen_.insert(checksum(std::as_bytes(std::span(sorted)))).second) return;
    std::replace_if(
        sentence.begin(), sentence.end(), [](char c) { return static_cast<unsigned char>(c) < 32; },
        ' ');
    found_.labels.push_back(std::move(sentence));
    found_.terms.push_back(std::move(found));
  }

  Documents found_;
  std::unordered_set<std::uint64_t> seen_;
};

// Paragraphs of a plain text are separated by blank lines.
void collect_text(const std::string& path, SentenceCollector& collector) {
  std::ifstream in(path);
  if (!in) throw Error(ErrorCode::not_found, path + ": cannot be opened");
  std::string paragraph;
  for (std::string line; std::getline(in, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      collector.paragraph(paragraph);
      paragraph.clear();
    } else {
      paragraph.append(" ").append(line);
    }
  }
  collector.paragraph(paragraph);
}

std::vector<std::string> text_files(const std::string& folder) {
  std::vector<std::string> found;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".txt") found.push_back(entry.path().string());
    }
  }
  if (found.empty()) throw Error(ErrorCode::not_found, folder + ": no *.txt (bench/data.sh)");
  std::sort(found.begin(), found.end());
  return found;
}

Documents sample(Documents all, std::size_t limit, std::uint64_t seed) {
  if (all.size() <= limit) return all;
  Documents chosen;
  for (const std::uint32_t i : random_sample(all.size(), limit, seed)) {
    chosen.labels.push_back(std::move(all.labels[i]));
    chosen.terms.push_back(std::move(all.terms[i]));
  }
  return chosen;
}

}  // namespace

Documents description_documents(const std::string& lists) {
  Documents documents;
  for (const Description& description : read_descriptions(translation_files(lists).front())) {
    std::string text;
    for (const std::string& package : description.packages) text.append(package).append(" ");
    text.append(description.summary);
    for (const std::string& paragraph : description.paragraphs) text.append(" ").append(paragraph);
    documents.labels.push_back(description.packages.front());
    documents.terms.push_back(terms(text));
  }
  return documents;
}

Documents sentence_documents(const std::string& lists, const std::string& texts, std::size_t limit,
                             std::uint64_t seed) {
  SentenceCollector collector;
  for (const std::string& path : translation_files(lists)) {
    for (const Description& description : read_descriptions(path)) {
      collector.paragraph(description.summary);
      for (const std::string& paragraph : description.paragraphs) collector.paragraph(paragraph);
    }
  }
  for (const std::string& path : text_files(texts)) collect_text(path, collector);
  return sample(collector.take(), limit, seed);
}

}  // namespace kith::bench

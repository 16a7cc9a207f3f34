// Handbooks: headings -> what stands beneath them.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "base/read_file.h"
#include "datasets/gzip.h"
#include "datasets/html.h"
#include "datasets/rest.h"
#include "datasets/train_sets.h"
#include "formats/lines.h"
#include "json/json.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLeastLetters = 80;  // of a passage that answers something
constexpr std::size_t kMostLetters = 2000;

struct Book {
  const char* package;
  const char* folder;
  const char* ending;        // of the files that are read: other languages lie beside some
  const char* without = "";  // what is left out: files with this in their paths
};

constexpr Book kBooks[] = {
    {"python3.11-doc", "/usr/share/doc/python3.11/html", ".html", "/genindex"},
    {"postgresql-doc-15", "/usr/share/doc/postgresql-doc-15/html", ".html", "/bookindex"},
    {"linux-doc-6.1", "/usr/share/doc/linux-doc-6.1/Documentation", ".rst.gz", "/translations/"},
    {"debian-reference-en", "/usr/share/debian-reference", ".en.html"},
    {"debian-policy", "/usr/share/doc/debian-policy/policy.html", ".html"},
    {"developers-reference", "/usr/share/developers-reference", ".html"},
    {"debian-handbook", "/usr/share/doc/debian-handbook/html/en-US", ".html"},
    {"debian-faq", "/usr/share/doc/debian/FAQ", ".en.html"},
    {"maint-guide", "/usr/share/doc/maint-guide/html", ".en.html"},
    {"debmake-doc", "/usr/share/doc/debmake-doc/html", ".en.html"},
    {"installation-guide-amd64", "/usr/share/doc/installation-guide-amd64/en", ".html"},
    {"aptitude-doc-en", "/usr/share/doc/aptitude/html/en", ".html"},
    {"libreoffice-help-en-us", "/usr/share/libreoffice/help/en-US/text", ".html"},
    {"gnome-user-docs", "/usr/share/help/C", ".page"},
};

}  // namespace

std::vector<std::string> files_below(const std::string& folder, const std::string& ending,
                                     const std::string& package) {
  std::vector<std::string> paths;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      // Links would give a page twice, and some lead out of the package.
      if (entry.is_symlink() || !entry.is_regular_file()) continue;
      std::string path = entry.path().string();
      if (path.ends_with(ending)) paths.push_back(std::move(path));
    }
  }
  if (paths.empty()) {
    throw Error(ErrorCode::corrupt,
                package + ": no file *" + ending + " below " + folder + ", expected some");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void for_each_passage(Packages& packages, const UsePassage& use) {
  for (const Book& book : kBooks) {
    const std::string folder = packages.deb(book.package) + book.folder;
    for (const std::string& path : files_below(folder, book.ending, book.package)) {
      throw_if_cancelled(packages.control());
      if (*book.without != 0 && path.find(book.without) != path.npos) continue;
      const std::vector<Block> blocks =
          path.ends_with(".gz") ? parse_rest(read_gzip(path)) : parse_html(read_file(path));
      const std::string file = path.substr(folder.size() + 1);
      for (const Passage& passage : passages(blocks, kMostLetters)) {
        if (passage.text.size() >= kLeastLetters) use(passage, book.package, file);
      }
    }
  }
}

void train_handbooks(Packages& packages, std::uint64_t, TrainingFile& file) {
  for_each_passage(packages, [&](const Passage& passage, const std::string& package,
                                 const std::string& page) {
    file.add(
        {joined_path(passage), passage.text, "handbook-" + package, package + "/" + page, {}, {}});
  });
}

void train_fiori(Packages& packages, std::uint64_t, TrainingFile& file) {
  const std::string path = packages.npm("@sap-ux/fiori-docs-embeddings", "1.2.6",
                                        "WzpLG3fyszNQe0xqH4oIUhdUPxfRjlbTSxJmsRabYiudctj1/M67Nsy8RE"
                                        "C0DOO20DE2+/u8opO1ZLXdIWsfBA==") +
                           "/data/embeddings/records.jsonl";
  const std::string text = read_file(path);
  formats::for_each_line(text, [&](std::string_view line, std::size_t, std::size_t number) {
    const Json record = Json::parse(line, path + ": line " + std::to_string(number));
    const std::string title = record.text("title");
    std::string content = record.text("content");
    const std::string heading = "**TITLE**: " + title;
    if (content.starts_with(heading)) content.erase(0, heading.size());  // the query itself
    const std::vector<std::string> parts = pieces(content, kMostLetters);
    if (!parts.empty()) {
      file.add({title, parts.front(), "fiori", record.text("document_id"), {}, {}});
    }
  });
}

}  // namespace kith::datasets

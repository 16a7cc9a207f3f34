// Manual pages: the NAME line as query, the pages of its SEE ALSO as answers; that section is cut
// out of the pages.
#include "datasets/manual_pages.h"

#include <algorithm>
#include <unordered_map>

#include "datasets/catalogue.h"
#include "datasets/gzip.h"
#include "datasets/roff.h"
#include "datasets/split.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

namespace fs = std::filesystem;

struct Page {
  std::string id;    // "poll(2)"
  std::string name;  // its NAME line
  std::string text;  // all sections but SEE ALSO
  std::vector<std::string> see_also;
};

Page parse(const std::string& id, const std::string& roff) {
  Page page;
  page.id = id;
  for (const ManualSection& section : parse_manual(roff)) {
    if (section.title == "SEE ALSO") {
      page.see_also = references(section.text);
      continue;
    }
    if (section.title == "NAME" && page.name.empty()) page.name = section.text;
    if (!page.text.empty()) page.text += '\n';
    page.text += section.text;
  }
  return page;
}

struct Manual {
  std::vector<Page> pages;
  std::unordered_map<std::string, std::string> aliases;  // other names of pages
};

void read_folder(const std::string& folder, Manual& manual) {
  for (const fs::path& path : manual_files(folder)) {
    if (fs::is_symlink(path)) {
      manual.aliases.emplace(manual_id(path), manual_id(fs::read_symlink(path)));
      continue;
    }
    const std::string roff = read_gzip(path.string());
    const std::string target = included_page(roff);
    if (!target.empty()) {
      manual.aliases.emplace(manual_id(path), target);
      continue;
    }
    Page page = parse(manual_id(path), roff);
    if (!page.text.empty()) manual.pages.push_back(std::move(page));
  }
}

}  // namespace

std::string manual_id(const fs::path& path) {
  if (path.extension() != ".gz") return {};
  const std::string stem = path.stem().string();
  const std::size_t dot = stem.rfind('.');
  if (dot == std::string::npos) return {};
  return stem.substr(0, dot) + "(" + stem.substr(dot + 1) + ")";
}

std::vector<std::filesystem::path> manual_files(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder + "/usr/share/man")) {
    if (!entry.is_directory() && !manual_id(entry.path()).empty()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string included_page(const std::string& roff) {
  const std::size_t at = roff.find(".so ");
  if (at != 0 && (at == std::string::npos || roff[at - 1] != '\n')) return {};
  const std::size_t end = roff.find('\n', at);
  return manual_id(squeeze(roff.substr(at + 4, end - at - 4)) + ".gz");
}

std::vector<Task> make_manual_pages(Packages& packages, std::uint64_t) {
  Manual manual;
  for (const char* name : {"manpages", "manpages-dev"}) read_folder(packages.deb(name), manual);
  if (manual.pages.empty()) throw Error(ErrorCode::corrupt, "manpages: no page with text");
  RetrievalTask task;
  task.corpus.name = "corpus";
  task.queries.name = "queries";
  std::unordered_map<std::string, std::uint32_t> places;
  for (const Page& page : manual.pages) {
    places.emplace(page.id, static_cast<std::uint32_t>(task.corpus.ids.size()));
    task.corpus.ids.push_back(page.id);
    task.corpus.texts.push_back(page.text);
  }
  for (const Page& page : manual.pages) {
    std::vector<JudgedDocument> judged;
    for (const std::string& reference : page.see_also) {
      const auto alias = manual.aliases.find(reference);
      const auto place = places.find(alias == manual.aliases.end() ? reference : alias->second);
      if (place == places.end() || place->first == page.id) continue;
      const auto same = [&](const JudgedDocument& each) { return each.document == place->second; };
      if (std::none_of(judged.begin(), judged.end(), same)) judged.push_back({place->second, 1});
    }
    if (judged.empty() || page.name.empty()) continue;
    // The page's own id: rankings leave the page itself out.
    task.queries.ids.push_back(page.id);
    task.queries.texts.push_back(page.name);
    task.judgements.push_back(std::move(judged));
  }
  std::vector<Task> tasks(1);
  tasks.front().content = std::move(task);
  return tasks;
}

}  // namespace kith::datasets

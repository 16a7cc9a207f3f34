#include "datasets/debian.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "kith/error.h"

namespace kith::datasets {
namespace {

bool starts_paragraph(std::string_view line) {
  // Two spaces or more: a verbatim line or a list item; the Policy's markup for both.
  return line.size() > 1 && line[1] == ' ';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Adds one continuation line of the field (it begins with a space) to the description.
void add_line(Description& description, std::string_view line, bool& open) {
  const std::string_view text = trim(line);
  if (text.empty() || text == ".") {
    open = false;
    return;
  }
  const bool item = starts_paragraph(line) && (text[0] == '*' || text[0] == '-' || text[0] == '+');
  if (!open || item) {
    description.paragraphs.emplace_back(text);
    open = true;
  } else {
    description.paragraphs.back().append(" ").append(text);
  }
}

// "game::strategy, role::program"
std::vector<std::string> split_tags(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view tag = trim(text.substr(0, comma));
    if (!tag.empty()) tags.emplace_back(tag);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return tags;
}

// "libc6 (>= 2.34), python3:any, mail-server | postfix"
void add_names(std::string_view text, std::vector<std::string>& names) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = trim(text.substr(0, comma));
    const std::string_view name = one.substr(0, std::min(one.find_first_of(" (:|"), one.size()));
    if (!name.empty()) names.emplace_back(name);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

class StanzaReader {
 public:
  void line(const std::string& text) {
    if (text.empty()) {
      finish();
    } else if (text[0] == ' ') {
      if (in_description_) add_line(current_, text, paragraph_open_);
    } else {
      field(text);
    }
  }

  void finish() {
    if (!current_.summary.empty()) keep();
    current_ = {};
    in_description_ = paragraph_open_ = false;
  }

  std::vector<Description> take() { return std::move(found_); }

 private:
  void field(const std::string& text) {
    in_description_ = paragraph_open_ = false;
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return;
    const std::string_view name = std::string_view(text).substr(0, colon);
    const std::string_view value = trim(std::string_view(text).substr(colon + 1));
    if (name == "Package") {
      current_.packages.emplace_back(value);
    } else if (name == "Description-md5") {
      current_.md5 = value;
    } else if (name.starts_with("Description-")) {
      current_.summary = value;
      in_description_ = true;
    }
  }

  void keep() {
    const auto [entry, is_new] = by_md5_.emplace(current_.md5, found_.size());
    if (is_new) {
      found_.push_back(std::move(current_));
      return;
    }
    auto& packages = found_[entry->second].packages;
    for (auto& package : current_.packages) {
      if (std::find(packages.begin(), packages.end(), package) == packages.end()) {
        packages.push_back(std::move(package));
      }
    }
  }

  Description current_;
  bool in_description_ = false, paragraph_open_ = false;
  std::vector<Description> found_;
  std::unordered_map<std::string, std::size_t> by_md5_;
};

}  // namespace

std::vector<Description> read_descriptions(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(ErrorCode::not_found, path + ": cannot be opened");
  StanzaReader reader;
  for (std::string line; std::getline(in, line);) reader.line(line);
  reader.finish();
  std::vector<Description> found = reader.take();
  if (found.empty()) {
    throw Error(ErrorCode::corrupt, path + ": no description, expected apt's Translation format");
  }
  return found;
}

std::unordered_map<std::string, Package> read_packages(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(ErrorCode::not_found, path + ": cannot be opened");
  std::unordered_map<std::string, Package> packages;
  std::string name, tags;
  Package package;
  const auto finish = [&] {
    package.tags = split_tags(tags);
    if (package.source.empty()) package.source = name;
    if (!name.empty()) packages.emplace(name, std::move(package));
    package = {};
    name.clear();
    tags.clear();
  };
  bool in_tags = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      finish();
      continue;
    }
    const std::size_t colon = line.find(':');
    const bool continues = line[0] == ' ';
    if (continues && in_tags) tags += line;
    if (continues || colon == std::string::npos) continue;
    const std::string_view field = std::string_view(line).substr(0, colon);
    const std::string_view value = trim(std::string_view(line).substr(colon + 1));
    in_tags = field == "Tag";
    if (field == "Package") name = value;
    if (field == "Section") package.section = value;
    if (field == "Source") package.source = value.substr(0, value.find(' '));
    if (in_tags) tags = value;
    if (field == "Depends" || field == "Recommends") add_names(value, package.depends);
  }
  finish();
  if (packages.empty()) {
    throw Error(ErrorCode::corrupt, path + ": no package, expected apt's Packages format");
  }
  return packages;
}

std::string packages_file(const std::string& lists) {
  if (std::filesystem::is_directory(lists)) {
    for (const auto& entry : std::filesystem::directory_iterator(lists)) {
      std::string path = entry.path().string();
      if (path.ends_with("_dists_bookworm_main_binary-amd64_Packages")) return path;
    }
  }
  throw Error(ErrorCode::not_found,
              lists + ": no bookworm_main_binary-amd64_Packages, expected apt's lists");
}

std::vector<std::string> translation_files(const std::string& lists) {
  std::vector<std::string> others;
  std::string english;
  if (std::filesystem::is_directory(lists)) {
    for (const auto& entry : std::filesystem::directory_iterator(lists)) {
      const std::string name = entry.path().filename().string();
      // Updates and security are left out: they change daily, main only at point releases.
      if (name.find("_dists_bookworm_main_i18n_Translation-") == std::string::npos) continue;
      if (name.ends_with("-en")) {
        english = entry.path().string();
      } else {
        others.push_back(entry.path().string());
      }
    }
  }
  if (english.empty()) {
    throw Error(ErrorCode::not_found,
                lists + ": no bookworm_main_i18n_Translation-en, expected apt's lists");
  }
  std::sort(others.begin(), others.end());
  others.insert(others.begin(), english);
  return others;
}

}  // namespace kith::datasets

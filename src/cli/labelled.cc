#include "cli/labelled.h"

#include <fstream>
#include <regex>
#include <unordered_map>
#include <unordered_set>

#include "cli/format.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

// Calls take(id, label) for every vector there is.
template <class Take>
void for_each_label(const Index& index, const Take& take) {
  const Labels labels = index.labels();
  const auto limit = static_cast<Id>(index.id_limit());
  for (Id id = 0; id < limit; ++id) {
    if (index.contains(id)) take(id, labels.text(id));
  }
}

}  // namespace

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::not_found, path + ": can't be opened");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  if (file.bad()) throw Error(ErrorCode::io, path + ": can't be read");
  return lines;
}

std::vector<Id> ids_of_labels(const Index& index, const std::string& path,
                              const std::vector<std::string>& labels) {
  std::unordered_map<std::string, bool> found;
  for (const std::string& label : labels) found.emplace(label, false);
  std::vector<Id> ids;
  for_each_label(index, [&](Id id, const std::string& label) {
    const auto wanted = found.find(label);
    if (wanted == found.end()) return;
    wanted->second = true;
    ids.push_back(id);
  });
  for (const std::string& label : labels) {
    if (!found[label]) {
      throw Error(ErrorCode::not_found,
                  path + ": no vector is labelled '" + printable(label) + "'");
    }
  }
  return ids;
}

std::vector<Id> ids_with_labels_of(const Index& index, const Labels& labels, std::size_t rows) {
  std::unordered_set<std::string> wanted;
  for (std::size_t i = 0; i < rows; ++i) wanted.insert(labels.text(i));
  std::vector<Id> ids;
  for_each_label(index, [&](Id id, const std::string& label) {
    if (wanted.contains(label)) ids.push_back(id);
  });
  return ids;
}

std::vector<Id> ids_matching(const Index& index, const std::string& pattern) {
  std::vector<Id> ids;
  try {
    const std::regex expression(pattern, std::regex::optimize);
    for_each_label(index, [&](Id id, const std::string& label) {
      if (std::regex_search(label, expression)) ids.push_back(id);
    });
  } catch (const std::regex_error& error) {
    throw Error(ErrorCode::invalid_argument,
                "--match '" + printable(pattern) + "': expected a regular expression");
  }
  return ids;
}

}  // namespace kith::cli

#include <filesystem>
#include <unordered_map>

#include "kith/error.h"
#include "kith/judge.h"
#include "kith/vectors.h"

namespace kith {
namespace {

// The row of each wanted text: by labels where both sides have names, else by place.
std::vector<std::size_t> rows_of(const std::string& path, const Vectors& vectors,
                                 const TextPart& part, std::span<const std::uint32_t> which) {
  std::vector<std::size_t> rows;
  if (part.ids.empty() || vectors.labels.kind() == Labels::Kind::none) {
    if (vectors.rows.rows() != part.texts.size()) {
      throw Error(ErrorCode::invalid_argument,
                  path + ": " + std::to_string(vectors.rows.rows()) + " vectors, but there are " +
                      std::to_string(part.texts.size()) + " texts in " + part.name);
    }
    rows.assign(which.begin(), which.end());
    return rows;
  }
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < vectors.labels.size(); ++i) {
    places.emplace(vectors.labels.text(i), i);
  }
  for (const std::uint32_t text : which) {
    const auto found = places.find(part.ids[text]);
    if (found == places.end()) {
      throw Error(ErrorCode::invalid_argument, path + ": no vector is labelled '" + part.ids[text] +
                                                   "', a text of " + part.name);
    }
    rows.push_back(found->second);
  }
  return rows;
}

}  // namespace

ReadyVectors::ReadyVectors(std::string name, std::map<std::string, std::string> files)
    : name_(std::move(name)), files_(std::move(files)) {}

ReadyVectors ReadyVectors::in_folder(const std::string& folder, std::string name) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error(ErrorCode::not_found, folder + ": no such folder");
  }
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    if (!entry.is_regular_file() || path.extension() == ".labels") continue;
    files[path.stem().string()] = path.string();
  }
  if (name.empty()) name = std::filesystem::canonical(folder).filename().string();
  return {std::move(name), std::move(files)};
}

Matrix<float> ReadyVectors::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                  const Control& control) {
  const auto file = files_.find(part.name);
  if (file == files_.end()) {
    throw Error(ErrorCode::not_found, name_ + ": no file of vectors for " + part.name);
  }
  ReadOptions options;
  options.control = control;
  const Vectors vectors = read_vectors(file->second, options);
  const std::vector<std::size_t> rows = rows_of(file->second, vectors, part, which);
  Matrix<float> result(which.size(), vectors.rows.dim());
  for (std::size_t i = 0; i < rows.size(); ++i) vectors.rows.copy_row(rows[i], result.row(i));
  return result;
}

}  // namespace kith

#include "papers/common/trained_models.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/checksum.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/read_file.h"
#include "kith/error.h"
#include "papers/common/data.h"

namespace kith::papers {
namespace {

namespace fs = std::filesystem;
using Train = learn::TrainSummary (*)(const learn::TrainRequest&);

constexpr char kSeconds[] = "/training/cpu_seconds";

std::string hash_of(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}", checksum(bytes));
}
std::string hash_of(std::string_view text) {
  return hash_of(std::as_bytes(std::span(text.data(), text.size())));
}

// A file's, or that of all files of a model's folder but for what its training logged.
std::string content_hash(const fs::path& path) {
  if (fs::is_regular_file(path)) return hash_of(MappedFile::open(path.string())->bytes());
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const fs::path name = entry.path().lexically_relative(path);
    if (!entry.is_regular_file() || *name.begin() == "training") continue;
    files.push_back(name.string() + " " + content_hash(entry.path()));
  }
  std::sort(files.begin(), files.end());
  return hash_of(toml_list(files));
}

// What lies at a path, perhaps behind a word and a colon ("codes:FOLDER"), in its place; other
// texts as they are.
std::string with_content(const std::string& quoted) {
  const std::size_t colon = quoted.find(':');
  const std::size_t begin = colon == quoted.npos || quoted.find('/') < colon ? 0 : colon + 1;
  const std::string path = quoted.substr(begin);
  const bool there = path.find('/') != path.npos && fs::exists(path);
  return there ? quoted.substr(0, begin) + content_hash(path) : quoted;
}

// The recipe with what lies at the paths in quotes in their place.
std::string with_contents(const std::string& recipe) {
  std::string text;
  std::size_t at = 0;
  for (;;) {
    const std::size_t open = recipe.find('"', at);
    const std::size_t close = open == recipe.npos ? open : recipe.find('"', open + 1);
    if (close == recipe.npos) return text + recipe.substr(at);
    text += recipe.substr(at, open + 1 - at) +
            with_content(recipe.substr(open + 1, close - open - 1)) + '"';
    at = close + 1;
  }
}

// Held until the end of the block, by one process alone; others wait.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : file_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (file_ < 0 || ::flock(file_, LOCK_EX) != 0) throw Error(ErrorCode::io, path + ": no lock");
  }
  ~FileLock() { ::close(file_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

void write(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string made(const Trial& trial, Train train, const std::string& name,
                 const std::string& recipe) {
  std::string folder = model_folder(trial, name, recipe);
  fs::create_directories(fs::path(folder).parent_path());
  const FileLock lock(folder + ".lock");
  if (fs::exists(folder + kSeconds)) {
    trial.used_model(folder, training_seconds(folder), false);
    return folder;
  }
  if (train == nullptr) throw Error(ErrorCode::unsupported, name + ": can't be trained here");
  fs::remove_all(folder);  // of a run that ended between the model and its seconds
  learn::TrainRequest request;
  request.recipe = folder + ".toml";
  request.control = without_progress(trial.control);
  write(request.recipe, fmt::format("output = \"{}\"\n", folder) + recipe);
  const learn::TrainSummary summary = train(request);
  write(folder + kSeconds, std::to_string(summary.cpu_seconds));
  trial.used_model(folder, summary.cpu_seconds, true);
  return folder;
}

}  // namespace

std::string model_folder(const Trial& trial, const std::string& name, const std::string& recipe) {
  return trial.cache + "/models/" + name + "-" + hash_of(with_contents(recipe));
}

std::string data_path(const Trial& trial, const std::string& name,
                      const std::vector<std::string>& sets, const std::string& ending) {
  std::vector<std::string> files;
  for (const std::string& set : sets) {
    if (!trial.quick) files.push_back(training_set(set, trial));
  }
  return model_folder(trial, "data/" + name, toml_list(files)) + ending;
}

std::string trained(const Trial& trial, const std::string& name, const std::string& recipe) {
  return made(trial, trial.learn().train, name, recipe);
}

std::string pretrained(const Trial& trial, const std::string& name, const std::string& recipe) {
  return made(trial, trial.learn().pretrain, name, recipe);
}

std::string trained_relevance(const Trial& trial, const std::string& name,
                              const std::string& recipe) {
  return made(trial, trial.learn().train_relevance, name, recipe);
}

std::string trained_codec(const Trial& trial, const std::string& name, const std::string& recipe) {
  return made(trial, trial.learn().train_codec, name, recipe);
}

MergedModel merged(const Trial& trial, const std::string& name, learn::MergeRequest request) {
  if (trial.learn().merge == nullptr) {
    throw Error(ErrorCode::unsupported, name + ": models can't be merged here");
  }
  request.output =
      model_folder(trial, name + "-" + request.method, toml_list(request.models) + request.probe);
  request.control = without_progress(trial.control);
  fs::remove_all(request.output);
  return {request.output, trial.learn().merge(request)};
}

void write_recipe(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  write(path, text);
}

double validation_score(const std::string& folder, const std::string& metric) {
  const std::string path = folder + "/training/log.jsonl";
  std::istringstream lines(read_file(path));
  std::optional<double> last;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains(metric)) last = json.at(metric).get<double>();
  }
  if (!last) throw Error(ErrorCode::not_found, path + ": no '" + metric + "'");
  return *last;
}

double training_seconds(const std::string& folder) {
  return std::stod(read_file(folder + kSeconds));
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "\"" : ", \"") + text + '"';
  return '[' + list + ']';
}

std::string toml_list(const std::vector<std::size_t>& numbers) {
  std::string list;
  for (const std::size_t number : numbers) {
    list += (list.empty() ? "" : ", ") + std::to_string(number);
  }
  return '[' + list + ']';
}

}  // namespace kith::papers

#include "cli/collection_path.h"

#include <cstdlib>
#include <filesystem>

#include "cli/format.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path default_place() {
  const std::string data = variable("XDG_DATA_HOME"), home = variable("HOME");
  if (!data.empty()) return fs::path(data) / "kith";
  if (!home.empty()) return fs::path(home) / ".local/share/kith";
  throw Error(
      ErrorCode::invalid_argument,
      "neither HOME nor XDG_DATA_HOME is set: give a collection's path, with a slash in it");
}

}  // namespace

std::string collection_path(const std::string& name) {
  const bool bare = name.find('/') == std::string::npos;
  std::string path = name;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::string last = fs::path(path).filename().string();
  if (last.empty() || last == "." || last == "..") {
    throw Error(ErrorCode::invalid_argument,
                "collection '" + printable(name) + "': expected a name or the path of a folder");
  }
  return bare ? (default_place() / path).string() : path;
}

}  // namespace kith::cli

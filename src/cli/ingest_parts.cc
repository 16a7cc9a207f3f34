#include "cli/ingest_parts.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "kith/error.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  throw Error(ErrorCode::io, path + ": " + what + ": " + std::strerror(error));
}

void sync_folder(const fs::path& folder) {
  const int file =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);  // not every file system can
  ::close(file);
}

}  // namespace

// ---- Spool --------------------------------------------------------------------------------------

Spool::Spool(std::string path) : path_(std::move(path)), file_(path_, std::ios::binary) { check(); }

void Spool::append(std::string_view bytes) {
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  size_ += bytes.size();
  check();
}

std::shared_ptr<const MappedFile> Spool::map() {
  file_.close();
  check();
  return MappedFile::open(path_);
}

void Spool::check() const {
  if (!file_) fail(path_, "cannot write", errno);
}

// ---- Staging ------------------------------------------------------------------------------------

Staging::Staging(const std::string& collection)
    : collection_(collection), folder_(collection + ".partial") {
  std::error_code failed;
  fs::create_directory(folder_, failed);
  if (failed) throw Error(ErrorCode::io, folder_ + ": cannot be made: " + failed.message());
}

Staging::~Staging() {
  std::error_code ignored;
  if (own_ && !fs::exists(path("vectors.partial.json"), ignored)) {
    fs::remove_all(folder_, ignored);
  } else if (own_) {
    for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
      if (entry.path().filename().string().starts_with("vectors.partial")) continue;
      fs::remove_all(entry.path(), ignored);
    }
  } else {
    fs::remove(folder_, ignored);  // if it is empty
  }
}

void Staging::own() {
  own_ = true;
  fs::remove_all(result());
  fs::create_directory(result());
}

void Staging::put_in_place() {
  const std::string from = result(), aside = path("replaced");
  const bool replaces = fs::exists(collection_);
  const bool exchanged = replaces && ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD,
                                                 collection_.c_str(), RENAME_EXCHANGE) == 0;
  if (!exchanged) {  // nothing to exchange with, or a file system that can't
    if (replaces && ::rename(collection_.c_str(), aside.c_str()) != 0) {
      fail(collection_, "cannot be replaced", errno);
    }
    if (::rename(from.c_str(), collection_.c_str()) != 0) {
      const int error = errno;
      if (replaces && ::rename(aside.c_str(), collection_.c_str()) != 0) own_ = false;
      fail(collection_, "cannot be given its name", error);
    }
  }
  sync_folder(fs::path(collection_).parent_path());
}

}  // namespace kith::cli

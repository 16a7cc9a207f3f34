#include "cli/output.h"

#include <filesystem>

#include "base/atomic_file.h"
#include "kith/error.h"

namespace kith::cli {

void check_writable(const std::string& path) {
  if (std::filesystem::path(path).filename().empty()) {
    throw Error(ErrorCode::invalid_argument, "output '" + path + "': expected the name of a file");
  }
  AtomicFile trial(path);  // removed again by its destructor
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace kith::cli

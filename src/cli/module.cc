#include "cli/module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "kith/error.h"

namespace kith::cli {

void* load_module_entry(const std::string& file, const char* entry, const std::string& advice) {
  ::setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
  ::setenv("OMP_WAIT_POLICY", "PASSIVE", 1);
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path path = self.parent_path() / file;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    throw Error(ErrorCode::not_found, std::string(::dlerror()) + " (" + advice + ")");
  }
  void* address = ::dlsym(library, entry);
  if (address == nullptr) throw Error(ErrorCode::corrupt, path.string() + ": not kith's module");
  return address;
}

}  // namespace kith::cli

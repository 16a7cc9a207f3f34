#include "cli/module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "kith/error.h"

namespace kith::cli {
namespace {

// What OpenBLAS' kernels of that name and LibTorch's need.
bool has_avx512() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

}  // namespace

void* load_module_entry(const std::string& file, const char* entry, const std::string& advice) {
  const bool avx512 = has_avx512();
  if (avx512) ::setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
  if (avx512) ::setenv("ATEN_CPU_CAPABILITY", "avx512", 1);  // LibTorch takes AVX2 by itself
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

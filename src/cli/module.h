// Modules: shared libraries that lie beside the tool and link what only some verbs need, so that
// the others start in milliseconds.
#pragma once

#include <string>

namespace kith::cli {

// The address of `entry` in the module `file`. Throws not_found when it can't be loaded, with the
// loader's words and `advice`, or corrupt when it has no such entry. Before loading it sets what
// OpenBLAS, OpenMP and LibTorch read when they are loaded, overriding what was set, so that runs
// agree.
void* load_module_entry(const std::string& file, const char* entry, const std::string& advice);

template <class Entry>
Entry load_module(const std::string& file, const char* entry, const std::string& advice) {
  return reinterpret_cast<Entry>(load_module_entry(file, entry, advice));
}

}  // namespace kith::cli

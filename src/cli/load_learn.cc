#include "cli/load_learn.h"

#include "cli/module.h"

namespace kith::cli {

const learn::Registry& load_learn() {
  static const learn::Registry registry = [] {
    learn::Registry filled;
    load_module<learn::RegisterEntry>(
        "libkith-learn.so", learn::kRegisterEntry,
        "cmake --build --preset release --target kith_learn builds it; it needs libtorch-dev")(
        filled);
    return filled;
  }();
  return registry;
}

}  // namespace kith::cli

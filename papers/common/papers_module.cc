// The entry of the module of reproductions, which links what libkith and the tool never do.
#include "papers/common/data.h"
#include "papers/common/paper.h"

namespace kith::papers {
namespace {

const std::vector<Paper>& papers() { return registered_papers(); }

std::string missing(const Paper& paper, const std::string& cache) {
  for (const std::string& name : paper.data) {
    std::string said = missing_data(name, cache);
    if (!said.empty()) return said;
  }
  return "";
}

}  // namespace
}  // namespace kith::papers

extern "C" __attribute__((visibility("default"))) const kith::papers::PapersModule*
kith_papers_module() {
  static const kith::papers::PapersModule module{kith::papers::papers, kith::papers::run,
                                                 kith::papers::missing};
  return &module;
}

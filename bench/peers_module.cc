#include "bench/peers_module.h"

#include <cblas.h>

namespace kith::bench {
namespace {

std::vector<Variant> all_variants(const Shape& shape) {
  std::vector<Variant> all;
  for (const auto of : {kith_variants, hnswlib_variants, faiss_variants, usearch_variants}) {
    for (Variant& variant : of(shape)) all.push_back(std::move(variant));
  }
  return all;
}

std::string blas_kernel() {
  return std::string(openblas_get_config()) + ", kernel " + openblas_get_corename();
}

}  // namespace
}  // namespace kith::bench

extern "C" __attribute__((visibility("default"))) const kith::bench::PeersModule*
kith_peers_module() {
  static const kith::bench::PeersModule module{kith::bench::all_variants, kith::bench::blas_kernel};
  return &module;
}

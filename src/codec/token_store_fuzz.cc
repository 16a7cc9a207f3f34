#include "codec/token_store.h"

#include <vector>

#include "formats/fuzz_repair.h"

namespace {

constexpr std::size_t kMostVectors = 1 << 12, kMostDim = 64;  // so that an input is quick

void decode_all(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  // Sections are aligned in a mapped file.
  kith::Storage aligned(bytes.size());
  if (!bytes.empty()) std::copy(bytes.begin(), bytes.end(), aligned.mutable_data());
  const auto reader =
      kith::KithFileReader::parse(aligned.bytes(), "fuzz", verify, nullptr, control);
  const kith::Meta meta = reader.meta();
  const std::size_t vectors = meta.number("sets.vectors", kMostVectors);
  const std::size_t dim = meta.number("sets.dim", kMostDim);
  if (dim == 0) return;  // refused before
  const auto store = kith::TokenStore::load(reader, meta, vectors, dim);
  std::vector<float> x(dim + 1);
  volatile float sum = 0;
  for (std::size_t i = 0; i < vectors; ++i) {
    store->load(i, 1, x.data(), dim);
    for (const float value : x) sum = sum + value;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, decode_all);
  return 0;
}

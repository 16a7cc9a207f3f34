#include "formats/sparse_csr.h"

#include <cstring>
#include <vector>

#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint64_t> aligned((size + 7) / 8);  // as a mapped file is
  if (size != 0) std::memcpy(aligned.data(), data, size);
  kith::formats::Input in;
  in.name = "fuzz";
  in.bytes = std::as_bytes(std::span(aligned)).first(size);
  try {
    const kith::SparseVectors found = kith::formats::parse_csr(in);
    volatile float sum = 0;
    for (std::size_t row = 0; row < found.rows.rows(); ++row) {
      for (std::size_t i = found.rows.offsets[row]; i < found.rows.offsets[row + 1]; ++i) {
        sum = sum + found.rows.weights[i] + static_cast<float>(found.rows.terms[i]);
      }
    }
  } catch (const kith::Error&) {
  }
  return 0;
}

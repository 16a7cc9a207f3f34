#include "codec/binariser.h"

#include <vector>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  const kith::Binariser binariser = kith::read_binariser(reader);
  const std::vector<float> x(binariser.dim, 0.25F);
  std::vector<std::uint8_t> codes(binariser.dims);
  binariser.encode(x.data(), codes.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}

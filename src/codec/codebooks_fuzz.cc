#include "codec/codebooks.h"

#include <vector>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  const kith::Codebooks codebooks = kith::read_codebooks(reader).codebooks;
  std::vector<float> x(codebooks.dim(), 0.25F);
  std::vector<std::uint32_t> code(codebooks.parts());
  codebooks.encode(x.data(), code.data());
  codebooks.decode(code.data(), x.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}

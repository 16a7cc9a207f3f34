#include "index/lists_content.h"

#include <vector>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  const kith::ListsContent content = kith::read_lists(reader);
  std::vector<float> x(content.quantiser.dim(), 0.25F);
  std::vector<std::uint8_t> code(content.quantiser.parts());
  content.quantiser.encode(x.data(), code.data());
  content.quantiser.decode(code.data(), x.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}

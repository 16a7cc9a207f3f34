#include <algorithm>
#include <vector>

#include "formats/fuzz_repair.h"
#include "index/relevance_file.h"
#include "kith/error.h"

namespace {

void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  const kith::RelevanceAdapter adapter = kith::read_relevance(reader);
  const std::vector<float> query(adapter.dim(), 0.5F);
  volatile double sum = 0;
  for (const double cosine : {-1.0, 0.0, 0.5, 1.0}) {
    sum = sum + adapter.curve(query.data()).relevance(cosine);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}

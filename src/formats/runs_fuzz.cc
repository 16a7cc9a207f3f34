#include "formats/runs.h"

#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::Input in;
  in.name = "fuzz";
  in.bytes = std::as_bytes(std::span(data, size));
  try {
    volatile std::size_t sum = 0;
    for (const auto& query : kith::formats::parse_run(in)) sum = sum + query.hits.size();
  } catch (const kith::Error&) {
  }
  return 0;
}

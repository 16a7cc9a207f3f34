#include "datasets/r_data.h"
#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const kith::datasets::RValue value =
        kith::datasets::parse_r_value("fuzz", {reinterpret_cast<const char*>(data), size});
    volatile std::size_t sum = value.as_texts().size() + value.items.size();
    sum = sum + value.item("names").numbers.size();
  } catch (const kith::Error&) {
  }
  return 0;
}

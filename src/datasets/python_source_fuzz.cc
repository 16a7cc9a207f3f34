#include "datasets/python_source.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  volatile std::size_t sum = 0;
  for (const kith::datasets::PythonFunction& function :
       kith::datasets::parse_python({reinterpret_cast<const char*>(data), size})) {
    sum = sum + function.name.size() + function.docstring.size() + function.body.size();
  }
  return 0;
}

#include "learn/device.h"

#include <charconv>

#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {

at::Device find_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const std::string cuda = "cuda";
  int number = 0;
  const char* end = name.data() + name.size();
  const bool numbered = name.starts_with(cuda + ":") &&
                        std::from_chars(name.data() + cuda.size() + 1, end, number).ptr == end &&
                        number >= 0 && !name.ends_with(":");
  if (name != cuda && !numbered) {
    refuse("device '" + name + "', expected cpu, cuda or cuda:N");
  }
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (number >= count) {
    refuse("device '" + name + "': LibTorch sees " + std::to_string(count) + " of the kind here");
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(number)};
}

}  // namespace kith::learn

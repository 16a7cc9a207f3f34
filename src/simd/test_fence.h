// For tests of kernels: memory behind which nothing may be read.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <stdexcept>
#include <vector>

namespace kith::simd {

// Bytes whose last one lies before an unmapped page, so that a read past them faults. Regions are
// kept for the next one: mapping pages takes longer than the kernels.
class Fenced {
 public:
  explicit Fenced(std::size_t bytes) : size_(bytes) {
    if (bytes > kCapacity) throw std::length_error("Fenced");
    if (spare().empty()) {
      void* mapped = mmap(nullptr, kCapacity + kFence, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapped == MAP_FAILED) throw std::bad_alloc();
      base_ = static_cast<unsigned char*>(mapped);
      mprotect(base_ + kCapacity, kFence, PROT_NONE);
    } else {
      base_ = spare().back();
      spare().pop_back();
    }
  }
  ~Fenced() { spare().push_back(base_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  unsigned char* at_end() const { return base_ + kCapacity - size_; }

 private:
  static constexpr std::size_t kCapacity = 1 << 20, kFence = 1 << 16;  // multiples of any page
  static std::vector<unsigned char*>& spare() {
    static std::vector<unsigned char*> regions;
    return regions;
  }

  unsigned char* base_;
  std::size_t size_;
};

}  // namespace kith::simd

#include "base/storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace kith {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSmallPage = 4096;

}  // namespace

Storage Storage::view(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  Storage storage;
  storage.data_ = const_cast<std::byte*>(bytes.data());
  storage.size_ = bytes.size();
  storage.owner_ = std::move(owner);
  return storage;
}

Storage::Storage(Storage&& other) noexcept { *this = std::move(other); }

Storage& Storage::operator=(Storage&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(owner_, other.owner_);
  return *this;
}

Storage::~Storage() { release(); }

void Storage::release() noexcept {
  if (capacity_ != 0) ::munmap(data_, capacity_);
  data_ = nullptr;
  size_ = capacity_ = 0;
  owner_.reset();
}

std::byte* Storage::mutable_data() {
  if (capacity_ == 0 && size_ != 0) own(size_);
  return data_;
}

void Storage::resize(std::size_t bytes) {
  if (capacity_ == 0 || bytes > capacity_) {
    own(std::max(bytes, capacity_ == 0 ? bytes : capacity_ + capacity_ / 2));
  } else if (bytes < size_) {
    std::memset(data_ + bytes, 0, size_ - bytes);
  }
  size_ = bytes;
}

// Fresh anonymous pages are zero. Large blocks start on a huge-page boundary and ask for huge
// pages.
void Storage::own(std::size_t capacity) {
  if (capacity == 0) return;
  const bool large = capacity >= kHugePage;
  const std::size_t page = large ? kHugePage : kSmallPage;
  capacity = (capacity + page - 1) / page * page;
  const std::size_t reserve = large ? capacity + kHugePage : capacity;
  void* mapped =
      ::mmap(nullptr, reserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  std::byte* start = static_cast<std::byte*>(mapped);
  if (large) {
    const std::size_t address = reinterpret_cast<std::size_t>(start);
    const std::size_t head = (kHugePage - address % kHugePage) % kHugePage;
    if (head != 0) ::munmap(start, head);
    start += head;
    const std::size_t tail = reserve - head - capacity;
    if (tail != 0) ::munmap(start + capacity, tail);
    ::madvise(start, capacity, MADV_HUGEPAGE);
  }
  const std::size_t keep = size_;
  if (keep != 0) std::memcpy(start, data_, std::min(keep, capacity));
  release();
  data_ = start;
  size_ = std::min(keep, capacity);
  capacity_ = capacity;
}

}  // namespace kith

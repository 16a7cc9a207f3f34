// Bytes that are either owned (zeroed, on huge pages when large and the kernel grants them) or a
// view of something mapped. Searching doesn't care which; growing turns a view into an owned copy.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace kith {

class Storage {
 public:
  Storage() = default;
  explicit Storage(std::size_t bytes) { resize(bytes); }
  // Read-only bytes that `owner` keeps alive.
  static Storage view(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

  Storage(Storage&& other) noexcept;
  Storage& operator=(Storage&& other) noexcept;
  ~Storage();

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

  // Writable bytes; copies a view into owned memory first.
  std::byte* mutable_data();
  template <class T>
  T* mutable_as() {
    return reinterpret_cast<T*>(mutable_data());
  }

  // Keeps the content, zeroes what is new; grows geometrically, so repeated small growth is cheap.
  void resize(std::size_t bytes);

 private:
  void own(std::size_t capacity);
  void release() noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;  // capacity 0: a view or empty
  std::shared_ptr<const void> owner_;
};

}  // namespace kith

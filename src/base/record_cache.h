// Records of one size by id, as many as fit into so many bytes. Eight places can hold an id; among
// them one gives way that wasn't asked for since the hand last passed (the CLOCK rule).
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/storage.h"
#include "kith/types.h"

namespace kith {

class RecordCache {
 public:
  // Holds nothing where not even eight records fit.
  RecordCache(std::size_t bytes, std::size_t record_bytes)
      : record_bytes_(record_bytes),
        sets_(bytes / (kPlaces * (record_bytes + sizeof(Place)))),
        places_(sets_ * kPlaces),
        hands_(sets_, 0),
        records_(sets_ * kPlaces * record_bytes) {
    bytes_ = records_.mutable_data();
  }

  // Any number of threads may call both.
  bool get(Id id, std::byte* out) {
    if (sets_ == 0) return false;
    const std::size_t set = set_of(id);
    const std::lock_guard lock(locks_[set % kLocks]);
    for (std::size_t place = set * kPlaces; place < (set + 1) * kPlaces; ++place) {
      if (places_[place].id != id) continue;
      places_[place].recent = true;
      std::memcpy(out, bytes_ + place * record_bytes_, record_bytes_);
      return true;
    }
    return false;
  }

  void put(Id id, const std::byte* record) {
    if (sets_ == 0) return;
    const std::size_t set = set_of(id);
    const std::lock_guard lock(locks_[set % kLocks]);
    for (std::size_t i = 0; i < kPlaces; ++i) {
      if (places_[set * kPlaces + i].id == id) return;
    }
    for (;;) {
      const std::size_t place = set * kPlaces + hands_[set];
      hands_[set] = static_cast<unsigned char>((hands_[set] + 1) % kPlaces);
      if (places_[place].recent) {
        places_[place].recent = false;
        continue;
      }
      places_[place].id = id;
      std::memcpy(bytes_ + place * record_bytes_, record, record_bytes_);
      return;
    }
  }

 private:
  static constexpr std::size_t kPlaces = 8, kLocks = 64;
  struct Place {
    Id id = kNoId;
    bool recent = false;
  };

  std::size_t set_of(Id id) const {
    return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15ULL) >> 32) % sets_;
  }

  std::size_t record_bytes_, sets_;
  std::vector<Place> places_;
  std::vector<unsigned char> hands_;
  Storage records_;
  std::byte* bytes_ = nullptr;
  std::array<std::mutex, kLocks> locks_;
};

}  // namespace kith

#include "text/dictionary.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/checksum.h"
#include "kith/error.h"

namespace kith::text {
namespace {

constexpr std::size_t kFirstSlots = 64;

Storage copy_of(const Storage& from) {
  Storage copy(from.size());
  if (from.size() != 0) std::memcpy(copy.mutable_data(), from.data(), from.size());
  return copy;
}

}  // namespace

Dictionary::Dictionary() : offsets_(sizeof(std::uint64_t)) {}

Dictionary::Dictionary(Storage offsets, Storage text, Storage slots, const char* name)
    : offsets_(std::move(offsets)), text_(std::move(text)), slots_(std::move(slots)) {
  const auto fail = [&](const char* what) {
    throw Error(ErrorCode::corrupt, std::string("section ") + name + "." + what);
  };
  if (offsets_.size() < sizeof(std::uint64_t) || offsets_.size() % sizeof(std::uint64_t) != 0) {
    fail("offsets: expected whole numbers of 8 bytes");
  }
  const auto* starts = offsets_.as<std::uint64_t>();
  if (starts[0] != 0 || starts[size()] != text_.size() ||
      !std::is_sorted(starts, starts + size() + 1)) {
    fail("offsets: expected to ascend from 0 to the end of the text");
  }
  const std::size_t count = slot_count();
  if (slots_.size() % sizeof(std::uint32_t) != 0 || (size() > 0 && count <= size()) ||
      (count & (count - 1)) != 0) {
    fail("slots: expected a power of two, more than there are words");
  }
  const auto* words = slots_.as<std::uint32_t>();
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (words[i] == kEmpty) continue;
    if (words[i] >= size()) fail("slots: a word that isn't there");
    ++used;
  }
  if (used != size()) fail("slots: expected every word once");
}

Dictionary Dictionary::clone() const {
  Dictionary copy;
  copy.offsets_ = copy_of(offsets_);
  copy.text_ = copy_of(text_);
  copy.slots_ = copy_of(slots_);
  return copy;
}

std::optional<Term> Dictionary::find(std::string_view term) const {
  if (slot_count() == 0) return std::nullopt;
  const std::uint32_t found = slots_.as<std::uint32_t>()[slot_of(term)];
  return found == kEmpty ? std::nullopt : std::optional<Term>(found);
}

// Linear probing ends: some slot is always empty.
std::size_t Dictionary::slot_of(std::string_view term) const {
  const std::size_t mask = slot_count() - 1;
  const auto* slots = slots_.as<std::uint32_t>();
  std::size_t slot = checksum(std::as_bytes(std::span(term.data(), term.size()))) & mask;
  while (slots[slot] != kEmpty && (*this)[slots[slot]] != term) slot = (slot + 1) & mask;
  return slot;
}

Term Dictionary::add(std::string_view term) {
  if (slot_count() < 2 * (size() + 1)) grow();
  const std::size_t slot = slot_of(term);
  const std::uint32_t known = slots_.as<std::uint32_t>()[slot];
  if (known != kEmpty) return known;
  const std::size_t number = size(), at = text_.size();
  if (number >= kMaxTerms) {
    throw Error(ErrorCode::invalid_argument,
                "more than " + std::to_string(kMaxTerms) + " different words");
  }
  text_.resize(at + term.size());
  std::copy(term.begin(), term.end(), text_.mutable_as<char>() + at);
  offsets_.resize(offsets_.size() + sizeof(std::uint64_t));
  offsets_.mutable_as<std::uint64_t>()[number + 1] = text_.size();
  slots_.mutable_as<std::uint32_t>()[slot] = static_cast<std::uint32_t>(number);
  return static_cast<Term>(number);
}

void Dictionary::grow() {
  const std::size_t count = std::max(kFirstSlots, std::bit_ceil(2 * (size() + 1)));
  Storage slots(count * sizeof(std::uint32_t));
  std::fill_n(slots.mutable_as<std::uint32_t>(), count, kEmpty);
  slots_ = std::move(slots);
  for (std::size_t i = 0; i < size(); ++i) {
    slots_.mutable_as<std::uint32_t>()[slot_of((*this)[static_cast<Term>(i)])] =
        static_cast<std::uint32_t>(i);
  }
}

}  // namespace kith::text

// Any bytes as a file of items end in a collection's items, all of which can be read, or in a
// kith::Error.
#include "store/items.h"

#include <vector>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

void read_whole(const kith::store::Items& items) {
  volatile std::size_t sum = 0;
  for (kith::Id item = 0; item < items.size(); ++item) {
    for (const char c : items.record(item)) sum = sum + static_cast<unsigned char>(c);
    const auto found = items.find(items.id(item));
    if (found && items.id(*found) != items.id(item)) __builtin_trap();
    if (items.first_row(item) > items.first_row(item + 1)) __builtin_trap();
  }
  for (kith::Id row = 0; row < items.rows(); ++row) {
    const kith::Id item = items.item_of(row);
    if (item >= items.size()) __builtin_trap();
    sum = sum + items.passage(row, items.record(item)).size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, [](std::span<const std::byte> bytes, bool verify) {
    read_whole(kith::store::Items::parse(bytes, "fuzz", verify, nullptr));
  });
  return 0;
}

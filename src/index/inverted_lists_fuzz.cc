#include "index/inverted_lists.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

constexpr std::size_t kMostVectors = 1 << 16;  // so that an input is quick whatever it claims
constexpr std::size_t kMostDim = 64;

// Everything that opening and searching an inverted file does with its lists.
void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  const kith::Meta meta = reader.meta();
  const auto metric = static_cast<kith::Metric>(meta.number("metric", 2));
  const std::size_t dim = std::max<std::size_t>(1, meta.number("dim", kMostDim));
  const std::size_t vectors = meta.number("vectors", kMostVectors);
  const auto lists = kith::InvertedLists::load(reader, meta, metric, dim, vectors);
  kith::Matrix<float> query(2, dim);
  for (std::size_t j = 0; j < dim; ++j) query(1, j) = 0.25F;

  kith::InvertedLists::Scratch scratch;
  lists.start(query, 3, scratch);
  for (kith::Reservoir& reservoir : scratch.reservoirs) {
    reservoir.start(4, std::numeric_limits<float>::infinity());
  }
  if (lists.blocks().none()) {
    if (lists.order(vectors).size() != vectors) __builtin_trap();
    kith::RowScan rows(
        lists.starts(),
        [](std::size_t, kith::Id first, std::size_t n, float* distances) {
          for (std::size_t i = 0; i < n; ++i) distances[i] = static_cast<float>(first + i);
        },
        [](kith::Id, std::size_t) {});
    lists.scan(0, scratch.probes, rows, scratch);
  } else {
    scratch.product.prepare(lists.blocks(), query);
    lists.scan(0, scratch.probes, scratch.product, scratch);
  }
  if (!verify) return;  // ids may be anything where there are product codes
  kith::IdSet gone;
  gone.insert(0);
  lists.without(gone).with([](std::size_t, float* out) { *out = 1; }, std::vector<kith::Id>{0},
                           control);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}

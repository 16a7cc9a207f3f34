// Block scans of every instruction set this processor has, against plain sums.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "simd/kernels.h"
#include "simd/tables.h"
#include "simd/test_fence.h"

namespace kith::simd {
namespace {

class EveryLevelOfBlocks : public testing::TestWithParam<Level> {
 protected:
  const KernelTable& table() const { return tables_for(GetParam()); }
};

TEST_P(EveryLevelOfBlocks, ScansBlocksOfProductCodes) {
  std::mt19937 random(10);
  for (const std::size_t parts : {4, 8, 28, 52, 192, 1024}) {
    for (const std::size_t n : {1, 15, 16, 17, 31, 32, 33, 64, 100, 500}) {
      const std::size_t blocks = (n + kBlockCodes - 1) / kBlockCodes;
      const Fenced codes(blocks * block_bytes(parts)), terms_memory(n * 4);
      std::vector<std::uint8_t> spare(16 * parts + 64);
      std::uint8_t* tables =
          spare.data() + (64 - reinterpret_cast<std::uintptr_t>(spare.data()) % 64) % 64;
      for (std::size_t i = 0; i < 16 * parts; ++i) tables[i] = static_cast<std::uint8_t>(random());
      for (std::size_t i = 0; i < blocks * block_bytes(parts); ++i) {
        codes.at_end()[i] = static_cast<unsigned char>(random());
      }
      auto* terms = reinterpret_cast<float*>(terms_memory.at_end());
      for (std::size_t i = 0; i < n; ++i) terms[i] = static_cast<float>(random() % 1000);
      const BlockQuery query{tables, parts, 0.25f, -100};
      for (const float* with :
           {static_cast<const float*>(nullptr), static_cast<const float*>(terms)}) {
        std::vector<float> want(n);
        for (std::size_t i = 0; i < n; ++i) {
          std::uint32_t sum = 0;
          for (std::size_t part = 0; part < parts; ++part) {
            const std::uint8_t byte =
                codes.at_end()[i / 32 * block_bytes(parts) + part / 4 * 64 + i % 16 * 4 + part % 4];
            sum += tables[16 * part + (i % 32 < 16 ? byte & 15 : byte >> 4)];
          }
          want[i] = 0.25f * static_cast<float>(sum) - 100 + (with == nullptr ? 0 : with[i]);
        }
        std::vector<float> sorted = want;
        std::sort(sorted.begin(), sorted.end());
        for (const float limit : {-1e9f, sorted[n / 3], 1e9f}) {
          std::vector<float> estimates(blocks * kBlockCodes), expected;
          std::vector<std::uint32_t> places(blocks * kBlockCodes), expected_places;
          for (std::size_t i = 0; i < n; ++i) {
            if (want[i] > limit) continue;
            expected.push_back(want[i]);
            expected_places.push_back(static_cast<std::uint32_t>(i));
          }
          const std::size_t found = table().scan_blocks(query, {codes.at_end(), n, with}, limit,
                                                        estimates.data(), places.data());
          estimates.resize(found), places.resize(found);
          ASSERT_EQ(places, expected_places) << parts << " parts, " << n;
          ASSERT_EQ(estimates, expected);
        }
      }
    }
  }
}

TEST_P(EveryLevelOfBlocks, ScansAListForSeveralQueriesAsForEach) {
  std::mt19937 random(11);
  for (const std::size_t parts : {4, 52, 128}) {
    for (const std::size_t n : {1, 31, 32, 33, 64, 65, 300}) {
      const std::size_t blocks = (n + kBlockCodes - 1) / kBlockCodes, room = blocks * kBlockCodes;
      const Fenced codes(blocks * block_bytes(parts)), allowed_memory(blocks * 4);
      for (std::size_t i = 0; i < blocks * block_bytes(parts); ++i) {
        codes.at_end()[i] = static_cast<unsigned char>(random());
      }
      std::vector<float> terms(n);
      for (float& term : terms) term = static_cast<float>(random() % 100);
      auto* allowed = reinterpret_cast<std::uint32_t*>(allowed_memory.at_end());
      // Some blocks with few codes, some with none.
      for (std::size_t b = 0; b < blocks; ++b) {
        allowed[b] =
            static_cast<std::uint32_t>(random() & random() & (random() % 3 != 0 ? ~0u : 0));
      }
      for (std::size_t count = 1; count <= 9; ++count) {
        const std::size_t bytes = (16 * parts + 63) / 64 * 64;
        std::vector<std::uint8_t> spare(count * bytes + 64);
        std::uint8_t* tables =
            spare.data() + (64 - reinterpret_cast<std::uintptr_t>(spare.data()) % 64) % 64;
        for (std::size_t i = 0; i < count * bytes; ++i) {
          tables[i] = static_cast<std::uint8_t>(random());
        }
        for (const bool with_terms : {false, true}) {
          for (const bool filtered : {false, true}) {
            const BlockList list = {codes.at_end(), n, with_terms ? terms.data() : nullptr,
                                    filtered ? allowed : nullptr};
            std::vector<BlockScan> scans(count);
            std::vector<float> estimates(count * room), one(room);
            std::vector<std::uint32_t> places(count * room), there(room);
            for (std::size_t q = 0; q < count; ++q) {
              scans[q] = {{tables + q * bytes, parts, 0.5f, static_cast<float>(q)},
                          q == 1 ? 1e9f : 60.0f * static_cast<float>(parts),
                          &estimates[q * room],
                          &places[q * room],
                          0};
            }
            table().scan_blocks_each(scans.data(), count, list);
            for (const BlockScan& scan : scans) {
              std::size_t found =
                  tables_for(Level::scalar)
                      .scan_blocks(scan.query, list, scan.limit, one.data(), there.data());
              ASSERT_EQ(scan.found, found) << parts << " parts, " << n << ", " << count;
              for (std::size_t i = 0; i < found; ++i) {
                ASSERT_EQ(scan.places[i], there[i]);
                ASSERT_EQ(scan.estimates[i], one[i]);
                ASSERT_TRUE(!filtered || (allowed[there[i] / 32] >> there[i] % 32 & 1) != 0);
              }
            }
          }
        }
      }
    }
  }
}

TEST_P(EveryLevelOfBlocks, FillsTheTablesOfAQuery) {
  std::mt19937 random(12);
  std::normal_distribution<float> normal;
  for (const auto& [dim, parts] :
       {std::pair<std::size_t, std::size_t>{1, 1}, {7, 3}, {100, 50}, {256, 128}, {30, 30}}) {
    const Fenced words_memory(dim * 16 * 4), query_memory(dim * 4), tables(parts * 16);
    auto* words = reinterpret_cast<float*>(words_memory.at_end());
    auto* query = reinterpret_cast<float*>(query_memory.at_end());
    for (std::size_t i = 0; i < dim * 16; ++i) words[i] = normal(random);
    for (std::size_t j = 0; j < dim; ++j) query[j] = normal(random);
    std::vector<float> entries(parts * 16);
    const TableScale scale =
        table().fill_tables(words, query, -2, dim, parts, entries.data(), tables.at_end());
    double lowest = 0;
    for (std::size_t p = 0; p < parts; ++p) {
      double products[16] = {};
      for (std::size_t j = p * dim / parts; j < (p + 1) * dim / parts; ++j) {
        for (std::size_t w = 0; w < 16; ++w) products[w] += -2.0 * query[j] * words[16 * j + w];
      }
      const double low = *std::min_element(products, products + 16);
      lowest += low;
      for (std::size_t w = 0; w < 16; ++w) {
        EXPECT_NEAR(scale.scale * tables.at_end()[16 * p + w], products[w] - low,
                    0.501 * scale.scale + 1e-5);
      }
    }
    EXPECT_NEAR(scale.offset, lowest, 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Simd, EveryLevelOfBlocks, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace kith::simd

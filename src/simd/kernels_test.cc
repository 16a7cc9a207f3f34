// Every kernel of every instruction set this processor has, against a plain reference in double.
#include "simd/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kith/half.h"
#include "simd/tables.h"
#include "simd/test_fence.h"

namespace kith::simd {
namespace {

constexpr ElementType kTypes[] = {ElementType::f32, ElementType::f16, ElementType::bf16,
                                  ElementType::i8, ElementType::u8};
constexpr Op kAllOps[] = {Op::l2, Op::dot, Op::cosine};

std::vector<std::size_t> dims() {
  std::vector<std::size_t> all;
  for (std::size_t d = 1; d <= 130; ++d) all.push_back(d);
  all.insert(all.end(), {200, 255, 256, 257, 384, 768, 1000});
  return all;
}

void fill(ElementType type, std::mt19937& random, std::size_t dim, unsigned char* to) {
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < dim; ++i) {
    const float x = normal(random);
    switch (type) {
      case ElementType::f32:
        std::memcpy(to + 4 * i, &x, 4);
        break;
      case ElementType::f16: {
        const Half h(x);
        std::memcpy(to + 2 * i, &h, 2);
        break;
      }
      case ElementType::bf16: {
        const BFloat16 h(x);
        std::memcpy(to + 2 * i, &h, 2);
        break;
      }
      default:  // the extremes often, since they are what overflows
        to[i] = static_cast<unsigned char>(random() % 4 == 0 ? (random() % 2 ? 0x80 : 0xff)
                                                             : random() % 256);
    }
  }
}

double element(ElementType type, const unsigned char* row, std::size_t i) {
  switch (type) {
    case ElementType::f32: {
      float x;
      std::memcpy(&x, row + 4 * i, 4);
      return x;
    }
    case ElementType::f16: {
      Half h;
      std::memcpy(&h, row + 2 * i, 2);
      return static_cast<float>(h);
    }
    case ElementType::bf16: {
      BFloat16 h;
      std::memcpy(&h, row + 2 * i, 2);
      return static_cast<float>(h);
    }
    case ElementType::i8:
      return static_cast<std::int8_t>(row[i]);
    default:
      return row[i];
  }
}

struct Reference {
  double value = 0;
  double scale = 0;  // what rounding errors are relative to
};

Reference reference(Op op, ElementType query_type, const unsigned char* query, ElementType type,
                    const unsigned char* row, std::size_t dim) {
  double sum = 0, size = 0, qq = 0, xx = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    const double q = element(query_type, query, i), x = element(type, row, i);
    const double term = op == Op::l2 ? (q - x) * (q - x) : q * x;
    sum += term, size += std::fabs(term), qq += q * q, xx += x * x;
  }
  if (op != Op::cosine) return {sum, size};
  if (qq == 0 || xx == 0) return {0, 0};
  return {sum / std::sqrt(qq * xx), 1};
}

void check_rows(const RowKernels& kernels, Op op, ElementType query_type, ElementType type,
                std::size_t dim, std::mt19937& random) {
  const bool exact = size_of(query_type) == 1 && op != Op::cosine;
  const std::size_t stride = dim * size_of(type) + random() % 3 * size_of(type);
  constexpr std::size_t kRows = 9;
  const Fenced query_memory(dim * size_of(query_type));
  const Fenced memory(kRows * stride);
  unsigned char* query = query_memory.at_end();
  unsigned char* rows = memory.at_end();
  fill(query_type, random, dim, query);
  for (std::size_t i = 0; i < kRows; ++i) fill(type, random, dim, rows + i * stride);
  const std::size_t n = random() % (kRows + 1);
  std::vector<std::uint32_t> ids(n);
  for (auto& id : ids) id = static_cast<std::uint32_t>(random() % kRows);
  std::vector<float> many(kRows + 1, -1e9f), gathered(n + 1, -1e9f);
  kernels.many(query, rows, stride, kRows, dim, many.data());
  kernels.gather(query, rows, stride, ids.data(), n, dim, gathered.data());
  EXPECT_EQ(many[kRows], -1e9f);
  EXPECT_EQ(gathered[n], -1e9f);
  for (std::size_t i = 0; i < kRows; ++i) {
    const Reference want = reference(op, query_type, query, type, rows + i * stride, dim);
    const double tolerance = exact ? 0 : 1e-5 * want.scale;
    const double value = exact ? static_cast<float>(want.value) : want.value;
    ASSERT_NEAR(many[i], value, tolerance) << "row " << i << " of " << dim;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const Reference want = reference(op, query_type, query, type, rows + ids[i] * stride, dim);
    const double tolerance = exact ? 0 : 1e-5 * want.scale;
    const double value = exact ? static_cast<float>(want.value) : want.value;
    ASSERT_NEAR(gathered[i], value, tolerance) << "row " << ids[i] << " of " << dim;
  }
}

class EveryLevel : public testing::TestWithParam<Level> {
 protected:
  const KernelTable& table() const { return tables_for(GetParam()); }
};

TEST_P(EveryLevel, ComparesAFloatQueryWithEveryType) {
  std::mt19937 random(1);
  for (const std::size_t dim : dims()) {
    for (const ElementType type : kTypes) {
      for (const Op op : kAllOps) {
        SCOPED_TRACE(std::string(name(type)) + " op " + std::to_string(static_cast<int>(op)));
        check_rows(table().float_query[static_cast<int>(type)][static_cast<int>(op)], op,
                   ElementType::f32, type, dim, random);
      }
    }
  }
}

TEST_P(EveryLevel, ComparesRowsOfTheSameType) {
  std::mt19937 random(2);
  for (const std::size_t dim : dims()) {
    for (const ElementType type : kTypes) {
      for (const Op op : kAllOps) {
        SCOPED_TRACE(std::string(name(type)) + " op " + std::to_string(static_cast<int>(op)));
        check_rows(table().same_type[static_cast<int>(type)][static_cast<int>(op)], op, type, type,
                   dim, random);
      }
    }
  }
}

struct ScaledCase {
  int bits;
  std::size_t dim, stride, rows;
};

// By the layout's definition.
int code_at(int bits, const unsigned char* record, std::size_t dim, std::size_t j) {
  if (bits == 8) return record[j];
  if (bits == 4) {
    const std::size_t half = code_bytes(4, dim);
    return j < half ? record[j] & 15 : record[j - half] >> 4;
  }
  int code = 0;
  for (int b = 0; b < bits; ++b) {
    const std::size_t place = j * static_cast<std::size_t>(bits) + static_cast<std::size_t>(b);
    code |= (record[place / 8] >> place % 8 & 1) << b;
  }
  return code;
}

// `packed` chooses the int8 query; the sums are then exact and so is their float.
void check_scaled(const ScaledKernels& kernels, const ScaledCase& c, bool packed,
                  std::mt19937& random) {
  const std::size_t half = code_bytes(c.bits, c.dim);
  const Fenced memory(c.rows * c.stride);
  unsigned char* records = memory.at_end();
  for (std::size_t i = 0; i < c.rows * c.stride; ++i) {
    records[i] = static_cast<unsigned char>(random() % 8 == 0 ? 255 : random());
  }
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < c.rows; ++i) {
    unsigned char* record = records + i * c.stride;
    if (c.bits == 4 && c.dim % 2 == 1) record[half - 1] &= 15;
    const float factors[3] = {normal(random), normal(random), normal(random)};
    std::memcpy(record + half, factors, sizeof(factors));
  }
  std::vector<float> query(c.dim);
  for (float& q : query) q = normal(random);
  ScaledQuery scaled;
  const std::size_t packed_bytes = packed_query_bytes(c.bits, c.dim);
  auto* bytes = static_cast<std::int8_t*>(std::aligned_alloc(64, packed_bytes));
  const float scale = pack_query(c.bits, query.data(), c.dim, bytes);
  const Fenced float_memory(c.dim * sizeof(float));
  std::memcpy(float_memory.at_end(), query.data(), c.dim * sizeof(float));
  scaled.values = packed ? static_cast<const void*>(bytes) : float_memory.at_end();
  scaled.constant = normal(random), scaled.norm_weight = normal(random);
  scaled.low_weight = normal(random), scaled.step_weight = normal(random);

  std::vector<double> want(c.rows), size(c.rows);
  for (std::size_t i = 0; i < c.rows; ++i) {
    const unsigned char* record = records + i * c.stride;
    double sum = 0, terms = 0;
    for (std::size_t j = 0; j < c.dim; ++j) {
      const int code = code_at(c.bits, record, c.dim, j);
      double q = query[j];
      if (packed) {
        q = bytes[c.bits != 4 || j < half ? j : packed_bytes / 2 + j - half];
        ASSERT_NEAR(q * scale, query[j], scale * 0.51);
      }
      sum += q * code, terms += std::fabs(q * code);
    }
    float factors[3];
    std::memcpy(factors, record + half, sizeof(factors));
    const double parts[4] = {scaled.constant, double{scaled.norm_weight} * factors[0],
                             double{scaled.low_weight} * factors[1],
                             double{scaled.step_weight} * factors[2] * sum};
    want[i] = parts[0] + parts[1] + parts[2] + parts[3];
    size[i] = std::fabs(parts[0]) + std::fabs(parts[1]) + std::fabs(parts[2]) +
              std::fabs(double{scaled.step_weight} * factors[2] * terms);
  }
  std::vector<float> many(c.rows + 1, -1e9f);
  kernels.many(scaled, records, c.stride, c.rows, c.dim, many.data());
  EXPECT_EQ(many[c.rows], -1e9f);
  for (std::size_t i = 0; i < c.rows; ++i) {
    ASSERT_NEAR(many[i], want[i], 1e-5 * size[i]) << "record " << i << " of " << c.rows;
  }
  std::vector<std::uint32_t> ids(random() % 40);
  for (auto& id : ids) id = static_cast<std::uint32_t>(random() % c.rows);
  std::vector<float> gathered(ids.size() + 1, -1e9f);
  kernels.gather(scaled, records, c.stride, ids.data(), ids.size(), c.dim, gathered.data());
  EXPECT_EQ(gathered[ids.size()], -1e9f);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ASSERT_NEAR(gathered[i], want[ids[i]], 1e-5 * size[ids[i]]);
  }
  std::free(bytes);
}

TEST_P(EveryLevel, ScoresScaledCodes) {
  std::mt19937 random(3);
  for (const std::size_t dim : dims()) {
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8}) {
      const std::size_t least = code_bytes(bits, dim) + 12;
      for (const std::size_t stride : {least, least + 1, (least + 63) / 64 * 64}) {
        const std::size_t rows = 1 + random() % 37;
        SCOPED_TRACE(std::to_string(bits) + " bits, dim " + std::to_string(dim) + ", stride " +
                     std::to_string(stride));
        check_scaled(table().scaled_float[bits_index(bits)], {bits, dim, stride, rows}, false,
                     random);
        check_scaled(table().scaled_int8[bits_index(bits)], {bits, dim, stride, rows}, true,
                     random);
      }
    }
  }
}

TEST_P(EveryLevel, DecodesCodes) {
  std::mt19937 random(12);
  std::normal_distribution<float> normal;
  for (const std::size_t dim : dims()) {
    for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8}) {
      const std::size_t bytes = code_bytes(bits, dim);
      const Fenced codes(bytes), memory(4 * dim);
      for (std::size_t i = 0; i < bytes; ++i) {
        codes.at_end()[i] = static_cast<unsigned char>(random());
      }
      auto* const out = reinterpret_cast<float*>(memory.at_end());
      std::vector<float> base(dim);
      for (float& x : base) x = normal(random);
      std::copy(base.begin(), base.end(), out);
      const float low = normal(random), step = normal(random);
      table().decode_codes(bits, codes.at_end(), dim, low, step, out, out);
      for (std::size_t j = 0; j < dim; ++j) {
        const double moved = double{step} * code_at(bits, codes.at_end(), dim, j);
        ASSERT_NEAR(out[j], base[j] + low + moved,
                    3e-7 * (std::abs(base[j]) + std::abs(low) + std::abs(moved)))
            << bits << " bits, dim " << dim << ", at " << j;
      }
    }
  }
}

TEST_P(EveryLevel, TransformsAsTheMatrixDoes) {
  std::mt19937 random(13);
  std::normal_distribution<float> normal;
  for (std::size_t n = 1; n <= 512; n *= 2) {
    const Fenced memory(4 * n);
    auto* const x = reinterpret_cast<float*>(memory.at_end());
    for (std::size_t i = 0; i < n; ++i) x[i] = normal(random);
    const std::vector<float> before(x, x + n);
    std::vector<float> portable = before;
    table().hadamard(x, n, 0.25f);
    tables_for(Level::scalar).hadamard(portable.data(), n, 0.25f);
    for (std::size_t i = 0; i < n; ++i) {
      double want = 0;
      for (std::size_t j = 0; j < n; ++j) {
        want += std::popcount(i & j) % 2 == 0 ? 0.25 * before[j] : -0.25 * before[j];
      }
      ASSERT_NEAR(x[i], want, 1e-6 * static_cast<double>(n)) << n << " values, at " << i;
      ASSERT_EQ(x[i], portable[i]) << n << " values, at " << i;
    }
  }
}

TEST_P(EveryLevel, MultipliesMixesAndAddsUp) {
  std::mt19937 random(14);
  std::normal_distribution<float> normal;
  for (const std::size_t n : dims()) {
    const Fenced first(4 * n), second(4 * n);
    auto* const a = reinterpret_cast<float*>(first.at_end());
    auto* const b = reinterpret_cast<float*>(second.at_end());
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) a[i] = normal(random), b[i] = normal(random), total += a[i];
    EXPECT_NEAR(table().sum(a, n), total, 1e-6 * static_cast<double>(n));
    const std::vector<float> before(a, a + n), other(b, b + n);
    table().multiply(a, b, n);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(a[i], before[i] * other[i]);
    std::copy(before.begin(), before.end(), a);
    table().butterfly(a, b, n, 0.7f);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(a[i], (before[i] + other[i]) * 0.7f);
      ASSERT_EQ(b[i], (before[i] - other[i]) * 0.7f);
    }
  }
}

TEST_P(EveryLevel, CountsDifferingBits) {
  std::mt19937 random(4);
  for (const std::size_t bytes : dims()) {
    const std::size_t stride = bytes + random() % 3, rows = 1 + random() % 20;
    const Fenced query_memory(bytes), memory(rows * stride);
    unsigned char* query = query_memory.at_end();
    unsigned char* base = memory.at_end();
    for (std::size_t i = 0; i < bytes; ++i) query[i] = static_cast<unsigned char>(random());
    for (std::size_t i = 0; i < rows * stride; ++i) base[i] = static_cast<unsigned char>(random());
    std::vector<std::uint32_t> want(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < bytes; ++j) {
        want[i] += static_cast<std::uint32_t>(
            std::popcount(static_cast<unsigned>(query[j] ^ base[i * stride + j])));
      }
    }
    std::vector<std::uint32_t> many(rows);
    table().hamming_many(query, base, stride, rows, bytes, many.data());
    EXPECT_EQ(many, want) << bytes;
    std::vector<std::uint32_t> ids(random() % 30), gathered(ids.size()), chosen;
    for (auto& id : ids) {
      id = static_cast<std::uint32_t>(random() % rows);
      chosen.push_back(want[id]);
    }
    table().hamming_gather(query, base, stride, ids.data(), ids.size(), bytes, gathered.data());
    EXPECT_EQ(gathered, chosen) << bytes;
  }
}

TEST_P(EveryLevel, WidensEveryHalfFloatExactly) {
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  std::vector<float> wide(bits.size());
  for (const ElementType type : {ElementType::f16, ElementType::bf16}) {
    table().to_float[static_cast<int>(type)](bits.data(), bits.size(), wide.data());
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const auto want =
          static_cast<float>(element(type, reinterpret_cast<const unsigned char*>(bits.data()), i));
      if (std::isnan(want)) {
        ASSERT_TRUE(std::isnan(wide[i])) << i;
      } else {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(wide[i]), std::bit_cast<std::uint32_t>(want)) << i;
      }
    }
  }
}

TEST_P(EveryLevel, NarrowsLikeTheScalarConversion) {
  std::mt19937 random(5);
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i)
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  std::normal_distribution<float> normal(0, 100);
  for (int i = 0; i < 20000; ++i) values.push_back(normal(random));
  for (int i = -300; i <= 300; ++i) values.push_back(static_cast<float>(i) / 2);
  values.insert(values.end(), {0.0f, -0.0f, 65504.0f, 65519.9f, 65520.0f, 6e-8f, 2.9e-8f, 1e-7f,
                               std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(), 6.1e-5f});
  for (const ElementType type : kTypes) {
    if (type == ElementType::f32) continue;
    const std::size_t size = size_of(type);
    for (const std::size_t n : {values.size(), std::size_t{0}, std::size_t{1}, std::size_t{33}}) {
      std::vector<unsigned char> got(n * size + 1, 0xcd), want(n * size + 1, 0xcd);
      table().from_float[static_cast<int>(type)](values.data(), n, got.data());
      tables_for(Level::scalar).from_float[static_cast<int>(type)](values.data(), n, want.data());
      for (std::size_t i = 0; i < n; ++i) {
        if (std::isnan(values[i]) && size == 2) {
          ASSERT_TRUE(std::isnan(element(type, got.data(), i)));
        } else {
          ASSERT_EQ(element(type, got.data(), i), element(type, want.data(), i)) << values[i];
        }
      }
      EXPECT_EQ(got.back(), 0xcd);
    }
  }
}

TEST_P(EveryLevel, WidensAnyCountWithoutTouchingMore) {
  std::mt19937 random(6);
  for (const ElementType type : kTypes) {
    for (std::size_t n = 0; n <= 130; ++n) {
      const Fenced from(n * size_of(type)), to(n * 4);
      fill(type, random, n, from.at_end());
      table().to_float[static_cast<int>(type)](from.at_end(), n,
                                               reinterpret_cast<float*>(to.at_end()));
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(element(ElementType::f32, to.at_end(), i), element(type, from.at_end(), i));
      }
    }
  }
}

TEST_P(EveryLevel, SelectsWhatIsAtMostTheThreshold) {
  std::mt19937 random(7);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t n = 0; n <= 200; ++n) {
    const Fenced memory(n * 4), out_memory(n * 4);
    auto* values = reinterpret_cast<float*>(memory.at_end());
    auto* out = reinterpret_cast<std::uint32_t*>(out_memory.at_end());
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = random() % 16 == 0 ? nan : static_cast<float>(random() % 10);
    }
    for (const float threshold : {-1.0f, 0.0f, 4.0f, 9.0f}) {
      std::vector<std::uint32_t> want;
      for (std::size_t i = 0; i < n; ++i) {
        if (values[i] <= threshold) want.push_back(static_cast<std::uint32_t>(i));
      }
      const std::size_t count = table().select_at_most(values, n, threshold, out);
      EXPECT_EQ(std::vector<std::uint32_t>(out, out + count), want);
    }
  }
}

TEST_P(EveryLevel, CountsWhatIsAtMostTheThreshold) {
  std::mt19937 random(7);
  for (std::size_t n = 0; n <= 200; ++n) {
    const Fenced memory(n * 4);
    auto* values = reinterpret_cast<float*>(memory.at_end());
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(random() % 10);
    for (const float threshold : {-1.0f, 0.0f, 4.0f, 9.0f}) {
      const auto want =
          std::count_if(values, values + n, [&](float value) { return value <= threshold; });
      EXPECT_EQ(table().count_at_most(values, n, threshold), static_cast<std::size_t>(want));
    }
  }
}

TEST_P(EveryLevel, UnpacksNumbersOfAnyWidth) {
  std::mt19937 random(9);
  for (int bits = 1; bits <= 32; ++bits) {
    for (const std::size_t n : {1, 2, 7, 15, 16, 17, 31, 32, 48, 63, 64, 100}) {
      std::vector<std::uint32_t> numbers(n), found(n);
      for (std::uint32_t& number : numbers) {
        number = static_cast<std::uint32_t>(random()) >> (32 - bits);
      }
      const Fenced packed((n * static_cast<std::size_t>(bits) + 7) / 8);
      pack_bits(numbers.data(), bits, n, packed.at_end());
      table().unpack_bits(packed.at_end(), bits, n, found.data());
      ASSERT_EQ(found, numbers) << bits << " bits, " << n;
    }
  }
}

TEST_P(EveryLevel, FindsNormExtremesAndBadValues) {
  std::mt19937 random(8);
  std::normal_distribution<float> normal;
  for (const std::size_t n : dims()) {
    const Fenced memory(n * 4);
    auto* x = reinterpret_cast<float*>(memory.at_end());
    double squares = 0;
    float least = std::numeric_limits<float>::infinity(), most = -least;
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = normal(random);
      squares += double{x[i]} * x[i];
      least = std::min(least, x[i]), most = std::max(most, x[i]);
    }
    EXPECT_NEAR(table().norm_squared(x, n), squares, 1e-5 * squares);
    float low = 0, high = 0;
    table().min_max(x, n, &low, &high);
    EXPECT_EQ(low, least);
    EXPECT_EQ(high, most);
    EXPECT_TRUE(table().all_finite(x, n));
    for (const float bad :
         {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()}) {
      const std::size_t at = random() % n;
      const float kept = x[at];
      x[at] = bad;
      EXPECT_FALSE(table().all_finite(x, n)) << at << " of " << n;
      x[at] = kept;
    }
  }
}

TEST_P(EveryLevel, CosineOfAZeroVectorIsZero) {
  const std::vector<float> zero(100, 0.0f), one(100, 1.0f);
  const RowKernels& kernels = table().float_query[0][static_cast<int>(Op::cosine)];
  for (const auto& [q, x] : {std::pair(&zero, &one), std::pair(&one, &zero)}) {
    float out = -1;
    kernels.many(q->data(), x->data(), 400, 1, 100, &out);
    EXPECT_EQ(out, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Simd, EveryLevel, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST(PackQuery, PacksAZeroQueryAsZeros) {
  alignas(64) std::int8_t packed[128];
  std::memset(packed, 7, sizeof(packed));
  const std::vector<float> zero(100, 0.0f);
  EXPECT_EQ(pack_query(4, zero.data(), 100, packed), 1);
  for (const std::int8_t value : packed) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace kith::simd

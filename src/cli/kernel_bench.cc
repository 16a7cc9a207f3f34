#include "cli/kernel_bench.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/storage.h"

namespace kith::cli {
namespace {

using simd::KernelTable;
using simd::Op;
using simd::RowKernels;
using simd::ScaledKernels;
using simd::ScaledQuery;

constexpr std::size_t kBatch = 16;          // ids a gather: about a node's unvisited neighbours
constexpr std::size_t kCacheBytes = 32768;  // within the first-level cache, beside the query
constexpr std::size_t kMaxQueryBytes = 16384;

// Valid as a value of every element type, as the rows are.
const std::byte* query_bytes() {
  static const Storage query = [] {
    Storage bytes(kMaxQueryBytes + 64);
    std::fill_n(bytes.mutable_data(), bytes.size(), std::byte{0x3d});
    return bytes;
  }();
  const auto address = reinterpret_cast<std::uintptr_t>(query.data());
  return query.data() + (64 - address % 64) % 64;
}

template <class Pick>
Kernel row_kernel(std::string name, std::size_t element, double MachinePeaks::*unit, Pick pick) {
  return {std::move(name), static_cast<double>(element), 0, unit,
          [pick](const KernelTable& table, const void* rows, std::size_t stride,
                 const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
            const RowKernels& k = pick(table);
            if (ids != nullptr) return k.gather(query_bytes(), rows, stride, ids, n, dim, out);
            k.many(query_bytes(), rows, stride, n, dim, out);
          }};
}

Kernel float_query(std::string name, ElementType type, Op op) {
  return row_kernel(std::move(name), size_of(type), &MachinePeaks::fma,
                    [=](const KernelTable& t) -> const RowKernels& {
                      return t.float_query[simd::index_of(type)][simd::index_of(op)];
                    });
}

Kernel same_type(std::string name, ElementType type, Op op, double MachinePeaks::*unit) {
  return row_kernel(std::move(name), size_of(type), unit,
                    [=](const KernelTable& t) -> const RowKernels& {
                      return t.same_type[simd::index_of(type)][simd::index_of(op)];
                    });
}

Kernel scaled(std::string name, int bits, bool int8) {
  return {std::move(name), bits / 8.0, 12, int8 ? &MachinePeaks::vnni : &MachinePeaks::fma,
          [=](const KernelTable& table, const void* rows, std::size_t stride,
              const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
            const std::size_t which = simd::bits_index(bits);
            const ScaledKernels& k = int8 ? table.scaled_int8[which] : table.scaled_float[which];
            const ScaledQuery query{query_bytes(), 1, 1, 1, 1};
            if (ids != nullptr) return k.gather(query, rows, stride, ids, n, dim, out);
            k.many(query, rows, stride, n, dim, out);
          }};
}

Kernel hamming() {
  return {"hamming", 1.0 / 8, 0, &MachinePeaks::popcount,
          [](const KernelTable& table, const void* rows, std::size_t stride,
             const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
            auto* counts = reinterpret_cast<std::uint32_t*>(out);
            const std::size_t bytes = (dim + 7) / 8;
            if (ids != nullptr) {
              return table.hamming_gather(query_bytes(), rows, stride, ids, n, bytes, counts);
            }
            table.hamming_many(query_bytes(), rows, stride, n, bytes, counts);
          }};
}

// Rows as an index keeps them: floats back to back, codes in 64-byte multiples where that costs
// less than a fifth.
std::size_t stride_of(const Kernel& kernel, std::size_t dim) {
  const std::size_t bytes = kernel.row_bytes(dim), padded = (bytes + 63) / 64 * 64;
  const std::size_t unit =
      kernel.bytes_per_dim > 1 ? static_cast<std::size_t>(kernel.bytes_per_dim) : 1;
  return padded * 5 <= bytes * 6 ? padded : (bytes + unit - 1) / unit * unit;
}

void prefetch(const std::byte* rows, std::size_t stride, std::size_t bytes,
              const std::uint32_t* ids) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    const std::byte* row = rows + ids[i] * stride;
    for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(row + at);
  }
}

std::vector<std::uint32_t> random_ids(std::size_t count, std::size_t rows) {
  std::vector<std::uint32_t> ids(count);
  std::uint64_t state = 7;
  for (auto& id : ids) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    id = static_cast<std::uint32_t>(((state >> 32) * rows) >> 32);
  }
  return ids;
}

struct Limit {
  double seconds;
  std::string name;
};

Limit tightest(const std::vector<Limit>& limits) {
  return *std::max_element(limits.begin(), limits.end(),
                           [](const Limit& a, const Limit& b) { return a.seconds < b.seconds; });
}

std::string unit_name(double MachinePeaks::*unit) {
  if (unit == &MachinePeaks::fma) return "fma";
  if (unit == &MachinePeaks::vnni) return "vnni";
  return unit == &MachinePeaks::bf16 ? "bf16" : "popcount";
}

// The least time a row can take. A kernel whose unit this level lacks is bound by what it loads.
Limit limit_of(const Kernel& kernel, std::size_t dim, std::size_t stride, Form form, bool in_cache,
               const MachinePeaks& peaks) {
  const auto bytes = static_cast<double>(kernel.row_bytes(dim));
  std::vector<Limit> limits = {{bytes / peaks.cache_load, "load"}};
  if (peaks.*kernel.unit > 0) {
    limits.push_back({static_cast<double>(dim) / (peaks.*kernel.unit), unit_name(kernel.unit)});
  }
  if (!in_cache && form == Form::many) {
    limits.push_back({static_cast<double>(stride) / peaks.stream, "stream"});
  }
  if (!in_cache && form == Form::gather) {
    // Lines after a row's first come in order, so streaming bounds them.
    const double rest = std::max(0.0, bytes - 64);
    limits.push_back({1 / peaks.random_huge + rest / peaks.stream, "random"});
  }
  return tightest(limits);
}

}  // namespace

std::size_t Kernel::row_bytes(std::size_t dim) const {
  return static_cast<std::size_t>(std::ceil(bytes_per_dim * static_cast<double>(dim))) +
         extra_bytes;
}

std::vector<Kernel> all_kernels() {
  constexpr auto fma = &MachinePeaks::fma, vnni = &MachinePeaks::vnni, bf16 = &MachinePeaks::bf16;
  return {
      float_query("f32 l2", ElementType::f32, Op::l2),
      float_query("f32 dot", ElementType::f32, Op::dot),
      float_query("f32 cosine", ElementType::f32, Op::cosine),
      float_query("f16 l2, float query", ElementType::f16, Op::l2),
      float_query("f16 dot, float query", ElementType::f16, Op::dot),
      float_query("bf16 l2, float query", ElementType::bf16, Op::l2),
      float_query("i8 l2, float query", ElementType::i8, Op::l2),
      float_query("u8 l2, float query", ElementType::u8, Op::l2),
      same_type("f16 dot", ElementType::f16, Op::dot, fma),
      same_type("bf16 dot", ElementType::bf16, Op::dot, bf16),
      same_type("bf16 l2", ElementType::bf16, Op::l2, fma),
      same_type("i8 dot", ElementType::i8, Op::dot, vnni),
      same_type("i8 l2", ElementType::i8, Op::l2, vnni),
      same_type("u8 dot", ElementType::u8, Op::dot, vnni),
      same_type("u8 l2", ElementType::u8, Op::l2, vnni),
      scaled("4-bit codes, float query", 4, false),
      scaled("8-bit codes, float query", 8, false),
      scaled("1-bit codes, int8 query", 1, true),
      scaled("2-bit codes, int8 query", 2, true),
      scaled("3-bit codes, int8 query", 3, true),
      scaled("4-bit codes, int8 query", 4, true),
      scaled("5-bit codes, int8 query", 5, true),
      scaled("6-bit codes, int8 query", 6, true),
      scaled("7-bit codes, int8 query", 7, true),
      scaled("8-bit codes, int8 query", 8, true),
      hamming(),
  };
}

KernelTime time_kernel(const Kernel& kernel, const KernelTable& table, std::size_t dim, Form form,
                       bool in_cache, std::span<const std::byte> memory, const MachinePeaks& peaks,
                       double seconds) {
  KernelTime time;
  time.stride = stride_of(kernel, dim);
  const std::size_t bytes = in_cache ? kCacheBytes : memory.size();
  const std::size_t rows = bytes / time.stride;
  const std::size_t row_bytes = kernel.row_bytes(dim);
  std::size_t per_run = 0, at = 0;
  std::function<void()> run;
  std::vector<float> out(std::max(rows, kBatch));
  std::vector<std::uint32_t> ids;
  if (form == Form::many) {
    per_run = std::min<std::size_t>(rows, (1u << 20) / time.stride);
    run = [&] {
      if (at + per_run > rows) at = 0;
      kernel.score(table, memory.data() + at * time.stride, time.stride, nullptr, per_run, dim,
                   out.data());
      at += in_cache ? 0 : per_run;
    };
  } else {
    ids = random_ids(in_cache ? 4096 : 1u << 20, rows);
    per_run = kBatch;
    run = [&] {
      const std::size_t next = at + 2 * kBatch <= ids.size() ? at + kBatch : 0;
      if (!in_cache) prefetch(memory.data(), time.stride, row_bytes, ids.data() + next);
      kernel.score(table, memory.data(), time.stride, ids.data() + at, kBatch, dim, out.data());
      at = next;
    };
  }
  time.seconds = seconds_per_run(run, seconds, 5) / static_cast<double>(per_run);
  const Limit limit = limit_of(kernel, dim, time.stride, form, in_cache, peaks);
  time.bound = limit.seconds;
  time.limit = limit.name;
  return time;
}

double time_naive(std::size_t dim, std::span<const std::byte> memory) {
  const auto* query = reinterpret_cast<const float*>(query_bytes());
  const auto* row = reinterpret_cast<const float*>(memory.data());
  return seconds_per_run(
      [&] {
        float sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += (query[i] - row[i]) * (query[i] - row[i]);
        __asm__ volatile("" : : "r"(&sum) : "memory");
      },
      0.002, 5);
}

}  // namespace kith::cli

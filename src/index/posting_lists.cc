#include "index/posting_lists.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kith/half.h"
#include "simd/kernels.h"

namespace kith {
namespace {

constexpr std::size_t kAlign = 4;

std::size_t windows_of(std::size_t docs) { return (docs + kWindow - 1) / kWindow; }
std::size_t groups_of(std::size_t docs) {
  return (windows_of(docs) + kWindowGroup - 1) / kWindowGroup;
}
std::size_t aligned(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

template <class T>
void append(std::vector<std::byte>& out, T value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

std::uint8_t weight_code(float weight, float step) {
  const float code = std::nearbyint(weight / step);
  return static_cast<std::uint8_t>(std::clamp(code, 1.0f, Postings::kMostCode));
}

void append_payload(const ListSource& source, std::size_t i, float step,
                    std::vector<std::byte>& out) {
  switch (source.payload) {
    case Payload::counts:
      return append(out, static_cast<std::uint8_t>(source.weights[i]));
    case Payload::f32:
      return append(out, source.weights[i]);
    case Payload::f16:
      return append(out, Half(source.weights[i]));
    case Payload::u8:
      return append(out, weight_code(source.weights[i], step));
  }
}

// The least code whose weight is not below `weight`.
std::uint8_t bound_code(float weight, float step) {
  float code = std::min(std::floor(weight / step), Postings::kMostCode);
  while (code * step < weight && code < Postings::kMostCode) ++code;
  return static_cast<std::uint8_t>(code);
}

int width(std::uint32_t largest) { return static_cast<int>(std::bit_width(largest)); }

std::size_t packed_size(std::size_t n, int bits) {
  return (n * static_cast<std::size_t>(bits) + 7) / 8;
}

void append_packed(std::span<const std::uint32_t> numbers, int bits, std::vector<std::byte>& out) {
  if (bits == 0) return;
  const std::size_t at = out.size();
  out.resize(at + packed_size(numbers.size(), bits));
  simd::pack_bits(numbers.data(), bits, numbers.size(), out.data() + at);
}

// Numbers of 0 to 32 bits from the front of `from`, which is moved past them.
bool take_packed(std::span<const std::byte>& from, std::size_t n, int bits, std::uint32_t* out) {
  const std::size_t bytes = packed_size(n, bits);
  if (bits > 32 || bytes > from.size()) return false;
  if (bits == 0) {
    std::fill_n(out, n, 0u);
  } else {
    simd::unpack_bits(from.data(), bits, n, out);
  }
  from = from.subspan(bytes);
  return true;
}

bool take_counts(std::span<const std::byte>& from, std::size_t n, int bits, std::byte* payload) {
  std::uint32_t counts[kBlock];
  if (bits > 8 || !take_packed(from, n, bits, counts)) return false;
  for (std::size_t i = 0; i < n; ++i) {
    payload[i] = static_cast<std::byte>(std::min(counts[i] + 1, 255u));
  }
  return true;
}

void write_block(const ListSource& source, std::size_t first, std::size_t n, float step,
                 std::vector<std::byte>& out) {
  std::uint32_t gaps[kBlock], counts[kBlock];
  std::uint32_t all_gaps = 0, all_counts = 0;
  const bool counted = source.payload == Payload::counts;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at = first + i;
    gaps[i] = at == 0 ? source.docs[0] : source.docs[at] - source.docs[at - 1] - 1;
    counts[i] = counted ? static_cast<std::uint32_t>(source.weights[at]) - 1 : 0;
    all_gaps |= gaps[i];
    all_counts |= counts[i];
  }
  append(out, static_cast<std::uint8_t>(width(all_gaps)));
  if (counted) append(out, static_cast<std::uint8_t>(width(all_counts)));
  append_packed({gaps, n}, width(all_gaps), out);
  if (counted) return append_packed({counts, n}, width(all_counts), out);
  for (std::size_t i = 0; i < n; ++i) append_payload(source, first + i, step, out);
}

}  // namespace

float ListSource::weight(std::size_t i) const {
  switch (payload) {
    case Payload::counts:
      return weights[i] / (weights[i] + norms[docs[i]]);
    case Payload::f16:
      return static_cast<float>(Half(weights[i]));
    default:
      return weights[i];
  }
}

float list_step(const ListSource& source) {
  float most = 0;
  for (std::size_t i = 0; i < source.docs.size(); ++i) most = std::max(most, source.weight(i));
  float step = std::max(most / Postings::kMostCode, std::numeric_limits<float>::min());
  while (step * Postings::kMostCode < most) {
    step = std::nextafter(step, std::numeric_limits<float>::infinity());
  }
  return step;
}

bool is_windowed(std::size_t count, std::size_t docs) {
  return count >= kWindowed * windows_of(docs);
}

std::size_t windowed_bytes(std::size_t count, std::size_t docs, Payload payload) {
  const std::size_t heads = groups_of(docs) * sizeof(std::uint32_t) +
                            windows_of(docs) * (sizeof(std::uint16_t) + sizeof(std::uint8_t));
  return aligned(heads + count) + count * payload_bytes(payload);
}

WindowedList windowed_parts(const std::byte* list, std::size_t count, std::size_t docs) {
  const std::size_t windows = windows_of(docs);
  const std::byte* starts = list + groups_of(docs) * sizeof(std::uint32_t);
  const std::byte* bounds = starts + windows * sizeof(std::uint16_t);
  const std::size_t heads = static_cast<std::size_t>(bounds - list) + windows;
  return {list, starts, reinterpret_cast<const std::uint8_t*>(bounds),
          reinterpret_cast<const std::uint8_t*>(bounds + windows), list + aligned(heads + count)};
}

void write_windowed(const ListSource& source, float step, std::size_t docs,
                    std::vector<std::byte>& out) {
  const std::size_t windows = windows_of(docs), begin = out.size();
  std::vector<std::uint32_t> starts(windows + 1, 0);
  std::vector<std::uint8_t> bounds(windows, 0);
  for (std::size_t i = 0; i < source.docs.size(); ++i) {
    const std::size_t window = source.docs[i] / kWindow;
    ++starts[window + 1];
    const float weight = source.payload == Payload::u8
                             ? static_cast<float>(weight_code(source.weights[i], step)) * step
                             : source.weight(i);
    bounds[window] = std::max(bounds[window], bound_code(weight, step));
  }
  for (std::size_t w = 0; w < windows; ++w) starts[w + 1] += starts[w];
  for (std::size_t w = 0; w < windows; w += kWindowGroup) append(out, starts[w]);
  for (std::size_t w = 0; w < windows; ++w) {
    append(out, static_cast<std::uint16_t>(starts[w] - starts[w - w % kWindowGroup]));
  }
  for (const std::uint8_t bound : bounds) append(out, bound);
  for (const Id doc : source.docs) append(out, static_cast<std::uint8_t>(doc % kWindow));
  out.resize(begin + aligned(out.size() - begin));
  for (std::size_t i = 0; i < source.docs.size(); ++i) append_payload(source, i, step, out);
}

void write_packed(const ListSource& source, float step, std::vector<std::byte>& out) {
  for (std::size_t first = 0; first < source.docs.size(); first += kBlock) {
    write_block(source, first, std::min(kBlock, source.docs.size() - first), step, out);
  }
}

bool read_packed(std::span<const std::byte> list, Payload kind, std::size_t limit,
                 std::span<Id> docs, std::byte* payload) {
  const bool counted = kind == Payload::counts;
  std::uint64_t next = 0;  // the least that the next document can be
  for (std::size_t first = 0; first < docs.size(); first += kBlock) {
    const std::size_t n = std::min(kBlock, docs.size() - first);
    if (list.size() < 2) return false;
    const int bits = static_cast<int>(list[0]), count_bits = static_cast<int>(list[1]);
    list = list.subspan(counted ? 2 : 1);
    Id* const block = docs.data() + first;
    if (!take_packed(list, n, bits, block)) return false;
    for (std::size_t i = 0; i < n; ++i) {
      next += block[i];
      block[i] = static_cast<Id>(next++);
    }
    if (next > limit) return false;
    std::byte* const to = payload + first * payload_bytes(kind);
    if (counted) {
      if (!take_counts(list, n, count_bits, to)) return false;
    } else {
      const std::size_t bytes = n * payload_bytes(kind);
      if (bytes > list.size()) return false;
      std::memcpy(to, list.data(), bytes);
      list = list.subspan(bytes);
    }
  }
  return true;
}

void payload_to_float(Payload kind, const std::byte* payload, std::size_t count, float step,
                      float* out) {
  const auto* codes = reinterpret_cast<const std::uint8_t*>(payload);
  switch (kind) {
    case Payload::counts:
      for (std::size_t i = 0; i < count; ++i) out[i] = codes[i];
      return;
    case Payload::u8:
      for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(codes[i]) * step;
      return;
    case Payload::f32:
      std::memcpy(out, payload, count * sizeof(float));
      return;
    case Payload::f16:
      for (std::size_t i = 0; i < count; ++i) {
        Half half;
        std::memcpy(&half, payload + i * sizeof half, sizeof half);
        out[i] = static_cast<float>(half);
      }
      return;
  }
}

}  // namespace kith

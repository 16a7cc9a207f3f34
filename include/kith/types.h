// The words shared by every part: ids, metrics and element types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kith {

// A vector's row number in its collection. An index holds at most kMaxVectors of them.
using Id = std::uint32_t;
inline constexpr Id kNoId = 0xffffffffu;                 // "no vector": pads short results
inline constexpr std::size_t kMaxVectors = 0x7fffffffu;  // ids must also fit an .ibin file's int32
inline constexpr std::size_t kMaxDim = 65536;

// How two vectors are compared. Inside, every metric is a distance (smaller is nearer); what people
// see is the customary value: squared Euclidean distance, inner product, cosine similarity.
enum class Metric : std::uint8_t { l2 = 0, ip = 1, cosine = 2 };

// What one component is stored as.
enum class ElementType : std::uint8_t { f32 = 0, f16 = 1, bf16 = 2, i8 = 3, u8 = 4 };

std::string_view name(Metric metric);
std::string_view name(ElementType type);
Metric parse_metric(std::string_view text);  // throws invalid_argument naming the choices
std::size_t size_of(ElementType type);

// Distance (smaller is nearer) <-> the metric's customary value. l2: itself; ip: negated;
// cosine: 1 - distance.
float customary(Metric metric, float distance);
float distance_from_customary(Metric metric, float value);

}  // namespace kith

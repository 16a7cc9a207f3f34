// One list of an inverted index as bytes, in either of the two forms that postings.h describes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/postings.h"

namespace kith {

// A list before it is written. `norms` has one a document, for counts.
struct ListSource {
  std::span<const Id> docs;
  std::span<const float> weights;  // or counts
  Payload payload = Payload::f32;
  std::span<const float> norms;

  // The weight of posting i as a search will see it, codes excepted.
  float weight(std::size_t i) const;
};

// The largest weight in 255 parts, rounded up so that 255 of them are not below it.
float list_step(const ListSource& source);

bool is_windowed(std::size_t count, std::size_t docs);

// Bytes of a windowed list.
std::size_t windowed_bytes(std::size_t count, std::size_t docs, Payload payload);
// Where its parts lie, from its first byte on.
WindowedList windowed_parts(const std::byte* list, std::size_t count, std::size_t docs);

// Append a list to `out`, which a windowed one needs to be a multiple of four bytes long.
void write_windowed(const ListSource& source, float step, std::size_t docs,
                    std::vector<std::byte>& out);
void write_packed(const ListSource& source, float step, std::vector<std::byte>& out);

// Reads a packed list of as many postings as `docs` has, all below `limit`. `payload` has
// payload_bytes for each. False when the bytes can't be such a list.
bool read_packed(std::span<const std::byte> list, Payload kind, std::size_t limit,
                 std::span<Id> docs, std::byte* payload);

// Decoded payloads as weights (codes times `step`) or counts.
void payload_to_float(Payload kind, const std::byte* payload, std::size_t count, float step,
                      float* out);

}  // namespace kith

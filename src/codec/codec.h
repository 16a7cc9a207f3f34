// What a codec is: how vectors are stored and scored. Search is written once, generic over this
// concept; the run-time choice is made once, at the index's door, by visiting AnyCodec (any.h).
//
// Rows go in as floats, already normalised under cosine (byte codecs keep raw bytes and normalise
// by a stored scale) and already transformed. Distances come out: smaller is nearer.
//
//   C codec(dim, metric);
//   codec.train(sample);              // fixes what is learned from data (a mean, ranges)
//   codec.resize(rows);               // makes room
//   codec.encode(id, x);              // distinct ids may be encoded by different threads
//   C::Query query;                   // reusable: preparing again allocates nothing
//   codec.prepare(q, query);
//   codec.score(query, ids, n, out);  // fast: what search walks on
//   codec.score_best(query, ids, n, out);        // the codec's best accuracy: what re-ranks
//   codec.score_range(query, first, n, out);     // score() of consecutive rows
//   codec.code(id);                   // the bytes that score() reads: equal codes score alike
//
// `error_bound(id)` bounds the Euclidean distance between a vector and its decoded form. const
// functions are thread-safe.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/kith_file.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

using ByteCounts = std::vector<std::pair<std::string, std::size_t>>;

template <class C>
concept Codec = std::constructible_from<C, std::size_t, Metric> &&
                requires(C& codec, const C& stored, typename C::Query& query,
                         MatrixView<const float> sample, const float* x, float* out, const Id* ids,
                         Id id, std::size_t n, KithFileWriter& writer, const KithFileReader& reader,
                         Meta& meta, const Meta& read_meta, const std::string& prefix) {
                  codec.train(sample);
                  codec.resize(n);
                  codec.encode(id, x);
                  stored.decode(id, out);
                  { stored.error_bound(id) } -> std::convertible_to<float>;
                  stored.prepare(x, query);
                  stored.score(query, ids, n, out);
                  stored.score_best(query, ids, n, out);
                  stored.score_range(query, id, n, out);
                  { stored.code(id) } -> std::same_as<std::span<const std::byte>>;
                  stored.prefetch(id);
                  stored.prefetch_best(id);
                  { stored.size() } -> std::convertible_to<std::size_t>;
                  { stored.dim() } -> std::convertible_to<std::size_t>;
                  { stored.bytes() } -> std::same_as<ByteCounts>;
                  stored.save(writer, meta, prefix);
                  codec.load(reader, read_meta, prefix, n);
                };

// A codec whose codes can be relative to an origin of the caller's, the centre of a list or a node
// of a graph, where a vector lies nearer than to the collection's mean:
//
//   codec.encode(id, x, origin);
//   codec.decode(id, origin, out);
//   codec.prepare(q, query);          // once a query
//   codec.move_to(q, origin, query);  // score() is then of codes relative to this origin
//   codec.estimate_error(query, id);  // how far it may be off, with a stated confidence
//
// Who owns the codes knows their origins; the codec doesn't store them.
template <class C>
concept CodecWithOrigin =
    Codec<C> && requires(C& codec, const C& stored, typename C::Query& query, const float* x,
                         const float* origin, float* out, Id id) {
      codec.encode(id, x, origin);
      stored.decode(id, origin, out);
      stored.move_to(x, origin, query);
      { stored.estimate_error(query, id) } -> std::convertible_to<float>;
    };

// A codec for which a vector is one run of bytes, so that vectors can be kept in a file of records
// and brought back one by one:
//
//   C some = codec.without_rows();  // what was learned, no vectors
//   some.resize(n);
//   codec.get_record(id, bytes);    // record_bytes() of them
//   some.put_record(i, bytes);      // i scores and decodes as id did
template <class C>
concept CodecWithRecords =
    Codec<C> && requires(C& codec, const C& stored, std::byte* out, const std::byte* in, Id id) {
      { stored.without_rows() } -> std::same_as<C>;
      { stored.record_bytes() } -> std::convertible_to<std::size_t>;
      stored.get_record(id, out);
      codec.put_record(id, in);
    };

// Makes a query of a vector like those that are stored, where a codec may read queries otherwise.
template <Codec C>
void prepare_row(const C& codec, const float* x, typename C::Query& query) {
  if constexpr (requires { codec.prepare_row(x, query); }) {
    codec.prepare_row(x, query);
  } else {
    codec.prepare(x, query);
  }
}

// The same of a stored one: its code is one already, or it is decoded into `x`, room for dim()
// floats.
template <Codec C>
void prepare_stored(const C& codec, Id id, float* x, typename C::Query& query) {
  if constexpr (requires { codec.prepare_code(id, query); }) {
    codec.prepare_code(id, query);
  } else {
    codec.decode(id, x);
    codec.prepare(x, query);
  }
}

// Whether score() reads less of a code than score_best() does.
template <class C>
inline constexpr bool kHasTwoLevels = requires { requires C::kTwoLevels; };
// Whether it says all that score_best() does: what was scanned needs no second look.
template <class C>
inline constexpr bool kScoresBest = requires { requires C::kScoresBest; };

// Asks the cache for the lines of `bytes` bytes, which may begin anywhere in a line: that of the
// last byte, too, though it is mostly asked for already.
inline void prefetch_bytes(const std::byte* address, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(address + i, 0, 3);
  __builtin_prefetch(address + bytes - 1, 0, 3);
}

}  // namespace kith

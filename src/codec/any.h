// One of the codecs, chosen at run time by name. Adding a codec: a file that models Codec, a line
// here, a name in spec.cc.
#pragma once

#include <string>
#include <variant>

#include "codec/bits.h"
#include "codec/lvq.h"
#include "codec/plain.h"
#include "codec/rabitq.h"
#include "codec/sq8.h"
#include "codec/vq.h"

namespace kith {

using AnyCodec = std::variant<Plain<float>, Plain<Half>, Plain<BFloat16>, Plain<std::uint8_t>,
                              Plain<std::int8_t>, Sq8, Lvq<4>, Lvq<8>, Lvq<4, 4>, Lvq<4, 8>,
                              Lvq<8, 8>, Rabitq, Bits, Vq>;

template <class... C>
consteval bool all_are_codecs(std::variant<C...>*) {
  return (Codec<C> && ...);
}
static_assert(all_are_codecs(static_cast<AnyCodec*>(nullptr)));
static_assert(CodecWithOrigin<Rabitq>);

// `name` is one of codec_names().
AnyCodec make_codec(const std::string& name, std::size_t dim, Metric metric);

}  // namespace kith

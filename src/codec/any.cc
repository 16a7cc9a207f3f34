#include "codec/any.h"

#include "codec/spec.h"
#include "kith/error.h"

namespace kith {

AnyCodec make_codec(const std::string& name, std::size_t dim, Metric metric) {
  if (name == "f32") return Plain<float>(dim, metric);
  if (name == "f16") return Plain<Half>(dim, metric);
  if (name == "bf16") return Plain<BFloat16>(dim, metric);
  if (name == "u8") return Plain<std::uint8_t>(dim, metric);
  if (name == "i8") return Plain<std::int8_t>(dim, metric);
  if (name == "sq8") return Sq8(dim, metric);
  if (name == "lvq4") return Lvq<4>(dim, metric);
  if (name == "lvq8") return Lvq<8>(dim, metric);
  if (name == "lvq4x4") return Lvq<4, 4>(dim, metric);
  if (name == "lvq4x8") return Lvq<4, 8>(dim, metric);
  if (name == "lvq8x8") return Lvq<8, 8>(dim, metric);
  if (const int bits = rabitq_bits(name); bits != 0) return Rabitq(dim, metric, bits);
  if (const auto word = bits_word(name)) return Bits(dim, metric, *word);
  if (const auto word = vq_word(name)) return Vq(dim, metric, *word);
  throw Error(ErrorCode::invalid_argument,
              "unknown codec '" + name + "', expected one of " + codec_names());
}

}  // namespace kith

#include "index/verifier_content.h"

#include <vector>

#include "formats/fuzz_repair.h"
#include "kith/error.h"

namespace {

// A vector that came from the other file, by what this one says of the codec.
template <class C>
void use_codec(const C& codec) {
  if constexpr (kith::CodecWithRecords<C>) {
    C one = codec.without_rows();
    one.resize(1);
    const std::vector<std::byte> record(codec.record_bytes(), std::byte{0x2c});
    one.put_record(0, record.data());
    std::vector<float> x(codec.dim(), 0.25F);
    typename C::Query query;
    one.prepare(x.data(), query);
    const kith::Id id = 0;
    float distance = 0;
    one.score_best(query, &id, 1, &distance);
    one.decode(0, x.data());
  }
}

void use(std::span<const std::byte> bytes, bool verify) {
  kith::Control control;
  control.threads = 1;
  const auto reader = kith::KithFileReader::parse(bytes, "fuzz", verify, nullptr, control);
  const kith::VerifierContent content = kith::read_verifier(reader);
  std::vector<float> x(content.dim, 0.5F);
  content.stage.transform_query(x.data());
  std::visit([](const auto& codec) { use_codec(codec); }, content.stage.codec());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kith::formats::try_to_read(data, size, use);
  return 0;
}

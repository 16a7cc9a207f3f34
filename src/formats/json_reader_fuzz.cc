#include "formats/json_reader.h"

#include "formats/fuzz_reading.h"

// Any value at all, then as an array of strings, of floats and of whole numbers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using kith::formats::JsonReader;
  const kith::formats::Input in = kith::formats::fuzz_input(data, size);
  const auto attempt = [&](auto read) {
    JsonReader json(in, 0, size);
    try {
      read(json);
      json.end();
    } catch (const kith::Error&) {
    }
  };
  attempt([](JsonReader& json) { json.skip(); });
  attempt([](JsonReader& json) { json.array([&] { json.string(); }); });
  attempt([](JsonReader& json) { json.array([&] { json.number(); }); });
  attempt([](JsonReader& json) { json.array([&] { json.whole(); }); });
  return 0;
}

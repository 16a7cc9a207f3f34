#include "codec/spec.h"

#include <algorithm>
#include <array>

#include "kith/error.h"

namespace kith {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"f32", "f16",  "bf16", "u8",     "i8",
                                                     "sq8", "lvq4", "lvq8", "lvq4x4", "lvq4x8"};

void check(std::string_view word, std::string_view whole) {
  if (std::find(kNames.begin(), kNames.end(), word) == kNames.end()) {
    throw Error(ErrorCode::invalid_argument, "codec '" + std::string(whole) + "': unknown codec '" +
                                                 std::string(word) + "', expected one of " +
                                                 codec_names());
  }
}

}  // namespace

std::string codec_names() {
  std::string text;
  for (std::string_view name : kNames) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string CodecSpec::name() const {
  std::string text = rotate ? "rot-" : "";
  text += primary;
  if (!rerank.empty()) text += "+" + rerank;
  return text;
}

CodecSpec CodecSpec::parse(std::string_view name) {
  CodecSpec spec;
  std::string_view rest = name;
  const std::size_t plus = rest.find('+');
  if (plus != std::string_view::npos) {
    check(rest.substr(plus + 1), name);
    spec.rerank = std::string(rest.substr(plus + 1));
    rest = rest.substr(0, plus);
  }
  const std::size_t dash = rest.find('-');
  if (dash != std::string_view::npos) {
    if (rest.substr(0, dash) != "rot") {
      throw Error(ErrorCode::invalid_argument,
                  "codec '" + std::string(name) + "': unknown transform '" +
                      std::string(rest.substr(0, dash)) + "', expected rot");
    }
    spec.rotate = true;
    rest = rest.substr(dash + 1);
  }
  check(rest, name);
  spec.primary = std::string(rest);
  return spec;
}

}  // namespace kith

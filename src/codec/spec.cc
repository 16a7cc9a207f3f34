#include "codec/spec.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "kith/error.h"
#include "kith/types.h"

namespace kith {
namespace {

constexpr std::array<std::string_view, 11> kNames = {
    "f32", "f16", "bf16", "u8", "i8", "sq8", "lvq4", "lvq8", "lvq4x4", "lvq4x8", "lvq8x8"};

std::size_t parts_of(std::string_view word) {
  std::size_t parts = 0;
  if (!word.starts_with("pq")) return 0;
  const char* const end = word.data() + word.size();
  const auto [last, error] = std::from_chars(word.data() + 2, end, parts);
  return error == std::errc{} && last == end && parts <= kMaxDim ? parts : 0;
}

void check(std::string_view word, bool may_be_product, std::string_view whole) {
  if (may_be_product && parts_of(word) != 0) return;
  if (std::find(kNames.begin(), kNames.end(), word) == kNames.end()) {
    throw Error(ErrorCode::invalid_argument, "codec '" + std::string(whole) + "': unknown codec '" +
                                                 std::string(word) + "', expected one of " +
                                                 codec_names() +
                                                 (may_be_product ? ", pqN with N parts" : ""));
  }
}

// Takes "rot-" off the front; any other transform is refused.
bool take_rotation(std::string_view& word, std::string_view whole) {
  const std::size_t dash = word.find('-');
  if (dash == std::string_view::npos) return false;
  if (word.substr(0, dash) != "rot") {
    throw Error(ErrorCode::invalid_argument,
                "codec '" + std::string(whole) + "': unknown transform '" +
                    std::string(word.substr(0, dash)) + "', expected rot");
  }
  word = word.substr(dash + 1);
  return true;
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
  std::string text = (rotate ? "rot-" : "") + primary;
  if (!rerank.empty()) text += (rotate_rerank ? "+rot-" : "+") + rerank;
  return text;
}

std::size_t CodecSpec::parts() const { return parts_of(primary); }

CodecSpec CodecSpec::refining() const {
  CodecSpec spec;
  spec.rotate = rotate_rerank;
  spec.primary = rerank;
  return spec;
}

CodecSpec CodecSpec::parse(std::string_view name) {
  CodecSpec spec;
  std::string_view rest = name;
  const std::size_t plus = rest.find('+');
  if (plus != std::string_view::npos) {
    std::string_view second = rest.substr(plus + 1);
    rest = rest.substr(0, plus);
    spec.rotate_rerank = take_rotation(second, name);
    check(second, false, name);
    spec.rerank = std::string(second);
  }
  spec.rotate = take_rotation(rest, name);
  check(rest, true, name);
  spec.primary = std::string(rest);
  return spec;
}

}  // namespace kith

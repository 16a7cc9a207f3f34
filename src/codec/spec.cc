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

// What follows `word` in `text`, a number up to kMaxDim; 0 when something else does.
std::size_t number_after(std::string_view word, std::string_view text) {
  if (!text.starts_with(word)) return 0;
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + word.size(), end, number);
  return error == std::errc{} && last == end && number <= kMaxDim ? number : 0;
}

std::size_t parts_of(std::string_view word) {
  return std::max(number_after("pq", word), number_after("opq", word));
}

void check(std::string_view word, bool may_be_product, std::string_view whole) {
  if (may_be_product && parts_of(word) != 0) return;
  if (rabitq_bits(word) != 0 || bits_word(word) || vq_word(word)) return;
  if (std::find(kNames.begin(), kNames.end(), word) == kNames.end()) {
    throw Error(ErrorCode::invalid_argument,
                "codec '" + std::string(whole) + "': unknown codec '" + std::string(word) +
                    "', expected one of " + codec_names() +
                    (may_be_product ? ", pqN or opqN with N parts" : ""));
  }
}

[[noreturn]] void refuse(std::string_view whole, const std::string& reason) {
  throw Error(ErrorCode::invalid_argument, "codec '" + std::string(whole) + "': " + reason);
}

// Takes "rot-" off the front; any other transform is refused.
bool take_rotation(std::string_view& word, std::string_view whole) {
  const std::size_t dash = word.find('-');
  if (dash == std::string_view::npos) return false;
  if (word.substr(0, dash) != "rot") {
    refuse(whole, "unknown transform '" + std::string(word.substr(0, dash)) +
                      "', expected rot or, first, leanvecN with N dimensions");
  }
  word = word.substr(dash + 1);
  if (rabitq_bits(word) != 0 || bits_word(word)) {
    refuse(whole, "'" + std::string(word) + "' rotates by itself, expected it without 'rot-'");
  }
  return true;
}

}  // namespace

std::string codec_names() {
  std::string text;
  for (std::string_view name : kNames) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text +
         ", rabitqN with N = 1 to 8 bits, signsM, itqM or bitsMxN with M dimensions of N = 1 to 4 "
         "bits, vqMxN with M parts of N = 1 to 16 bits";
}

std::optional<BitsWord> bits_word(std::string_view word) {
  constexpr std::pair<std::string_view, BitsWord::Kind> kWords[] = {
      {"bits", BitsWord::Kind::learned},
      {"itq", BitsWord::Kind::itq},
      {"signs", BitsWord::Kind::signs}};
  BitsWord found;
  const std::size_t cross = word.find('x');
  if (cross != std::string_view::npos) {
    const std::string_view bits = word.substr(cross + 1);
    if (!word.starts_with("bits") || bits.size() != 1 || bits[0] < '1' || bits[0] > '4') return {};
    found.bits = bits[0] - '0';
    word = word.substr(0, cross);
  }
  for (const auto& [name, kind] : kWords) {
    found.kind = kind;
    found.dims = number_after(name, word);
    if (found.dims != 0) return found;
  }
  return {};
}

std::string bits_name(std::size_t dims, int bits) {
  return "bits" + std::to_string(dims) + (bits == 1 ? "" : "x" + std::to_string(bits));
}

std::optional<VqWord> vq_word(std::string_view word) {
  constexpr std::size_t kMostBits = 16;
  const std::size_t cross = word.find('x');
  if (cross == std::string_view::npos) return {};
  const std::size_t parts = number_after("vq", word.substr(0, cross)),
                    bits = number_after("x", word.substr(cross));
  if (parts == 0 || bits == 0 || bits > kMostBits) return {};
  return VqWord{parts, static_cast<int>(bits)};
}

std::string vq_name(std::size_t parts, int bits) {
  return "vq" + std::to_string(parts) + "x" + std::to_string(bits);
}

int rabitq_bits(std::string_view word) {
  constexpr std::string_view kWord = "rabitq";
  if (word.size() != kWord.size() + 1 || !word.starts_with(kWord)) return 0;
  const int bits = word.back() - '0';
  return bits >= 1 && bits <= 8 ? bits : 0;
}

std::size_t take_reduction(std::string_view& word) {
  const std::size_t dash = word.find('-');
  if (dash == std::string_view::npos) return 0;
  const std::size_t reduced = number_after("leanvec", word.substr(0, dash));
  if (reduced != 0) word = word.substr(dash + 1);
  return reduced;
}

std::string CodecSpec::name() const {
  std::string text = reduced != 0 ? "leanvec" + std::to_string(reduced) + "-" : "";
  text += (rotate ? "rot-" : "") + primary;
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
  spec.reduced = take_reduction(rest);
  spec.rotate = take_rotation(rest, name);
  check(rest, spec.reduced == 0, name);
  spec.primary = std::string(rest);
  if (spec.reduced != 0 && bits_word(rest)) {
    refuse(name, "'" + spec.primary + "' reduces by itself, expected it without 'leanvec'");
  }
  if (spec.reduced != 0 && spec.rerank.empty()) {
    refuse(name, "reduced vectors need whole ones to re-rank them, for example " +
                     std::string(name) + "+f16");
  }
  return spec;
}

}  // namespace kith

#include "datasets/r_data.h"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/mapped_file.h"
#include "datasets/gzip.h"
#include "formats/bytes.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

// The types that R's serialisation has (R Internals, "Serialization Formats").
enum Type : std::uint32_t {
  kSymbol = 1,
  kPairs = 2,
  kClosure = 3,
  kEnvironment = 4,
  kPromise = 5,
  kCall = 6,
  kChars = 9,
  kLogical = 10,
  kInteger = 13,
  kReal = 14,
  kComplex = 15,
  kStrings = 16,
  kDots = 17,
  kList = 19,
  kExpressions = 20,
  kRaw = 24,
  kAltRep = 238,
  kBaseEnvironment = 241,
  kEmptyEnvironment = 242,
  kBaseNamespace = 247,
  kNamespace = 249,
  kPackage = 250,
  kMissing = 251,
  kUnbound = 252,
  kGlobalEnvironment = 253,
  kNil = 254,
  kReference = 255,
};
constexpr std::uint32_t kPersistent = 248;
constexpr int kMostDepth = 200;
constexpr std::uint32_t kNaInteger = 0x80000000u;

class Parser {
 public:
  Parser(const std::string& name, std::string_view bytes) : bytes_(bytes) { in_.name = name; }

  RValue document() {
    if (take(2) != "X\n") fail("not R's binary serialisation");
    const std::uint32_t version = whole();
    whole();  // of the writer, and the least reader
    whole();
    if (version != 2 && version != 3) fail("version " + std::to_string(version) + ", not 2 or 3");
    if (version == 3) take(length());  // the native encoding
    return value(0);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { formats::corrupt_at(in_, at_, reason); }

  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - at_) fail("the data ends too soon");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint32_t whole() {
    std::uint32_t value = 0;
    for (const char c : take(4)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  double real() {
    const std::uint64_t high = whole();
    return std::bit_cast<double>(high << 32 | whole());
  }
  // A number of things, each of which takes a byte at least.
  std::size_t length() {
    const std::uint32_t count = whole();
    if (count > bytes_.size() - at_) fail("more things than bytes are left");
    return count;
  }

  std::string chars() {
    const std::uint32_t flags = whole();
    if ((flags & 0xff) != kChars) fail("expected characters");
    const std::uint32_t size = whole();
    return size == 0xffffffffu ? std::string() : std::string(take(size));
  }

  RValue value(int depth) {
    if (depth > kMostDepth) fail("nested too deep");
    const std::uint32_t flags = whole();
    const bool has_attributes = (flags >> 9 & 1) != 0;
    RValue result;
    switch (flags & 0xff) {
      case kNil:
      case kGlobalEnvironment:
      case kBaseEnvironment:
      case kEmptyEnvironment:
      case kBaseNamespace:
      case kMissing:
      case kUnbound:
        return result;
      case kSymbol:
        names_.push_back(chars());
        result.texts = {names_.back()};
        return result;
      case kReference:
        return reference(flags >> 8);
      case kNamespace:
      case kPackage:
      case kPersistent:
        whole();
        for (std::size_t left = length(); left > 0; --left) chars();
        names_.emplace_back();
        return result;
      case kEnvironment:
        names_.emplace_back();
        whole();
        for (int part = 0; part < 4; ++part) value(depth + 1);
        return result;
      case kPairs:
      case kCall:
      case kClosure:
      case kPromise:
      case kDots:
        return pairs(flags, depth);
      case kAltRep:
        return alternative(depth);
      case kChars: {
        const std::uint32_t size = whole();
        if (size != 0xffffffffu) result.texts = {std::string(take(size))};
        return result;
      }
      case kLogical:
      case kInteger:
        for (std::size_t left = length(); left > 0; --left) result.numbers.push_back(integer());
        break;
      case kReal:
        for (std::size_t left = length(); left > 0; --left) result.numbers.push_back(real());
        break;
      case kComplex:
        for (std::size_t left = length(); left > 0; --left) take(16);
        break;
      case kRaw:
        take(length());
        break;
      case kStrings:
        for (std::size_t left = length(); left > 0; --left) result.texts.push_back(chars());
        break;
      case kList:
      case kExpressions:
        for (std::size_t left = length(); left > 0; --left) {
          result.items.push_back(value(depth + 1));
        }
        break;
      default:
        fail("type " + std::to_string(flags & 0xff) + ", which isn't data");
    }
    if (has_attributes) result.attributes = named(value(depth + 1));
    return result;
  }

  double integer() {
    const std::uint32_t bits = whole();
    if (bits == kNaInteger) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<std::int32_t>(bits);
  }

  // An earlier symbol; environments count, too.
  RValue reference(std::uint32_t index) {
    if (index == 0) index = whole();
    if (index == 0 || index > names_.size()) fail("a reference to nothing");
    RValue result;
    result.texts = {names_[index - 1]};
    return result;
  }

  // A chain of pairs as a list whose names are its tags. Closures and calls have the same form.
  RValue pairs(std::uint32_t flags, int depth) {
    RValue result, tags;
    for (;;) {
      const bool has_attributes = (flags >> 9 & 1) != 0, has_tag = (flags >> 10 & 1) != 0;
      if (has_attributes) value(depth + 1);
      const RValue tag = has_tag ? value(depth + 1) : RValue();
      tags.texts.push_back(tag.texts.empty() ? std::string() : tag.texts.front());
      result.items.push_back(value(depth + 1));
      if (at_ + 4 > bytes_.size()) fail("a list that doesn't end");
      const std::size_t before = at_;
      flags = whole();
      if ((flags & 0xff) == kPairs) continue;
      at_ = before;
      value(depth + 1);  // its end, or of a closure its body
      break;
    }
    result.attributes.push_back({"names", std::move(tags)});
    return result;
  }

  std::vector<RAttribute> named(RValue list) {
    std::vector<RAttribute> result;
    const RValue* names = list.attribute("names");
    if (names == nullptr) return result;
    if (names->texts.size() != list.items.size()) {
      fail(std::to_string(names->texts.size()) + " names of a list of " +
           std::to_string(list.items.size()));
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      result.push_back({names->texts[i], std::move(list.items[i])});
    }
    return result;
  }

  // Compact forms of vectors: ranges, and wrapped ones.
  RValue alternative(int depth) {
    const RValue info = value(depth + 1);
    RValue state = value(depth + 1);
    const RValue attributes = value(depth + 1);
    const std::string kind =
        info.items.empty() || info.items[0].texts.empty() ? "" : info.items[0].texts[0];
    RValue result;
    if (kind.starts_with("wrap_") && !state.items.empty()) {
      result = std::move(state.items[0]);
    } else if (kind.starts_with("compact_") && state.numbers.size() == 3) {
      constexpr double kMost = 1e7;
      if (!(state.numbers[0] >= 0 && state.numbers[0] <= kMost)) fail("a range without end");
      for (double i = 0; i < state.numbers[0]; ++i) {
        result.numbers.push_back(state.numbers[1] + i * state.numbers[2]);
      }
    } else {
      fail("a vector in the form '" + kind + "', which isn't read");
    }
    for (RAttribute& each : named(attributes)) result.attributes.push_back(std::move(each));
    return result;
  }

  formats::Input in_;
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::vector<std::string> names_;  // of what references point to
};

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

bool inflate(std::string_view from, std::string& to) {
  uLongf size = to.size();
  return ::uncompress(reinterpret_cast<Bytef*>(to.data()), &size, bytes_of(from), from.size()) ==
             Z_OK &&
         size == to.size();
}

// R writes LZMA2 without the frame of an .xz file.
bool decode_lzma(std::string_view from, std::string& to) {
  lzma_options_lzma options;
  if (lzma_lzma_preset(&options, 9) != 0) return false;
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  std::size_t read = 0, written = 0;
  return lzma_raw_buffer_decode(filters, nullptr, bytes_of(from), &read, from.size(),
                                reinterpret_cast<std::uint8_t*>(to.data()), &written,
                                to.size()) == LZMA_OK &&
         written == to.size();
}

// A block of a data base: four bytes of length, then what zlib compressed, or "Z" and LZMA2.
std::string decode_block(const std::string& path, std::string_view block) {
  constexpr std::size_t kHead = 4, kMost = std::size_t{1} << 30;
  std::size_t size = 0;
  for (const char c : block.substr(0, kHead)) size = size << 8 | static_cast<unsigned char>(c);
  if (block.size() <= kHead || size > kMost) {
    throw Error(ErrorCode::corrupt, path + ": a block without content");
  }
  std::string bytes(size, '\0');
  const std::string_view content = block.substr(kHead);
  const bool lzma = content.front() == 'Z';
  if (lzma ? decode_lzma(content.substr(1), bytes) : inflate(content, bytes)) return bytes;
  throw Error(ErrorCode::corrupt, path + ": a block that can't be unpacked");
}

}  // namespace

const RValue* RValue::attribute(std::string_view name) const {
  for (const RAttribute& attribute : attributes) {
    if (attribute.name == name) return &attribute.value;
  }
  return nullptr;
}

const RValue& RValue::item(std::string_view name) const {
  const RValue* names = attribute("names");
  for (std::size_t i = 0; names != nullptr && i < items.size() && i < names->texts.size(); ++i) {
    if (names->texts[i] == name) return items[i];
  }
  throw Error(ErrorCode::not_found, "R data: nothing is called '" + std::string(name) + "'");
}

std::vector<std::string> RValue::as_texts() const {
  const RValue* levels = attribute("levels");
  if (levels == nullptr) return texts;
  std::vector<std::string> result;
  for (const double number : numbers) {
    const bool known = number >= 1 && number <= static_cast<double>(levels->texts.size());
    result.push_back(known ? levels->texts[static_cast<std::size_t>(number) - 1] : std::string());
  }
  return result;
}

RValue parse_r_value(const std::string& name, std::string_view bytes) {
  return Parser(name, bytes).document();
}

RValue read_r_object(const std::string& base, const std::string& name) {
  const std::string index_path = base + ".rdx", path = base + ".rdb";
  const RValue index = parse_r_value(index_path, read_gzip(index_path));
  const RValue& place = index.item("variables").item(name);
  const auto file = MappedFile::open(path);
  const std::string_view all(reinterpret_cast<const char*>(file->bytes().data()),
                             file->bytes().size());
  const bool inside = place.numbers.size() == 2 && place.numbers[0] >= 0 && place.numbers[1] >= 0 &&
                      place.numbers[0] + place.numbers[1] <= static_cast<double>(all.size());
  if (!inside) throw Error(ErrorCode::corrupt, path + ": '" + name + "' lies beyond its end");
  return parse_r_value(path,
                       decode_block(path, all.substr(static_cast<std::size_t>(place.numbers[0]),
                                                     static_cast<std::size_t>(place.numbers[1]))));
}

}  // namespace kith::datasets

#include "formats/json_reader.h"

#include <charconv>

#include "formats/numbers.h"

namespace kith::formats {
namespace {

constexpr int kMaxDepth = 64;

void append_utf8(std::string& out, std::uint32_t c) {
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (c >> 6)));
    out.push_back(tail(c));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (c >> 12)));
    out.push_back(tail(c >> 6));
    out.push_back(tail(c));
  } else {
    out.push_back(static_cast<char>(0xf0 | (c >> 18)));
    out.push_back(tail(c >> 12));
    out.push_back(tail(c >> 6));
    out.push_back(tail(c));
  }
}

bool starts_number(const char* at, const char* end) {
  if (at != end && *at == '-') ++at;
  return at != end && *at >= '0' && *at <= '9';
}

}  // namespace

void JsonReader::expect(char c) {
  if (!accept(c))
    fail(std::string("expected '") + c + (at_ == end_ ? "', but the text ends" : "'"));
}

std::string JsonReader::string() {
  expect('"');
  std::string out;
  for (;;) {
    const char* start = at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) {
      ++at_;
    }
    out.append(start, at_);
    if (at_ == end_) fail("a string isn't closed");
    if (*at_ == '"') break;
    if (*at_ != '\\') fail("a control character inside a string");
    ++at_;
    escape(out);
  }
  ++at_;
  return out;
}

void JsonReader::escape(std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (at_ == end_) fail("a string isn't closed");
  const std::size_t letter = kLetters.find(*at_);
  if (letter != std::string_view::npos) {
    ++at_;
    out.push_back(kMeanings[letter]);
    return;
  }
  if (*at_ != 'u') fail("an unknown escape in a string");
  ++at_;
  std::uint32_t c = hex4();
  if (c >= 0xd800 && c < 0xdc00) {
    const bool pair = end_ - at_ >= 2 && at_[0] == '\\' && at_[1] == 'u';
    if (!pair) fail("half a surrogate pair in a string");
    at_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xdc00 || low > 0xdfff) fail("half a surrogate pair in a string");
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
  } else if (c >= 0xdc00 && c < 0xe000) {
    fail("half a surrogate pair in a string");
  }
  append_utf8(out, c);
}

std::uint32_t JsonReader::hex4() {
  std::uint32_t value = 0;
  if (end_ - at_ < 4) fail("a \\u escape is cut off");
  const auto [stop, error] = std::from_chars(at_, at_ + 4, value, 16);
  if (error != std::errc{} || stop != at_ + 4) fail("\\u takes four hexadecimal digits");
  at_ += 4;
  return value;
}

std::uint64_t JsonReader::whole() {
  skip_space();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(at_, end_, value);
  const bool ends = stop == end_ || (*stop != '.' && *stop != 'e' && *stop != 'E');
  if (error != std::errc{} || !ends) fail("expected a whole number that fits 64 bits");
  at_ = stop;
  return value;
}

std::string JsonReader::string_or_whole() {
  skip_space();
  return at_ != end_ && *at_ == '"' ? string() : std::to_string(whole());
}

float JsonReader::number() {
  skip_space();
  if (!starts_number(at_, end_)) fail("expected a number");
  const ParsedNumber number = parse_float(at_, end_);
  if (number.status == NumberStatus::too_large) fail("the number is too large for float32");
  if (number.status == NumberStatus::not_a_number) fail("expected a number");
  at_ = number.end;
  return number.value;
}

void JsonReader::skip() { skip_nested(0); }

void JsonReader::skip_nested(int depth) {
  if (depth > kMaxDepth) fail("nested more than " + std::to_string(kMaxDepth) + " deep");
  skip_space();
  if (at_ == end_) fail("expected a value, but the text ends");
  if (*at_ == '{') return object([&](const std::string&) { skip_nested(depth + 1); });
  if (*at_ == '[') return array([&] { skip_nested(depth + 1); });
  if (*at_ == '"') {
    string();
    return;
  }
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  for (std::string_view word : {"true", "false", "null"}) {
    if (rest.starts_with(word)) {
      at_ += word.size();
      return;
    }
  }
  if (!starts_number(at_, end_)) fail("expected a value");
  at_ = parse_float(at_, end_).end;  // of any size: it isn't used
}

void JsonReader::end() {
  skip_space();
  if (at_ != end_) fail("text after the end of the document");
}

}  // namespace kith::formats

// Reads JSON front to back without building a document: the caller asks for what should come next.
// Every malformed byte is Error{corrupt} with its position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/bytes.h"
#include "formats/format.h"

namespace kith::formats {

class JsonReader {
 public:
  // Reads bytes [begin, end) of the input.
  JsonReader(const Input& in, std::size_t begin, std::size_t end)
      : in_(in), base_(in.text().data()), at_(base_ + begin), end_(base_ + end) {}

  // Calls on_member(key) for every member of an object; it must read the value.
  template <class OnMember>
  void object(const OnMember& on_member) {
    expect('{');
    if (accept('}')) return;
    do {
      const std::string key = string();
      expect(':');
      on_member(key);
    } while (accept(','));
    expect('}');
  }

  // Calls on_element() for every element of an array; it must read it.
  template <class OnElement>
  void array(const OnElement& on_element) {
    expect('[');
    if (accept(']')) return;
    do on_element();
    while (accept(','));
    expect(']');
  }

  std::string string();
  std::uint64_t whole();          // a whole number from 0 to 2^64 - 1
  std::string string_or_whole();  // a string, or a whole number's digits
  float number();                 // throws when it doesn't fit float32
  void skip();                    // any value
  void end();                     // nothing but white space may follow

  std::size_t position() const { return static_cast<std::size_t>(at_ - base_); }
  [[noreturn]] void fail(const std::string& reason) const { corrupt_at(in_, position(), reason); }

 private:
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void expect(char c);
  void skip_nested(int depth);
  void escape(std::string& out);
  std::uint32_t hex4();

  const Input& in_;
  const char* base_;
  const char* at_;
  const char* end_;
};

}  // namespace kith::formats

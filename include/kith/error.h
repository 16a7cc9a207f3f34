// What every kith function throws: one exception type with a code to branch on and a message for
// people. Messages name the thing, the value seen and what was expected, in one line:
// "words.kith: 100 dimensions, but the query has 128".
#pragma once

#include <stdexcept>
#include <string>

namespace kith {

enum class ErrorCode {
  invalid_argument,  // the caller asked for something impossible (k = 0, unknown codec, NaN)
  not_found,         // a file, label or tensor that isn't there
  io,                // the operating system refused or failed (permission, full disk)
  corrupt,           // bytes that break their format: truncated, wrong magic, bad checksum
  unsupported,       // well-formed, but newer than this version or outside what it reads
  cancelled,         // the caller's cancel flag was raised; nothing was changed
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace kith

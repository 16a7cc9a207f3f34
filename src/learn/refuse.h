// How libkith-learn refuses what it is given.
#pragma once

#include <string>

namespace kith::learn {

// Throws Error{invalid_argument}.
[[noreturn]] void refuse(const std::string& message);

}  // namespace kith::learn

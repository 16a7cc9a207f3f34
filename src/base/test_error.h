// What went wrong, for tests of messages.
#pragma once

#include <string>

#include "kith/error.h"

namespace kith {

// The message of the kith::Error that `action` throws; empty when it throws none.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace kith

#include "learn/refuse.h"

#include "kith/error.h"

namespace kith::learn {

void refuse(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

}  // namespace kith::learn

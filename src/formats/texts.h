// Texts from bytes in memory; see include/kith/texts.h.
#pragma once

#include <string>

#include "formats/format.h"
#include "kith/texts.h"

namespace kith::formats {

Texts parse_texts(const Input& in, const std::string& format);

}  // namespace kith::formats

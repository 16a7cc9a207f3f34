// Texts out of files, one a line, in three forms: the line is the text; ID, a tab and the text; or
// a JSON object with "_id", "text" and perhaps "title" (BEIR's form). Malformed files throw
// Error{corrupt} naming file, position and reason. Any number of files may be read at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"
#include "kith/labels.h"

namespace kith {

struct Texts {
  std::vector<std::string_view> texts;  // a title stands before its text, with a space between
  Labels labels;                        // the IDs; none for plain lines
  std::string format;                   // "lines", "tsv" or "jsonl"
  std::shared_ptr<const void> owner;    // keeps the texts alive
};

// `format` is one of the three, or empty: by the name's end, .tsv or .jsonl, else lines.
Texts read_texts(const std::string& path, const std::string& format = {});

}  // namespace kith

// Tasks out of folders, a reader a type; see include/kith/suite.h for what they read and throw.
#pragma once

#include <string>

#include "judge/json_lines.h"
#include "kith/suite.h"

namespace kith::judge {

bool holds_beir(const std::string& folder);
RetrievalTask read_beir(const std::string& folder);

// The task in test.jsonl (and train.jsonl): its content alone.
decltype(Task::content) read_mteb_lines(const std::string& folder);

}  // namespace kith::judge

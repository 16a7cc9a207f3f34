// Labels beside formats that have no place for them: for x.npy, the text file x.npy.labels holds
// one label a line, line i naming row i. When every line is a 64-bit number in its usual spelling
// the labels are numbers, else strings.
#pragma once

#include <string>

#include "base/atomic_file.h"
#include "formats/format.h"
#include "kith/labels.h"

namespace kith::formats {

std::string labels_path(const std::string& path);

// Throws corrupt unless the text holds exactly `rows` lines.
Labels parse_labels(const Input& in, std::size_t rows);

// The labels beside `path`, or none when there is no such file.
Labels read_labels_beside(const std::string& path, std::size_t rows);

// Throws unsupported for a label that holds a line break.
void write_labels(AtomicFile& file, const Labels& labels);

}  // namespace kith::formats

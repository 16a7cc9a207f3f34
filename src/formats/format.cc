#include "formats/format.h"

#include <algorithm>

#include "formats/bytes.h"
#include "kith/error.h"

namespace kith::formats {
namespace {

// In the order in which content is looked at: fastText's before word2vec text, its twin, and that
// before the binary form, which starts with the same line.
constexpr const Format* kAll[] = {&kFvecs,          &kBvecs,       &kIvecs,       &kFbin,
                                  &kU8bin,          &kI8bin,       &kIbin,        &kNpy,
                                  &kHdf5,           &kSafetensors, &kFasttextVec, &kWord2vecText,
                                  &kWord2vecBinary, &kGlove,       &kWinkJson};

bool reads(const Format& format, Content what) {
  const bool vectors = format.read_vectors != nullptr;
  const bool neighbours = format.read_neighbours != nullptr;
  if (what == Content::any) return vectors || neighbours;
  return what == Content::vectors ? vectors : neighbours;
}

bool writes(const Format& format, Content what) {
  const bool vectors = format.write_vectors != nullptr;
  const bool neighbours = format.write_neighbours != nullptr;
  if (what == Content::any) return vectors || neighbours;
  return what == Content::vectors ? vectors : neighbours;
}

const char* plural(Content what) {
  if (what == Content::any) return "vectors or neighbour lists";
  return what == Content::vectors ? "vectors" : "neighbour lists";
}

template <class Can>
std::string names_of(const Can& can) {
  std::string names;
  for (const Format* format : kAll) {
    if (!can(*format)) continue;
    if (!names.empty()) names += ", ";
    names += format->name;
  }
  return names;
}

const Format* by_extension(std::string_view path) {
  for (const Format* format : kAll) {
    for (std::string_view extension : format->extensions) {
      if (!extension.empty() && path.ends_with(extension)) return format;
    }
  }
  return nullptr;
}

template <class Can>
const Format& by_name(std::string_view name, const Can& can, const std::string& purpose) {
  for (const Format* format : kAll) {
    if (format->name != name) continue;
    if (can(*format)) return *format;
    throw Error(ErrorCode::invalid_argument, "format '" + std::string(name) + "' can't " + purpose +
                                                 "; these can: " + names_of(can));
  }
  throw Error(ErrorCode::invalid_argument,
              "format '" + std::string(name) + "' is unknown; expected one of: " + names_of(can));
}

std::string join(const std::vector<const Format*>& formats) {
  std::string names;
  for (const Format* format : formats) {
    if (!names.empty()) names += ", ";
    names += format->name;
  }
  return names;
}

// By the content's mark, else by the extension, else by the one format whose sizes fit.
const Format* recognise(const Input& input, Content what) {
  std::vector<const Format*> fitting;
  for (const Format* format : kAll) {
    const Evidence evidence = format->inspect(input);
    if (evidence == Evidence::certain) return format;
    if (evidence == Evidence::fits && reads(*format, what)) fitting.push_back(format);
  }
  if (const Format* format = by_extension(input.name)) return format;
  if (fitting.size() > 1) {
    throw Error(ErrorCode::unsupported, input.name + ": the content fits several formats (" +
                                            join(fitting) + "); name one of them");
  }
  return fitting.empty() ? nullptr : fitting.front();
}

}  // namespace

std::span<const Format* const> all_formats() { return kAll; }

const Format& format_to_read(const Input& input, const std::string& wanted, Content what) {
  const auto can = [what](const Format& format) { return reads(format, what); };
  if (!wanted.empty()) return by_name(wanted, can, std::string("give ") + plural(what));
  if (input.bytes.empty()) {
    throw Error(ErrorCode::corrupt, input.name + ": the file is empty");
  }
  const Format* format = recognise(input, what);
  if (format == nullptr) {
    throw Error(ErrorCode::unsupported,
                input.name + ": neither content nor extension shows its format; name one of: " +
                    names_of(can));
  }
  if (!can(*format)) {
    throw Error(ErrorCode::unsupported,
                input.name + ": " + std::string(format->name) + " doesn't hold " + plural(what));
  }
  return *format;
}

const Format& format_to_write(const std::string& path, const std::string& wanted, Content what) {
  const auto can = [what](const Format& format) { return writes(format, what); };
  if (!wanted.empty()) return by_name(wanted, can, std::string("store ") + plural(what));
  const Format* format = by_extension(path);
  if (format == nullptr || !can(*format)) {
    throw Error(ErrorCode::unsupported, path + ": the extension names no format for " +
                                            plural(what) + "; name one of: " + names_of(can));
  }
  return *format;
}

void check_shape(const Input& in, std::size_t byte, std::uint64_t rows, std::uint64_t dim) {
  if (rows == 0) corrupt_at(in, byte, "0 rows; expected at least 1");
  if (rows > kMaxVectors) {
    corrupt_at(in, byte,
               std::to_string(rows) + " rows; at most " + std::to_string(kMaxVectors) + " fit");
  }
  if (dim < 1 || dim > kMaxDim) {
    corrupt_at(in, byte,
               "dimension " + std::to_string(dim) + "; expected 1 to " + std::to_string(kMaxDim));
  }
}

}  // namespace kith::formats

#include "cli/precision_option.h"

#include <string>
#include <vector>

#include "cli/format.h"
#include "kith/error.h"

namespace kith::cli {

const char* precision_name(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return "f32";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
  }
  return "unknown";
}

Precision precision_named(std::string_view name) {
  for (const Precision each : kPrecisions) {
    if (name == precision_name(each)) return each;
  }
  throw Error(ErrorCode::corrupt,
              "precision '" + printable(name) + "': expected f32, bf16 or int8");
}

void add_precision_option(CLI::App& verb, Precision& precision) {
  std::vector<std::string> names;
  for (const Precision each : kPrecisions) names.emplace_back(precision_name(each));
  verb.add_option_function<std::string>(
          "--precision",
          [&precision](const std::string& name) { precision = precision_named(name); },
          "What the model computes in: f32, bf16 or int8, each faster than the one before and\n"
          "a little less exact (default: f32)")
      ->check(CLI::IsMember(names))
      ->type_name("NAME");
}

}  // namespace kith::cli

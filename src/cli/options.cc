#include "cli/options.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <string_view>

#include "cli/format.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string expected_count(std::size_t least, std::size_t most) {
  return "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

// Calls `use` with each comma-separated piece.
void split(std::string_view text, const std::function<void(std::string_view)>& use) {
  for (;;) {
    const std::size_t comma = text.find(',');
    use(text.substr(0, comma));
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

template <class T>
std::vector<T> parse_list(const std::string& option, const char* what, const std::string& text) {
  std::vector<T> list;
  split(text, [&](std::string_view piece) {
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    const auto value = parse<T>(piece.starts_with('+') ? piece.substr(1) : piece);
    if (!value || !std::isfinite(*value)) {
      throw Error(ErrorCode::invalid_argument, option + ": " + what + " " +
                                                   std::to_string(list.size()) + " is '" +
                                                   printable(piece) + "', expected a number");
    }
    list.push_back(*value);
  });
  return list;
}

}  // namespace

CLI::Validator whole_number(std::size_t least, std::size_t most) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        const auto value = parse<std::size_t>(text);
        if (value && *value >= least && *value <= most) return {};
        return "'" + printable(text) + "', " + expected_count(least, most);
      },
      "");
}

CLI::Validator number_above(double above, double most) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        const auto value = parse<double>(text);
        if (value && *value > above && *value <= most) return {};
        return "'" + printable(text) + "', expected a number above " + significant_text(above, 3) +
               ", at most " + significant_text(most, 3);
      },
      "");
}

CLI::Validator finite_number() {
  return CLI::Validator(
      [](const std::string& text) -> std::string {
        const auto value = parse<float>(text);
        if (value && std::isfinite(*value)) return {};
        return "'" + printable(text) + "', expected a number";
      },
      "");
}

std::vector<std::size_t> parse_counts(const std::string& option, const std::string& text,
                                      std::size_t least, std::size_t most) {
  std::vector<std::size_t> counts;
  split(text, [&](std::string_view piece) {
    const auto value = parse<std::size_t>(piece);
    if (!value || *value < least || *value > most) {
      throw Error(ErrorCode::invalid_argument,
                  option + ": '" + printable(piece) + "', " + expected_count(least, most));
    }
    counts.push_back(*value);
  });
  return counts;
}

std::vector<float> parse_components(const std::string& option, const std::string& text) {
  return parse_list<float>(option, "component", text);
}

std::vector<double> parse_numbers(const std::string& option, const std::string& text) {
  return parse_list<double>(option, "number", text);
}

void add_read_options(CLI::App& verb, ReadOptions& options) {
  verb.add_option("--format", options.format, "Format of the vectors (default: found by content)")
      ->type_name("NAME");
  verb.add_option(
          "--dataset", options.dataset,
          "Array to read from an HDF5 or safetensors file (of sets: also of an npz, or the\n"
          "member of JSON lines)")
      ->type_name("NAME");
}

}  // namespace kith::cli

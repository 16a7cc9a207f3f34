#include "cli/disk_options.h"

#include <charconv>
#include <string_view>

#include "cli/format.h"
#include "kith/error.h"

namespace kith::cli {

std::size_t parse_bytes(const std::string& option, const std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  constexpr std::size_t kMost = std::size_t{1} << 46;
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  std::size_t scale = 1;
  if (!unit.empty() && kUnits.find(unit.front()) != kUnits.npos) {
    scale = std::size_t{1} << (10 * (kUnits.find(unit.front()) + 1));
    unit.remove_prefix(1);
  }
  if (error != std::errc{} || !unit.empty() || number > kMost / scale) {
    throw Error(ErrorCode::invalid_argument,
                option + ": '" + printable(text) +
                    "', expected bytes, or so many K, M, G or T of them, for example 64M");
  }
  return number * scale;
}

void add_disk_options(CLI::App& verb, DiskChoices& choices) {
  verb.add_option("--disk-file", choices.open.disk_file,
                  "Of an index with vectors on disk: where they are, if elsewhere than it says")
      ->type_name("FILE");
  verb.add_flag("--direct", choices.open.disk_direct,
                "Read them past the system's page cache (O_DIRECT)");
  verb.add_option("--disk-cache", choices.cache,
                  "Memory for those that come up again, e.g. 64M (default: none, the system's\n"
                  "page cache keeps what it can)")
      ->type_name("BYTES");
  verb.add_option("--disk-reader", choices.open.disk_reader,
                  "How they are read: io_uring, threads or auto (default: io_uring where the\n"
                  "system grants it)")
      ->type_name("NAME");
}

OpenOptions open_options(const DiskChoices& choices, bool in_memory) {
  OpenOptions options = choices.open;
  options.in_memory = in_memory;
  if (!choices.cache.empty()) options.disk_cache = parse_bytes("--disk-cache", choices.cache);
  return options;
}

Cell disk_cell(std::size_t bytes, std::size_t vectors) {
  const double all = static_cast<double>(bytes), each = all / static_cast<double>(vectors);
  return Cell(bytes, bytes_text(all) + " (" + significant_text(each, 3) + " bytes a vector)");
}

void add_disk(Record& record, const DiskInfo& disk, std::size_t vectors) {
  if (disk.file.empty()) return;
  record.add("disk_file", "vectors on disk", disk.file);
  record.add("disk_codec", "  as", disk.codec);
  record.add("disk_reader", "  read by", disk.reader);
  record.add("disk_bytes", "  size", disk_cell(disk.bytes, vectors));
}

}  // namespace kith::cli

#include "index/tier_name.h"

#include <filesystem>

namespace kith {

namespace fs = std::filesystem;

TierName TierName::of(const TierFile& tier, const std::string& path) {
  const fs::path owner = fs::absolute(path).lexically_normal();
  const fs::path file = fs::absolute(tier.path()).lexically_normal();
  if (file == owner) {
    throw Error(ErrorCode::invalid_argument, path + ": is where the vectors of this index are");
  }
  if (file.string().find('\n') != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "disk file: a name with a line break");
  }
  TierName name{{}, tier.identity()};
  if (file.string() == owner.string() + kSuffix) return name;
  name.file = file.parent_path() == owner.parent_path() ? file.filename().string() : file.string();
  return name;
}

TierName TierName::read(const Meta& meta) {
  return {meta.string("disk.file"), meta.number("disk.identity")};
}

void TierName::write(Meta& meta) const {
  meta.set("disk.file", file);
  meta.set("disk.identity", identity);
}

void TierName::open(Stage& stage, const std::string& path, const OpenOptions& options) const {
  std::string where = options.disk_file;
  if (where.empty()) {
    where = file.empty() ? path + kSuffix : (fs::path(path).parent_path() / file).string();
  }
  stage.open_tier(where, identity,
                  {options.disk_direct, options.disk_cache, parse_read_way(options.disk_reader)});
  if (options.verify_disk) stage.tier()->verify({});
}

DiskInfo disk_info(const Stage& stage) {
  const TierFile& tier = *stage.tier();
  const TierCounts counts = tier.counts();
  return {tier.path(),       stage.name(),   std::string(tier.way()),
          tier.file_bytes(), counts.records, counts.cached,
          counts.reads,      counts.bytes};
}

}  // namespace kith

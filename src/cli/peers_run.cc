#include "cli/peers_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "base/atomic_file.h"
#include "base/checksum.h"
#include "base/parallel.h"
#include "cli/idle.h"
#include "cli/measure.h"
#include "cli/stopwatch.h"
#include "kith/error.h"
#include "kith/exact.h"

namespace kith::cli {
namespace {

using bench::PeerIndex;
using bench::Setting;
using bench::Variant;

constexpr std::size_t kK = 10;
constexpr double kEnoughRecall = 0.995;   // wider settings than the first that reaches it are left
constexpr double kFinestStep = 1.06;      // between breadths, near a target
constexpr double kRecallSeconds = 4;      // at most, for one setting's recall ...
constexpr std::size_t kFewest = 200;      // ... but never on fewer queries
constexpr double kSliceSeconds = 0.1;     // one timing of one setting
constexpr std::size_t kFewestTimed = 32;  // queries in it
constexpr std::size_t kBatch = 1000;

struct Candidate {
  PeersEntry entry;
  std::unique_ptr<PeerIndex> index;
  // Of each point, one rate a round.
  std::vector<std::vector<PeersRate>> single, batched;
};

bool selected(const Variant& variant, const std::string& only, bool all) {
  if (only.empty()) return all || !variant.extra;
  const std::string name = variant.peer + " " + variant.name;
  for (std::size_t begin = 0; begin <= only.size();) {
    const std::size_t end = std::min(only.find(',', begin), only.size());
    if (end > begin && name.find(only.substr(begin, end - begin)) != std::string::npos) return true;
    begin = end + 1;
  }
  return false;
}

// Where a built index is kept: named by all that decides what it is.
std::string cached_path(const Variant& variant, const PeersData& data, const std::string& cache) {
  const std::string all = variant.peer + "/" + variant.details + "/" + variant.revision;
  char key[64];
  std::snprintf(
      key, sizeof(key), "-%016llx-%016llx.index", static_cast<unsigned long long>(data.key),
      static_cast<unsigned long long>(checksum(std::as_bytes(std::span(all.data(), all.size())))));
  std::string name = variant.peer + "-" + variant.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '-');
  return cache + "/" + name + key;
}

// What an earlier build cost, noted beside its index when that is whole.
bool recall_build(const std::string& path, PeersEntry& entry) {
  std::ifstream in(path + ".json");
  if (!in || !std::filesystem::exists(path)) return false;
  const auto note = nlohmann::json::parse(in, nullptr, false);
  if (note.is_discarded()) return false;
  entry.build_cpu_seconds = note.value("cpu_seconds", 0.0);
  entry.build_wall_seconds = note.value("wall_seconds", 0.0);
  entry.from_cache = true;
  return true;
}

void keep_build(const std::string& path, const Candidate& built) {
  std::filesystem::remove(path + ".json");
  built.index->save(path + ".part");
  std::filesystem::rename(path + ".part", path);
  const nlohmann::json note = {{"details", built.entry.variant.details},
                               {"cpu_seconds", built.entry.build_cpu_seconds},
                               {"wall_seconds", built.entry.build_wall_seconds}};
  AtomicFile file(path + ".json");
  file.write(note.dump() + "\n");
  file.commit();
}

Candidate obtain(const Variant& variant, const PeersData& data, const PeersRunOptions& options) {
  Candidate candidate;
  candidate.entry.variant = variant;
  const std::string path = cached_path(variant, data, options.cache);
  if (!options.fresh && recall_build(path, candidate.entry)) {
    candidate.index = variant.load(path, data.base);
  } else {
    const Stopwatch watch;
    candidate.index = variant.build(data.base, options.build_threads);
    candidate.entry.build_cpu_seconds = watch.cpu_seconds();
    candidate.entry.build_wall_seconds = watch.wall_seconds();
    keep_build(path, candidate);
  }
  candidate.entry.bytes = candidate.index->bytes();
  return candidate;
}

PeersRate rate_of(std::size_t queries, const Stopwatch& watch) {
  const auto count = static_cast<double>(queries);
  return {count / std::max(watch.cpu_seconds(), 1e-9),
          count / std::max(watch.wall_seconds(), 1e-9)};
}

// Searches for queries [first, first + count), each by itself.
PeersRate search_singly(const PeerIndex& index, const PeersData& data, std::size_t first,
                        std::size_t count, std::size_t threads, Matrix<Id>& ids) {
  const MatrixView<const float> queries = data.queries;
  const auto one = [&](std::size_t i) {
    index.search(queries.slice(i, 1), 1, ids.view().slice(i, 1));
  };
  const Stopwatch watch;
  if (threads == 1) {
    for (std::size_t i = first; i < first + count; ++i) one(i);
  } else {
    Control control;
    control.threads = threads;
    parallel_for(control, count, 4, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) one(first + i);
    });
  }
  return rate_of(count, watch);
}

PeersRate search_batch(const PeerIndex& index, const PeersData& data, std::size_t threads,
                       Matrix<Id>& ids) {
  const std::size_t count = std::min(kBatch, data.queries.rows());
  const Stopwatch watch;
  index.search(data.queries.view().slice(0, count), threads, ids.view().slice(0, count));
  return rate_of(count, watch);
}

// Recall over the first `count` queries, whose found ids are in `ids`.
double recall_of(const Matrix<Id>& ids, const PeersData& data, std::size_t count) {
  Neighbours found(count, kK), truth(count, data.truth.k());
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(ids.row(i), kK, found.ids.row(i));
    std::copy_n(data.truth.ids.row(i), truth.k(), truth.ids.row(i));
    std::copy_n(data.truth.distances.row(i), truth.k(), truth.distances.row(i));
  }
  return recall_at(found, truth, kK);
}

// Recall on as many queries as the time allows, and a first rate.
PeersPoint try_setting(PeerIndex& index, const Setting& setting, const PeersData& data) {
  Matrix<Id> ids(data.queries.rows(), kK);
  index.prepare(setting);
  const Stopwatch watch;
  std::size_t done = 0;
  const std::size_t all = data.queries.rows();
  while (done < all && (done < kFewest || watch.cpu_seconds() < kRecallSeconds)) {
    const std::size_t count = std::min<std::size_t>(100, all - done);
    search_singly(index, data, done, count, 1, ids);
    done += count;
  }
  PeersPoint point;
  point.setting = setting;
  point.single = rate_of(done, watch);
  point.recall = recall_of(ids, data, done);
  return point;
}

// Breadths between the grid's, until the narrowest that reaches `target` is known well.
void refine(Candidate& candidate, double target, const PeersData& data) {
  auto& points = candidate.entry.points;
  const std::string& word = candidate.entry.variant.breadth_word;
  if (word.empty()) return;
  for (;;) {
    const auto reaches = std::find_if(points.begin(), points.end(),
                                      [&](const PeersPoint& p) { return p.recall >= target; });
    if (reaches == points.begin() || reaches == points.end()) return;
    const std::size_t low = (reaches - 1)->setting.breadth, high = reaches->setting.breadth;
    const auto middle = static_cast<std::size_t>(
        std::lround(std::sqrt(static_cast<double>(low) * static_cast<double>(high))));
    const double step = static_cast<double>(high) / static_cast<double>(low);
    if (step <= kFinestStep || middle <= low || middle >= high) return;
    const Setting setting = bench::breadth_setting(word, middle);
    points.insert(reaches, try_setting(*candidate.index, setting, data));
  }
}

void sweep(Candidate& candidate, const PeersData& data, const PeersRunOptions& options) {
  for (const Setting& setting : candidate.entry.variant.settings) {
    throw_if_cancelled(options.control);
    candidate.entry.points.push_back(try_setting(*candidate.index, setting, data));
    if (candidate.entry.points.back().recall >= kEnoughRecall) break;
  }
  for (const double target : options.targets) refine(candidate, target, data);
  candidate.single.resize(candidate.entry.points.size());
  candidate.batched.resize(candidate.entry.points.size());
}

// Batches are timed where they may matter: the three fastest settings that reach a target.
std::vector<bool> worth_batching(const PeersEntry& entry, const std::vector<double>& targets) {
  std::vector<bool> worth(entry.points.size(), false);
  if (!entry.variant.batches) return worth;
  for (const double target : targets) {
    std::vector<std::size_t> reaching;
    for (std::size_t i = 0; i < entry.points.size(); ++i) {
      if (entry.points[i].recall >= target) reaching.push_back(i);
    }
    std::sort(reaching.begin(), reaching.end(), [&](std::size_t a, std::size_t b) {
      return entry.points[a].single.cpu > entry.points[b].single.cpu;
    });
    for (std::size_t i = 0; i < std::min<std::size_t>(3, reaching.size()); ++i) {
      worth[reaching[i]] = true;
    }
  }
  return worth;
}

void time_round(Candidate& candidate, const PeersData& data, const PeersRunOptions& options) {
  Matrix<Id> ids(std::max(data.queries.rows(), kBatch), kK);
  const std::vector<bool> batch = worth_batching(candidate.entry, options.targets);
  const std::size_t all = data.queries.rows();
  for (std::size_t i = 0; i < candidate.entry.points.size(); ++i) {
    throw_if_cancelled(options.control);
    const PeersPoint& point = candidate.entry.points[i];
    candidate.index->prepare(point.setting);
    const auto wanted = static_cast<std::size_t>(point.single.cpu * kSliceSeconds *
                                                 static_cast<double>(options.threads));
    const std::size_t count = std::min(all, std::max(wanted, kFewestTimed));
    wait_until_idle();
    candidate.single[i].push_back(
        search_singly(*candidate.index, data, 0, count, options.threads, ids));
    if (batch[i]) {
      candidate.batched[i].push_back(search_batch(*candidate.index, data, options.threads, ids));
    }
  }
}

PeersRate median(const std::vector<PeersRate>& rates) {
  if (rates.empty()) return {};
  std::vector<double> cpu, wall;
  for (const PeersRate& rate : rates) {
    cpu.push_back(rate.cpu);
    wall.push_back(rate.wall);
  }
  return {cli::median(cpu), cli::median(wall)};
}

void report(const PeersRunOptions& options, const std::string& stage, std::size_t done,
            std::size_t total) {
  throw_if_cancelled(options.control);
  if (options.control.progress) options.control.progress(stage, done, total);
}

}  // namespace

std::vector<PeersEntry> run_peers(const bench::PeersModule& module, const PeersData& data,
                                  const PeersRunOptions& options) {
  std::vector<Candidate> candidates;
  std::vector<Variant> variants = module.variants({data.base.rows(), data.base.cols()});
  std::erase_if(variants,
                [&](const Variant& v) { return !selected(v, options.only, options.all); });
  if (variants.empty()) {
    throw Error(ErrorCode::invalid_argument, "--only: no variant is called like '" + options.only +
                                                 "'; the names are in the table");
  }
  for (std::size_t i = 0; i < variants.size(); ++i) {
    report(options, data.name + ": building and sweeping", i, variants.size());
    candidates.push_back(obtain(variants[i], data, options));
    sweep(candidates.back(), data, options);
  }
  for (std::size_t round = 0; round < options.rounds; ++round) {
    report(options, data.name + ": timing", round, options.rounds);
    for (Candidate& candidate : candidates) time_round(candidate, data, options);
  }
  std::vector<PeersEntry> entries;
  for (Candidate& candidate : candidates) {
    for (std::size_t i = 0; i < candidate.entry.points.size(); ++i) {
      candidate.entry.points[i].single = median(candidate.single[i]);
      candidate.entry.points[i].batched = median(candidate.batched[i]);
    }
    entries.push_back(std::move(candidate.entry));
  }
  return entries;
}

const PeersPoint* best_point(const PeersEntry& entry, double recall, bool batched) {
  const PeersPoint* best = nullptr;
  const auto rate = [&](const PeersPoint& p) { return batched ? p.batched.cpu : p.single.cpu; };
  for (const PeersPoint& point : entry.points) {
    if (point.recall < recall || rate(point) == 0) continue;
    if (best == nullptr || rate(point) > rate(*best)) best = &point;
  }
  return best;
}

}  // namespace kith::cli

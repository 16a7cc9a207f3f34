#include "cli/peers_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/format.h"
#include "cli/svg_plot.h"

namespace kith::cli {
namespace {

constexpr char kReference[] = "hnswlib";

// The reference's highest single rate at the recall; 0 when it doesn't reach it.
double reference_rate(const std::vector<PeersEntry>& entries, double target) {
  double best = 0;
  for (const PeersEntry& entry : entries) {
    if (entry.variant.peer != kReference) continue;
    const PeersPoint* point = best_point(entry, target);
    if (point != nullptr) best = std::max(best, point->single.cpu);
  }
  return best;
}

std::string ratio_text(double rate, double reference) {
  return reference == 0 || rate == 0 ? "" : fmt::format("{:.2f}x", rate / reference);
}

// A batch of a peer that searches one query after the other is a loop over single searches.
double batched_rate(const PeersEntry& entry, double target) {
  if (!entry.variant.batches) {
    const PeersPoint* point = best_point(entry, target);
    return point == nullptr ? 0 : point->single.cpu;
  }
  const PeersPoint* point = best_point(entry, target, true);
  return point == nullptr ? 0 : point->batched.cpu;
}

double bytes_per_vector(const PeersEntry& entry, std::size_t rows) {
  return static_cast<double>(entry.bytes) / static_cast<double>(std::max<std::size_t>(rows, 1));
}

std::string highest_recall(const PeersEntry& entry) {
  double best = 0;
  for (const PeersPoint& point : entry.points) best = std::max(best, point.recall);
  return fmt::format("not reached (at most {:.3f})", best);
}

}  // namespace

Table peers_table(const PeersData& data, const std::vector<PeersEntry>& entries, double target) {
  Table table({{"variant", fmt::format("{} at {:.2f}", data.name, target)},
               "setting",
               {"single", "single/CPU s"},
               {"single_wall", "single/s"},
               {"batched", "batched/CPU s"},
               {"ratio", std::string("to ") + kReference},
               {"bytes", "bytes/vector"},
               {"build", "build CPU s"}});
  const double reference = reference_rate(entries, target);
  for (const PeersEntry& entry : entries) {
    const PeersPoint* point = best_point(entry, target);
    const double bytes = bytes_per_vector(entry, data.base.rows());
    const double batched = batched_rate(entry, target);
    std::vector<Cell> row = {Cell(entry.variant.peer + " " + entry.variant.name)};
    if (point == nullptr) {
      row.insert(row.end(), {Cell(highest_recall(entry)), Cell(), Cell(), Cell(), Cell()});
    } else {
      const double single = point->single.cpu;
      row.insert(
          row.end(),
          {Cell(point->setting.text), Cell(single, rate_text(single)),
           Cell(point->single.wall, rate_text(point->single.wall)),
           batched == 0 ? Cell() : Cell(batched, rate_text(batched)),
           reference == 0 ? Cell() : Cell(single / reference, ratio_text(single, reference))});
    }
    row.push_back(Cell(bytes, fixed_text(bytes, 0)));
    row.push_back(Cell(entry.build_cpu_seconds, fixed_text(entry.build_cpu_seconds, 1)));
    table.add(std::move(row));
  }
  return table;
}

Table peers_rows(const PeersData& data, const std::vector<PeersEntry>& entries) {
  Table table({"data", "peer", "variant", "details", "setting", "recall", "single_per_cpu_s",
               "single_per_s", "batched_per_cpu_s", "batched_per_s", "bytes_per_vector",
               "bytes_counted", "build_cpu_s", "build_from_cache"});
  const auto rate = [](double value) {
    return value == 0 ? Cell() : Cell(value, rate_text(value));
  };
  for (const PeersEntry& entry : entries) {
    const double bytes = bytes_per_vector(entry, data.base.rows());
    for (const PeersPoint& point : entry.points) {
      table.add({Cell(data.name), Cell(entry.variant.peer), Cell(entry.variant.name),
                 Cell(entry.variant.details), Cell(point.setting.text),
                 Cell(point.recall, fixed_text(point.recall, 4)), rate(point.single.cpu),
                 rate(point.single.wall), rate(point.batched.cpu), rate(point.batched.wall),
                 Cell(bytes, fixed_text(bytes, 0)), Cell(entry.variant.counted),
                 Cell(entry.build_cpu_seconds, fixed_text(entry.build_cpu_seconds, 1)),
                 Cell(entry.from_cache)});
    }
  }
  return table;
}

std::string peers_grid(const std::vector<PeersEntry>& entries) {
  std::string text;
  for (const PeersEntry& entry : entries) {
    text += fmt::format("{} {} ({}; bytes: {}):\n ", entry.variant.peer, entry.variant.name,
                        entry.variant.details, entry.variant.counted);
    for (const PeersPoint& point : entry.points) {
      text += fmt::format(" {} {:.4f}", point.setting.text, point.recall);
      if (&point != &entry.points.back()) text += ",";
    }
    text += "\n";
  }
  return text;
}

std::string peers_markdown(const PeersData& data, const std::vector<PeersEntry>& entries,
                           const std::vector<double>& targets) {
  std::string text =
      fmt::format("### {}: {} vectors of {} dimensions, {} queries\n\n", data.name,
                  count_text(data.base.rows()), data.base.cols(), count_text(data.queries.rows()));
  std::string header = "| engine | build CPU s | bytes/vector |", rule = "|---|---:|---:|";
  for (const double target : targets) {
    header += fmt::format(" {0:.2f}: single | batched | to {1} |", target, kReference);
    rule += "---:|---:|---:|";
  }
  text += header + "\n" + rule + "\n";
  for (const PeersEntry& entry : entries) {
    text += fmt::format("| {} {} | {:.1f} | {:.0f} |", entry.variant.peer, entry.variant.name,
                        entry.build_cpu_seconds, bytes_per_vector(entry, data.base.rows()));
    for (const double target : targets) {
      const PeersPoint* point = best_point(entry, target);
      if (point == nullptr) {
        text += " not reached | | |";
        continue;
      }
      const double batched = batched_rate(entry, target);
      text += fmt::format(" {} | {} | {} |", rate_text(point->single.cpu),
                          batched == 0 ? "" : rate_text(batched),
                          ratio_text(point->single.cpu, reference_rate(entries, target)));
    }
    text += "\n";
  }
  return text + "\n";
}

std::string peers_svg(const PeersData& data, const std::vector<PeersEntry>& entries) {
  constexpr double kLowest = 0.8;  // narrower searches than that matter to few
  std::vector<PlotSeries> series;
  for (const PeersEntry& entry : entries) {
    PlotSeries one;
    one.name = entry.variant.peer + " " + entry.variant.name;
    for (const PeersPoint& point : entry.points) {
      if (point.recall >= kLowest) one.points.emplace_back(point.recall, point.single.cpu);
    }
    std::sort(one.points.begin(), one.points.end());
    series.push_back(std::move(one));
  }
  return svg_plot(
      fmt::format("{}: {} x {}", data.name, count_text(data.base.rows()), data.base.cols()),
      "recall@10", "single searches per CPU second", series);
}

}  // namespace kith::cli

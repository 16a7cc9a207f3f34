#include "learn/train/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace kith::learn {
namespace {

using Points = std::vector<std::pair<double, double>>;

constexpr double kWidth = 720, kHeight = 240, kLeft = 70, kRight = 20, kTop = 40, kBottom = 40;

struct Range {
  double low = 0, high = 1;
};

Range range_of(const std::vector<const Points*>& all) {
  Range range{1e300, -1e300};
  for (const Points* points : all) {
    for (const auto& [x, y] : *points) {
      range.low = std::min(range.low, y);
      range.high = std::max(range.high, y);
    }
  }
  if (range.high <= range.low) range.high = range.low + 1;
  return range;
}

// One chart with its frame, the ends of its axes, and its lines.
class Panel {
 public:
  Panel(std::string title, double top, double steps, Range range)
      : title_(std::move(title)), top_(top), steps_(std::max(steps, 1.0)), range_(range) {}

  std::string frame() const {
    const double left = kLeft, right = kWidth - kRight, low = y(range_.low), high = y(range_.high);
    std::string text = fmt::format("<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", left,
                                   top_ + kTop - 14, title_);
    text += fmt::format("<path d=\"M{0} {2}V{3}H{1}\" fill=\"none\" stroke=\"#888\"/>\n", left,
                        right, high, low);
    text +=
        label(left - 6, high + 4, "end", range_.high) + label(left - 6, low + 4, "end", range_.low);
    text += fmt::format("<text x=\"{}\" y=\"{}\">step 0</text>\n", left, low + 18);
    text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0f}</text>\n", right,
                        low + 18, steps_);
    return text;
  }
  std::string line(const Points& points, const char* colour, double width) const {
    std::string path;
    for (const auto& [step, value] : points) {
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x(step), y(value));
    }
    return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>\n", path,
                       colour, width);
  }

 private:
  double x(double step) const { return kLeft + (kWidth - kLeft - kRight) * step / steps_; }
  double y(double value) const {
    const double part = (value - range_.low) / (range_.high - range_.low);
    return top_ + kHeight - kBottom - part * (kHeight - kTop - kBottom);
  }
  static std::string label(double x, double y, const char* anchor, double value) {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{:.4g}</text>\n", x, y,
                       anchor, value);
  }

  std::string title_;
  double top_, steps_;
  Range range_;
};

Points smoothed(const Points& points) {
  constexpr std::size_t kParts = 50;
  const std::size_t window = std::max<std::size_t>(1, points.size() / kParts);
  Points means;
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    sum += points[i].second;
    if (i >= window) sum -= points[i - window].second;
    const double count = static_cast<double>(std::min(i + 1, window));
    means.emplace_back(points[i].first, sum / count);
  }
  return means;
}

}  // namespace

std::string draw_curves(const TrainSummary& summary) {
  constexpr const char* kPale = "#9ecae1";
  constexpr const char* kStrong = "#0072b2";
  constexpr const char* kOther = "#d55e00";
  Points losses, scores;
  for (const TrainLine& line : summary.lines) {
    losses.emplace_back(static_cast<double>(line.step), line.loss);
  }
  std::string metric;
  for (const ValidationLine& line : summary.validations) {
    if (metric.empty()) metric = line.metric;
    if (line.metric != metric) continue;
    scores.emplace_back(static_cast<double>(line.step), line.score);
  }
  const double steps = losses.empty() ? 0 : losses.back().first;
  const double height = scores.empty() ? kHeight : 2 * kHeight;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"white\"/>\n",
      kWidth, height);
  if (!losses.empty()) {
    const Panel panel("loss", 0, steps, range_of({&losses}));
    svg += panel.frame() + panel.line(losses, kPale, 1) + panel.line(smoothed(losses), kStrong, 2);
  }
  if (!scores.empty()) {
    const Panel panel(metric + " of held-out examples", kHeight, steps, range_of({&scores}));
    svg += panel.frame() + panel.line(scores, kOther, 2);
  }
  return svg + "</svg>\n";
}

}  // namespace kith::learn

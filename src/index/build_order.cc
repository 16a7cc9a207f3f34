#include "index/build_order.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>

#include "kith/error.h"

namespace kith {
namespace {

constexpr std::array kOrders = {"random", "given", "lid-ascending", "lid-descending", "by-label"};

// "sport" of "sport/0012.txt"; a label without a slash is its own category.
std::string_view category(std::string_view label) { return label.substr(0, label.find('/')); }

// Categories are numbered as they first come up.
std::vector<double> category_keys(const Labels& labels) {
  std::vector<double> keys(labels.size());
  std::unordered_map<std::string_view, std::size_t> by_text;
  std::unordered_map<std::uint64_t, std::size_t> by_number;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t number =
        labels.kind() == Labels::Kind::strings
            ? by_text.try_emplace(category(labels.string(i)), by_text.size()).first->second
            : by_number.try_emplace(labels.number(i), by_number.size()).first->second;
    keys[i] = static_cast<double>(number);
  }
  return keys;
}

std::vector<double> lid_keys(const AnyMatrixView& rows, const BuildOptions& options) {
  const std::vector<float> lids = lids_to_order_by(rows, {}, options);
  const double sign = options.order == "lid-descending" ? -1 : 1;
  std::vector<double> keys(lids.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool defined = lids[i] > 0;
    keys[i] = defined ? sign * double{lids[i]} : std::numeric_limits<double>::infinity();
  }
  return keys;
}

}  // namespace

bool orders_by_lid(const BuildOptions& options) { return options.order.starts_with("lid-"); }

void check_order(const BuildOptions& options, const Labels& labels) {
  const std::string what = "order '" + options.order + "'";
  if (std::find(kOrders.begin(), kOrders.end(), options.order) == kOrders.end()) {
    throw Error(ErrorCode::invalid_argument,
                what + ": expected random, given, lid-ascending, lid-descending or by-label");
  }
  if (options.order != "random" && options.index != "graph") {
    throw Error(ErrorCode::invalid_argument, what + " with index '" + options.index +
                                                 "': expected index 'graph', the only one whose "
                                                 "build has an order");
  }
  if (options.order == "by-label" && labels.kind() == Labels::Kind::none) {
    throw Error(ErrorCode::invalid_argument,
                what + ": the vectors have no labels; expected categories or CATEGORY/NAME");
  }
}

std::vector<float> lids_to_order_by(const AnyMatrixView& rows, std::span<const Id> of,
                                    const BuildOptions& options) {
  LidOptions lid;
  lid.metric = options.metric;
  lid.among = kLidSample;
  lid.of = of;
  lid.seed = options.seed;
  lid.control = options.control;
  lid.neighbours = std::min(lid.neighbours, rows.rows() - 1);
  // Of two vectors there is nothing to estimate, and nothing to order.
  if (lid.neighbours < 2) return std::vector<float>(of.empty() ? rows.rows() : of.size(), 0.0f);
  return estimate_lid(rows, lid).lid;
}

std::vector<double> order_keys(const AnyMatrixView& rows, const Labels& labels,
                               const BuildOptions& options) {
  if (options.order == "random") return {};
  if (options.order == "by-label") return category_keys(labels);
  if (orders_by_lid(options)) return lid_keys(rows, options);
  std::vector<double> keys(rows.rows());  // given
  std::iota(keys.begin(), keys.end(), 0.0);
  return keys;
}

}  // namespace kith

#include "encode/pooling.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kith::encode {
namespace {

using Switch = std::pair<const char*, bool Pooling::*>;

// In the order in which results stand side by side.
constexpr Switch kSwitches[] = {{"cls", &Pooling::cls},
                                {"max", &Pooling::max},
                                {"mean", &Pooling::mean},
                                {"mean_sqrt_len", &Pooling::mean_sqrt_len},
                                {"weightedmean", &Pooling::weighted_mean},
                                {"lasttoken", &Pooling::last_token}};

constexpr std::pair<const char*, bool Pooling::*> kKeys[] = {
    {"pooling_mode_cls_token", &Pooling::cls},
    {"pooling_mode_max_tokens", &Pooling::max},
    {"pooling_mode_mean_tokens", &Pooling::mean},
    {"pooling_mode_mean_sqrt_len_tokens", &Pooling::mean_sqrt_len},
    {"pooling_mode_weightedmean_tokens", &Pooling::weighted_mean},
    {"pooling_mode_lasttoken", &Pooling::last_token}};

// Sum over rows from `first` on of weight(row) * row, divided by `divisor`; in double, since texts
// may be long.
template <class Weight>
void average(MatrixView<const float> rows, std::size_t first, double divisor, const Weight& weight,
             float* out) {
  std::vector<double> sum(rows.cols());
  for (std::size_t i = first; i < rows.rows(); ++i) {
    const double w = weight(i);
    const float* row = rows.row(i);
    for (std::size_t j = 0; j < rows.cols(); ++j) sum[j] += w * row[j];
  }
  for (std::size_t j = 0; j < rows.cols(); ++j) out[j] = static_cast<float>(sum[j] / divisor);
}

void maximum(MatrixView<const float> rows, std::size_t first, float* out) {
  std::copy_n(rows.row(first), rows.cols(), out);
  for (std::size_t i = first + 1; i < rows.rows(); ++i) {
    const float* row = rows.row(i);
    for (std::size_t j = 0; j < rows.cols(); ++j) out[j] = std::max(out[j], row[j]);
  }
}

}  // namespace

std::size_t Pooling::count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(kSwitches, [&](const Switch& s) { return this->*s.second; }));
}

std::string Pooling::description() const {
  std::string text;
  for (const auto& [name, flag] : kSwitches) {
    if (!(this->*flag)) continue;
    if (!text.empty()) text += " and ";
    text += name;
  }
  return text + " pooling" + (include_prompt ? "" : " without the prompt");
}

void Pooling::pool(MatrixView<const float> tokens, std::size_t prompt, float* out) const {
  const std::size_t width = tokens.cols(), first = include_prompt ? 0 : prompt;
  const auto n = static_cast<double>(tokens.rows()), kept = n - static_cast<double>(first);
  const auto one = [](std::size_t) { return 1.0; };
  const auto place = [](std::size_t i) { return static_cast<double>(i + 1); };
  const auto append = [&](bool wanted, const auto& write) {
    if (!wanted) return;
    write(out);
    out += width;
  };
  append(cls, [&](float* to) { std::copy_n(tokens.row(0), width, to); });
  append(max, [&](float* to) { maximum(tokens, first, to); });
  append(mean, [&](float* to) { average(tokens, first, kept, one, to); });
  append(mean_sqrt_len, [&](float* to) { average(tokens, first, std::sqrt(kept), one, to); });
  append(weighted_mean, [&](float* to) {
    const auto before = static_cast<double>(first);
    average(tokens, first, (n * (n + 1) - before * (before + 1)) / 2, place, to);
  });
  append(last_token, [&](float* to) { std::copy_n(tokens.row(tokens.rows() - 1), width, to); });
}

void expect_width(const Json& json, std::size_t width) {
  const char* dimension =
      json.has("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
  if (json.has(dimension) && json.whole(dimension, 1, 1 << 20) != width) {
    json.refuse(dimension, std::to_string(width) + ", the model's width");
  }
}

void mean_of(MatrixView<const float> rows, float* out) {
  average(
      rows, 0, static_cast<double>(rows.rows()), [](std::size_t) { return 1.0; }, out);
}

Pooling read_pooling(const Json& json) {
  Pooling pooling;
  pooling.include_prompt = json.boolean("include_prompt", true);
  for (const auto& [key, flag] : kKeys) pooling.*flag = json.boolean(key, false);
  if (json.has("pooling_mode")) {  // newer files
    const bool several = json.raw().at("pooling_mode").is_array();
    for (const std::string& mode :
         several ? json.texts("pooling_mode") : std::vector{json.text("pooling_mode")}) {
      const auto at = std::ranges::find(kSwitches, mode, &Switch::first);
      if (at == std::end(kSwitches)) {
        json.refuse("pooling_mode", "cls, max, mean, mean_sqrt_len, weightedmean or lasttoken",
                    ErrorCode::unsupported);
      }
      pooling.*(at->second) = true;
    }
  }
  if (pooling.count() == 0) {
    throw Error(ErrorCode::corrupt, json.place() + ": no pooling is switched on");
  }
  return pooling;
}

}  // namespace kith::encode

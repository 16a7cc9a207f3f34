#include "kith/relevance.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

#include "index/relevance_file.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr char kKind[] = "relevance";
constexpr std::size_t kMostLayers = 64, kMostWidth = 1 << 20;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "relevance adapter: " + message);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

bool finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float x) { return std::isfinite(x); });
}

void check_layer(const RelevanceAdapter::Layer& layer, std::size_t number, std::size_t inputs) {
  const std::string name = "layer " + std::to_string(number) + ": ";
  const std::size_t own = layer.weight.cols();
  if (own != inputs) {
    refuse(name + std::to_string(own) + " inputs, expected " + std::to_string(inputs));
  }
  if (layer.bias.size() != layer.weight.rows()) {
    refuse(name + std::to_string(layer.bias.size()) + " biases, expected " +
           std::to_string(layer.weight.rows()));
  }
  const bool plain = layer.scale.empty() && layer.shift.empty();
  if (!plain && (layer.scale.size() != inputs || layer.shift.size() != inputs)) {
    refuse(name + "scales and shifts of a norm, expected " + std::to_string(inputs) + " each");
  }
  bool all = finite(layer.bias) && finite(layer.scale) && finite(layer.shift);
  for (std::size_t i = 0; i < layer.weight.rows(); ++i) {
    all = all && finite({layer.weight.row(i), layer.weight.cols()});
  }
  if (!all) refuse(name + "a value that isn't finite");
}

void norm(const RelevanceAdapter::Layer& layer, std::vector<double>& x) {
  constexpr double kEpsilon = 1e-5;
  double mean = 0, variance = 0;
  for (const double value : x) mean += value;
  mean /= static_cast<double>(x.size());
  for (const double value : x) variance += (value - mean) * (value - mean);
  variance /= static_cast<double>(x.size());
  const double factor = 1 / std::sqrt(variance + kEpsilon);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = (x[i] - mean) * factor * layer.scale[i] + layer.shift[i];
  }
}

std::vector<double> apply(const RelevanceAdapter::Layer& layer, std::vector<double> x) {
  if (!layer.scale.empty()) norm(layer, x);
  std::vector<double> y(layer.bias.begin(), layer.bias.end());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float* weights = layer.weight.row(i);
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += x[j] * weights[j];
  }
  return y;
}

}  // namespace

RelevanceMapping relevance_mapping(std::string_view name) {
  const auto* found = std::ranges::find(kRelevanceMappings, name);
  if (found == std::end(kRelevanceMappings)) {
    refuse("mapping '" + std::string(name) +
           "', expected offset, linear, sqrt, quadratic or power");
  }
  return static_cast<RelevanceMapping>(found - std::begin(kRelevanceMappings));
}

std::string_view name(RelevanceMapping mapping) {
  return kRelevanceMappings[static_cast<std::size_t>(mapping)];
}

std::size_t outputs(RelevanceMapping mapping) {
  if (mapping == RelevanceMapping::offset) return 1;
  return mapping == RelevanceMapping::power ? 3 : 2;
}

double RelevanceCurve::logit(double cosine) const {
  if (exponent == 1) return slope * cosine + offset;
  return slope * std::pow(std::clamp(cosine, kLeastCosine, 1.0), exponent) + offset;
}

double RelevanceCurve::relevance(double cosine) const { return sigmoid(logit(cosine)); }

RelevanceAdapter::RelevanceAdapter(Content content) : content_(std::move(content)) {
  const std::vector<Layer>& layers = content_.layers;
  if (layers.empty() || layers.size() > kMostLayers) {
    refuse(std::to_string(layers.size()) + " layers, expected 1 to " + std::to_string(kMostLayers));
  }
  std::size_t inputs = layers.front().weight.cols();
  if (inputs == 0) refuse("no dimensions");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    check_layer(layers[l], l, inputs);
    inputs = layers[l].weight.rows();
  }
  const std::size_t wanted = outputs(content_.mapping);
  if (inputs != wanted) {
    refuse(std::to_string(inputs) + " numbers a query, but the mapping " +
           std::string(name(content_.mapping)) + " takes " + std::to_string(wanted));
  }
  for (const double each : {content_.gain, content_.bias, content_.threshold, content_.recall}) {
    if (!std::isfinite(each)) refuse("a number that isn't finite");
  }
}

RelevanceCurve RelevanceAdapter::curve(const float* query) const {
  std::vector<double> x(query, query + dim());
  double squares = 0;
  for (const double value : x) squares += value * value;
  if (!std::isfinite(squares) || squares == 0) {
    refuse(squares == 0 ? "a query of zeros, which has no direction" : "a query that isn't finite");
  }
  for (double& value : x) value /= std::sqrt(squares);
  for (std::size_t l = 0; l < content_.layers.size(); ++l) {
    if (l > 0) {
      for (double& value : x) value = std::max(value, 0.0);
    }
    x = apply(content_.layers[l], std::move(x));
  }
  RelevanceCurve curve;
  switch (content_.mapping) {
    case RelevanceMapping::offset:
      curve.offset = x[0];
      break;
    case RelevanceMapping::sqrt:
      curve.exponent = 0.5;
      break;
    case RelevanceMapping::quadratic:
      curve.exponent = 2;
      break;
    case RelevanceMapping::power:
      curve.exponent = 2 * sigmoid(x[2]);
      break;
    case RelevanceMapping::linear:
      break;
  }
  if (content_.mapping != RelevanceMapping::offset) {
    curve.slope = content_.free_slope ? x[0] : softplus(x[0]) + kLeastSlope;
    curve.offset = x[1];
  }
  curve.slope *= content_.gain;
  curve.offset = content_.gain * curve.offset + content_.bias;
  return curve;
}

void RelevanceAdapter::save(const std::string& path) const {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", kKind);
  meta.set("mapping", std::string(name(content_.mapping)));
  meta.set("free_slope", std::uint64_t{content_.free_slope});
  meta.set("gain", content_.gain);
  meta.set("bias", content_.bias);
  meta.set("threshold", content_.threshold);
  meta.set("recall", content_.recall);
  meta.set("model", content_.model);
  meta.set("layers", std::uint64_t{content_.layers.size()});
  for (std::size_t l = 0; l < content_.layers.size(); ++l) {
    const Layer& layer = content_.layers[l];
    const std::string prefix = "layer" + std::to_string(l) + ".";
    meta.set(prefix + "inputs", std::uint64_t{layer.weight.cols()});
    meta.set(prefix + "outputs", std::uint64_t{layer.weight.rows()});
    meta.set(prefix + "norm", std::uint64_t{!layer.scale.empty()});
    writer.add_rows(prefix + "weight", layer.weight);
    writer.add_copy<float>(prefix + "bias", layer.bias);
    if (layer.scale.empty()) continue;
    writer.add_copy<float>(prefix + "scale", layer.scale);
    writer.add_copy<float>(prefix + "shift", layer.shift);
  }
  writer.add_text("meta", meta.text());
  writer.write(path, {});
}

RelevanceAdapter RelevanceAdapter::open(const std::string& path) {
  return read_relevance(KithFileReader::open(path, true));
}

RelevanceAdapter read_relevance(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  if (!meta.has("kind") || meta.string("kind") != kKind) {
    reader.fail("no relevance adapter, which `kith train relevance` makes");
  }
  const auto floats = [&](const std::string& section, std::size_t count) {
    const std::span<const float> values = reader.array<float>(section, count);
    return std::vector<float>(values.begin(), values.end());
  };
  RelevanceAdapter::Content content;
  try {
    content.mapping = relevance_mapping(meta.string("mapping"));
  } catch (const Error& error) {
    reader.fail(error.what());
  }
  content.free_slope = meta.number("free_slope", 1) == 1;
  content.gain = meta.real("gain");
  content.bias = meta.real("bias");
  content.threshold = meta.real("threshold");
  content.recall = meta.real("recall");
  content.model = meta.string("model");
  const std::size_t layers = meta.number("layers", kMostLayers);
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string prefix = "layer" + std::to_string(l) + ".";
    const std::size_t inputs = meta.number(prefix + "inputs", kMostWidth);
    const std::size_t rows = meta.number(prefix + "outputs", kMostWidth);
    RelevanceAdapter::Layer layer;
    layer.weight = reader.rows(prefix + "weight", rows, inputs);
    layer.bias = floats(prefix + "bias", rows);
    if (meta.number(prefix + "norm", 1) == 1) {
      layer.scale = floats(prefix + "scale", inputs);
      layer.shift = floats(prefix + "shift", inputs);
    }
    content.layers.push_back(std::move(layer));
  }
  try {
    return RelevanceAdapter(std::move(content));
  } catch (const Error& error) {
    reader.fail(error.what());
  }
}

}  // namespace kith

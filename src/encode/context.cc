#include "encode/context.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "kith/error.h"

namespace kith::encode {
namespace {

constexpr std::size_t kMostTokens = 1 << 24;  // as many as a model's own length may be

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

[[noreturn]] void refuse(const std::string& message, ErrorCode code = ErrorCode::invalid_argument) {
  throw Error(code, message);
}

// Throws unless the model has positions that this extension can move.
void check_positions(const Config& config, Extension extension) {
  const bool learned = config.position_rows != 0, rotary = !config.rotary.empty();
  const bool rotary_only = extension == Extension::ntk || extension == Extension::selfextend;
  const std::string who =
      std::string(extension_name(extension)) + ": a model of type " + config.architecture + " has ";
  if (learned && rotary_only) {
    refuse(who + "learned positions, which pcw, gp, rp and pi extend", ErrorCode::unsupported);
  }
  if (!learned && !rotary) {
    refuse(who + "no positions to move; pcw extends it", ErrorCode::unsupported);
  }
  for (const Rotary& each : config.rotary) {
    if (each.scaling == RotaryScaling::none) continue;
    refuse(who + "a rotary scaling already; pcw extends it", ErrorCode::unsupported);
  }
}

double default_lambda(std::size_t stretch) {
  const auto s = static_cast<double>(stretch);
  if (stretch <= 1) return 1;
  return stretch <= 4 ? s + 1 : 1.25 * s;
}

std::size_t largest_distance(const ContextPlan& context, std::size_t tokens) {
  return grouped_position(context, tokens - 1) + group_shift(context);
}

void plan_groups(const ContextOptions& options, std::size_t stretch, ContextPlan& context) {
  context.group = options.group.value_or(stretch + 1);
  context.window = options.window.value_or(std::max<std::size_t>(1, context.trained / stretch));
  if (context.group == 0 || context.window == 0) {
    refuse("selfextend: a group of " + std::to_string(context.group) + " and a window of " +
           std::to_string(context.window) + ", expected 1 or more");
  }
  if (options.tokens <= context.trained) return;  // no text is long enough to be grouped
  // Where the division leaves a rest, the default may be one too far.
  while (!options.window && context.window > 1 &&
         largest_distance(context, options.tokens) > context.trained) {
    --context.window;
  }
  const std::size_t most = largest_distance(context, options.tokens);
  if (most <= context.trained) {
    // Any larger window keeps the same distances exact.
    context.window = std::min(context.window, options.tokens);
    return;
  }
  refuse("selfextend: group " + std::to_string(context.group) + " and window " +
         std::to_string(context.window) + " put tokens of " + std::to_string(options.tokens) +
         " up to " + std::to_string(most) + " apart, but the model was trained on " +
         std::to_string(context.trained) + "; larger groups or a smaller window put them nearer");
}

bool reaches_beyond(const LayerPlan& layer, std::size_t trained) {
  if (layer.back >= trained || layer.forward >= trained) return true;
  return layer.back + layer.forward + 1 >= trained;
}

// Gives the layers that the extension reaches rotary embeddings of their own.
void rotate_otherwise(Config& config, const ContextOptions& options, std::size_t stretch) {
  const std::size_t kinds = config.rotary.size();
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    const auto turned_so = [&](const LayerPlan& layer) {
      return layer.stretched && layer.rotary == kind;
    };
    if (std::ranges::none_of(config.layers, turned_so)) continue;
    Rotary other = config.rotary[kind];
    if (options.extension == Extension::pi) {
      other.scaling = RotaryScaling::linear;
      other.factor = static_cast<double>(stretch);
    } else {
      other.theta *= options.ntk_lambda.value_or(default_lambda(stretch));
    }
    for (LayerPlan& layer : config.layers) {
      if (turned_so(layer)) layer.rotary = config.rotary.size();
    }
    config.rotary.push_back(other);
  }
}

}  // namespace

const char* extension_name(Extension extension) {
  constexpr const char* kNames[] = {"none", "pcw", "gp", "rp", "pi", "ntk", "selfextend"};
  return kNames[static_cast<std::size_t>(extension)];
}

Config extended(Config config, const ContextOptions& options, std::size_t trained) {
  const Extension extension = options.extension;
  if (options.tokens > kMostTokens) {
    refuse("a context of " + std::to_string(options.tokens) + " tokens, expected at most " +
           std::to_string(kMostTokens));
  }
  if (options.ntk_lambda && extension != Extension::ntk) {
    refuse(std::string(extension_name(extension)) + ": a lambda is of ntk alone");
  }
  if ((options.group || options.window) && extension != Extension::selfextend) {
    refuse(std::string(extension_name(extension)) +
           ": groups and a window are of selfextend alone");
  }
  if (extension == Extension::none) {
    if (options.tokens > config.max_tokens) {
      refuse("a context of " + std::to_string(options.tokens) + " tokens, but the model takes " +
             std::to_string(config.max_tokens) + " without an extension");
    }
    return config;
  }
  const std::string name = extension_name(extension);
  if (config.context.extension != Extension::none) {
    refuse(name + ": the model's positions are interpolated already, for texts of " +
               std::to_string(config.max_tokens) + " tokens",
           ErrorCode::unsupported);
  }
  if (options.tokens == 0) refuse(name + ": expected the tokens of the longest text beside it");
  if (trained < 2) refuse(name + ": the model takes a single token", ErrorCode::unsupported);
  config.context = {.extension = extension, .trained = trained};
  if (extension == Extension::pcw) return config;
  check_positions(config, extension);
  if (options.ntk_lambda && !(*options.ntk_lambda >= 1 && std::isfinite(*options.ntk_lambda))) {
    refuse("ntk: lambda " + std::to_string(*options.ntk_lambda) + ", expected 1 or more");
  }
  const std::size_t stretch = std::max<std::size_t>(1, ceil_div(options.tokens, trained));
  config.context.scale_attention = options.scale_attention;
  config.max_tokens = options.tokens;
  for (LayerPlan& layer : config.layers) layer.stretched = reaches_beyond(layer, trained);
  if (extension == Extension::selfextend) plan_groups(options, stretch, config.context);
  if (config.position_rows == 0) {
    if (extension == Extension::pi || extension == Extension::ntk) {
      rotate_otherwise(config, options, stretch);
    }
  } else if (extension == Extension::pi) {
    config.context.stretch = stretch;
    config.position_rows = config.position_offset + trained * stretch;
  }
  return config;
}

void interpolate(Config& config, std::size_t trained) {
  config.context = {.extension = Extension::pi,
                    .trained = trained,
                    .stretch = config.max_tokens / trained,
                    .scale_attention = true};
  for (LayerPlan& layer : config.layers) layer.stretched = reaches_beyond(layer, trained);
}

Matrix<float> stretched_table(MatrixView<const float> table, std::size_t offset,
                              std::size_t trained, std::size_t stretch) {
  const std::size_t width = table.cols();
  Matrix<float> rows(offset + trained * stretch, width);
  for (std::size_t i = 0; i < offset; ++i) {
    std::memcpy(rows.row(i), table.row(i), width * sizeof(float));
  }
  for (std::size_t i = 0; i < trained * stretch; ++i) {
    const float* from = table.row(offset + i / stretch);
    const float* next = table.row(offset + std::min(i / stretch + 1, trained - 1));
    const double part = static_cast<double>(i % stretch) / static_cast<double>(stretch);
    float* to = rows.row(offset + i);
    for (std::size_t j = 0; j < width; ++j) {
      to[j] = static_cast<float>((1 - part) * from[j] + part * next[j]);
    }
  }
  return rows;
}

std::size_t position_id(const ContextPlan& context, std::size_t place, std::size_t length) {
  if (context.extension == Extension::gp) return place / ceil_div(length, context.trained);
  if (context.extension == Extension::rp) return place % context.trained;
  // A text that the model takes by itself keeps its trained positions.
  if (context.extension == Extension::pi && length <= context.trained) {
    return place * context.stretch;
  }
  return place;
}

long extended_distance(const ContextPlan& context, std::size_t i, std::size_t j) {
  const auto exact = static_cast<long>(j) - static_cast<long>(i);
  if (std::abs(exact) < static_cast<long>(context.window)) return exact;
  const auto grouped = static_cast<long>(grouped_position(context, j)) -
                       static_cast<long>(grouped_position(context, i));
  const auto shift = static_cast<long>(group_shift(context));
  return exact < 0 ? grouped - shift : grouped + shift;
}

double attention_scale(const ContextPlan& context, const LayerPlan& layer, std::size_t place,
                       std::size_t length) {
  if (!context.scale_attention || !layer.stretched || length <= context.trained) return 1;
  const bool by_place = context.extension == Extension::selfextend && layer.forward == 0;
  const auto seen = static_cast<double>(by_place ? place + 1 : length);
  return std::max(1.0, std::log(seen) / std::log(static_cast<double>(context.trained)));
}

}  // namespace kith::encode

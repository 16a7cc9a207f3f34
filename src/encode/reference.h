// Plain loops in double that follow the published modelling code of each architecture
// (transformers' modeling_*.py), read tensors by their published names and share nothing with the
// engine. Slow and obvious: what the engine is compared with.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "encode/test_checkpoint.h"

namespace kith::encode::reference {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

// One text, perhaps padded: tokens whose mask is 0 are seen by none. `positions` as transformers
// would compute them, which for padding in front is cumsum(mask) - 1.
struct Text {
  std::vector<std::uint32_t> ids, types, mask;
  std::vector<std::size_t> positions;
  // Of rotary models: how far token j stands from token i, in place of positions.
  std::function<double(std::size_t i, std::size_t j)> distance = {};
  // What the scores of token i are multiplied with.
  std::function<double(std::size_t i)> scale = {};
};

inline Rows linear(const Checkpoint& c, const std::string& name, const Rows& x,
                   bool transposed = false) {
  const std::vector<float>& w = c[name + ".weight"];
  const std::size_t in = x[0].size(), out = w.size() / in;
  const std::vector<float> bias =
      c.has(name + ".bias") ? c[name + ".bias"] : std::vector<float>(out);
  Rows y;
  for (const Row& row : x) {
    Row result(out);
    for (std::size_t j = 0; j < out; ++j) {
      double sum = bias[j];
      for (std::size_t k = 0; k < in; ++k) sum += row[k] * w[transposed ? k * out + j : j * in + k];
      result[j] = sum;
    }
    y.push_back(result);
  }
  return y;
}

inline Row layer_norm(const Checkpoint& c, const std::string& name, Row x, double epsilon) {
  double mean = 0, variance = 0;
  const auto n = static_cast<double>(x.size());
  for (const double v : x) mean += v / n;
  for (const double v : x) variance += (v - mean) * (v - mean) / n;
  const std::vector<float>& weight = c[name + ".weight"];
  const float* bias = c.has(name + ".bias") ? c[name + ".bias"].data() : nullptr;
  for (std::size_t j = 0; j < x.size(); ++j) {
    x[j] = (x[j] - mean) / std::sqrt(variance + epsilon) * weight[j];
    if (bias != nullptr) x[j] += bias[j];
  }
  return x;
}
inline Rows layer_norm(const Checkpoint& c, const std::string& name, Rows x, double epsilon) {
  for (Row& row : x) row = layer_norm(c, name, row, epsilon);
  return x;
}

inline Row rms_norm(const Checkpoint& c, const std::string& name, Row x, double epsilon) {
  double square = 0;
  for (const double v : x) square += v * v / static_cast<double>(x.size());
  const std::vector<float>& weight = c[name + ".weight"];
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = weight[j] * x[j] / std::sqrt(square + epsilon);
  return x;
}
inline Rows rms_norm(const Checkpoint& c, const std::string& name, Rows x, double epsilon) {
  for (Row& row : x) row = rms_norm(c, name, row, epsilon);
  return x;
}

inline double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
inline double gelu_new(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
inline double silu(double x) { return x / (1 + std::exp(-x)); }
inline double relu(double x) { return x > 0 ? x : 0; }

inline Rows map(Rows x, double (*f)(double)) {
  for (Row& row : x) {
    for (double& v : row) v = f(v);
  }
  return x;
}
inline Rows times(Rows x, const Rows& y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x[i].size(); ++j) x[i][j] *= y[i][j];
  }
  return x;
}
inline Rows plus(Rows x, const Rows& y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x[i].size(); ++j) x[i][j] += y[i][j];
  }
  return x;
}
// Columns [first, first + count).
inline Rows columns(const Rows& x, std::size_t first, std::size_t count) {
  Rows y;
  for (const Row& row : x) {
    y.emplace_back(row.begin() + static_cast<long>(first),
                   row.begin() + static_cast<long>(first + count));
  }
  return y;
}

// Adds row `place(i)` of an embedding table to row i.
inline void embed(const Checkpoint& c, const std::string& name, Rows& x,
                  const std::function<std::size_t(std::size_t)>& place) {
  const std::vector<float>& table = c[name];
  const std::size_t width = x[0].size();
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < width; ++j) x[i][j] += table[place(i) * width + j];
  }
}

using Sees = std::function<bool(std::size_t, std::size_t)>;
using Bias = std::function<double(std::size_t head, std::size_t i, std::size_t j)>;

inline Rows attention(const Rows& q, const Rows& k, const Rows& v, std::size_t heads,
                      std::size_t kv_heads, const Text& text, const Sees& sees,
                      const Bias& bias = {}) {
  const std::size_t n = q.size(), dim = q[0].size() / heads, group = heads / kv_heads;
  Rows out(n, Row(q[0].size()));
  for (std::size_t head = 0; head < heads; ++head) {
    const std::size_t other = head / group;
    for (std::size_t i = 0; i < n; ++i) {
      Row weight(n);
      double most = -1e300, total = 0;
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t d = 0; d < dim; ++d) {
          weight[j] += q[i][head * dim + d] * k[j][other * dim + d] / std::sqrt(double(dim));
        }
        if (text.scale) weight[j] *= text.scale(i);
        if (bias) weight[j] += bias(head, i, j);
        if (text.mask[j] == 0 || !sees(i, j)) weight[j] = -1e300;
        most = std::max(most, weight[j]);
      }
      for (double& w : weight) total += w = std::exp(w - most);
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t d = 0; d < dim; ++d) {
          out[i][head * dim + d] += weight[j] / total * v[j][other * dim + d];
        }
      }
    }
  }
  return out;
}

inline bool sees_all(std::size_t, std::size_t) { return true; }

// A head's product of query a with key b turned by an angle a pair of its first `dims`.
inline double turned_product(const double* a, const double* b, std::size_t dim, std::size_t dims,
                             const Row& frequencies, bool interleaved, double distance) {
  double sum = 0;
  for (std::size_t p = 0; p < dims / 2; ++p) {
    const double angle = distance * frequencies[p];
    const std::size_t x = interleaved ? 2 * p : p, y = interleaved ? 2 * p + 1 : p + dims / 2;
    sum += a[x] * (b[x] * std::cos(angle) - b[y] * std::sin(angle));
    sum += a[y] * (b[y] * std::cos(angle) + b[x] * std::sin(angle));
  }
  for (std::size_t d = dims; d < dim; ++d) sum += a[d] * b[d];
  return sum;
}

// Rotary attention by text.distance, of queries and keys that weren't turned.
inline Rows attention_by_distance(const Rows& q, const Rows& k, const Rows& v, std::size_t heads,
                                  std::size_t kv_heads, std::size_t dims, const Row& frequencies,
                                  bool interleaved, const Text& text, const Sees& sees) {
  const std::size_t n = q.size(), dim = q[0].size() / heads;
  Rows out(n, Row(q[0].size()));
  for (std::size_t head = 0; head < heads; ++head) {
    const std::size_t other = head / (heads / kv_heads);
    for (std::size_t i = 0; i < n; ++i) {
      Row weight(n);
      double total = 0;
      for (std::size_t j = 0; j < n; ++j) {
        if (!sees(i, j)) continue;
        const double product = turned_product(&q[i][head * dim], &k[j][other * dim], dim, dims,
                                              frequencies, interleaved, text.distance(i, j));
        weight[j] = std::exp(product / std::sqrt(double(dim)) * (text.scale ? text.scale(i) : 1));
        total += weight[j];
      }
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t d = 0; d < dim; ++d) {
          out[i][head * dim + d] += weight[j] / total * v[j][other * dim + d];
        }
      }
    }
  }
  return out;
}

// Rotates the first `dims` of every head by position * frequency, as rotate_half does, or by pairs
// of neighbours.
inline Rows rotated(Rows x, std::size_t heads, std::size_t dims, const Text& text,
                    const Row& frequencies, bool interleaved = false, double factor = 1) {
  const std::size_t dim = x[0].size() / heads;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t head = 0; head < heads; ++head) {
      for (std::size_t p = 0; p < dims / 2; ++p) {
        const double angle = static_cast<double>(text.positions[i]) * frequencies[p];
        const std::size_t first = head * dim + (interleaved ? 2 * p : p);
        const std::size_t second = head * dim + (interleaved ? 2 * p + 1 : p + dims / 2);
        const double a = x[i][first], b = x[i][second];
        x[i][first] = factor * (a * std::cos(angle) - b * std::sin(angle));
        x[i][second] = factor * (b * std::cos(angle) + a * std::sin(angle));
      }
    }
  }
  return x;
}

inline Row plain_frequencies(double base, std::size_t dims) {
  Row frequencies;
  for (std::size_t i = 0; i < dims; i += 2) {
    frequencies.push_back(1 / std::pow(base, double(i) / double(dims)));
  }
  return frequencies;
}

// modeling_rope_utils.py
struct Rope {
  Row frequencies;
  double factor = 1;
};
inline Rope rope(const nlohmann::json& config, std::size_t dims, std::size_t length) {
  const double base = config.value("rope_theta", 10000.0);
  const auto most = config.at("max_position_embeddings").get<double>();
  Rope result{plain_frequencies(base, dims), 1};
  if (!config.contains("rope_scaling") || config["rope_scaling"].is_null()) return result;
  const nlohmann::json& scaling = config["rope_scaling"];
  const std::string type = scaling.value("rope_type", scaling.value("type", "default"));
  const double factor = scaling.value("factor", 1.0);
  const double trained = scaling.value("original_max_position_embeddings", most);
  if (type == "linear") {
    for (double& f : result.frequencies) f /= factor;
  } else if (type == "dynamic") {
    const double seen = std::max(double(length), most);
    const double longer =
        std::pow(factor * seen / most - (factor - 1), double(dims) / (double(dims) - 2));
    result.frequencies = plain_frequencies(base * longer, dims);
  } else if (type == "yarn") {
    result.factor = scaling.value("attention_factor", factor <= 1 ? 1 : 0.1 * std::log(factor) + 1);
    const auto correction = [&](double rotations) {
      return double(dims) * std::log(trained / (rotations * 2 * M_PI)) / (2 * std::log(base));
    };
    const double low = std::max(std::floor(correction(scaling.value("beta_fast", 32.0))), 0.0);
    const double high =
        std::min(std::ceil(correction(scaling.value("beta_slow", 1.0))), double(dims) - 1);
    for (std::size_t i = 0; i < result.frequencies.size(); ++i) {
      const double ramp = std::min(
          1.0, std::max(0.0, (double(i) - low) / (high - low + (low == high ? 0.001 : 0))));
      const double extrapolated = result.frequencies[i], interpolated = extrapolated / factor;
      result.frequencies[i] = interpolated * ramp + extrapolated * (1 - ramp);
    }
  } else if (type == "llama3") {
    const double low = scaling.at("low_freq_factor"), high = scaling.at("high_freq_factor");
    for (double& f : result.frequencies) {
      const double wavelength = 2 * M_PI / f;
      if (wavelength < trained / high) continue;
      if (wavelength > trained / low) {
        f /= factor;
      } else {
        const double smooth = (trained / wavelength - low) / (high - low);
        f = (1 - smooth) * f / factor + smooth * f;
      }
    }
  }
  return result;
}

// ---- BERT, RoBERTa, XLM-R, MPNet ----------------------------------------------------------------

// create_position_ids_from_input_ids: padding stays at padding_idx.
inline std::vector<std::size_t> positions_from_ids(const Text& text, std::uint32_t pad) {
  std::vector<std::size_t> places;
  std::size_t seen = 0;
  for (const std::uint32_t id : text.ids) places.push_back(id == pad ? pad : pad + ++seen);
  return places;
}

inline double alibi_slope(std::size_t head, std::size_t heads) {
  const auto power_of_two = [](std::size_t n) {
    std::vector<double> slopes;
    const double start = std::pow(2, -std::pow(2, -(std::log2(double(n)) - 3)));
    for (std::size_t i = 0; i < n; ++i) slopes.push_back(std::pow(start, double(i + 1)));
    return slopes;
  };
  std::size_t closest = 1;
  while (closest * 2 <= heads) closest *= 2;
  if (head < closest) return power_of_two(closest)[head];
  return power_of_two(2 * closest)[2 * (head - closest)];
}

inline std::vector<Rows> bert(const Checkpoint& c, const Text& text) {
  const std::size_t width = c.setting("hidden_size"), heads = c.setting("num_attention_heads");
  const double epsilon = c.config.at("layer_norm_eps");
  const std::string type = c.config.at("model_type");
  const bool alibi = c.config.value("position_embedding_type", "absolute") == "alibi";
  std::vector<std::size_t> places = text.positions;
  if (type != "bert") places = positions_from_ids(text, c.config.at("pad_token_id"));
  Rows x(text.ids.size(), Row(width));
  embed(c, "embeddings.word_embeddings.weight", x, [&](std::size_t i) { return text.ids[i]; });
  embed(c, "embeddings.token_type_embeddings.weight", x,
        [&](std::size_t i) { return text.types[i]; });
  if (!alibi) {
    embed(c, "embeddings.position_embeddings.weight", x, [&](std::size_t i) { return places[i]; });
  }
  x = layer_norm(c, "embeddings.LayerNorm", x, epsilon);
  std::vector<double> slopes;
  for (std::size_t h = 0; h < heads; ++h) slopes.push_back(alibi_slope(h, heads));
  Bias bias;
  if (alibi) {
    bias = [&](std::size_t h, std::size_t i, std::size_t j) {
      return -slopes[h] * std::abs(double(i) - double(j));
    };
  }
  std::vector<Rows> states = {x};
  for (std::size_t l = 0; l < c.setting("num_hidden_layers"); ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    const std::string self = layer + "attention.self.";
    const Rows a = attention(linear(c, self + "query", x), linear(c, self + "key", x),
                             linear(c, self + "value", x), heads, heads, text, sees_all, bias);
    x = layer_norm(c, layer + "attention.output.LayerNorm",
                   plus(linear(c, layer + "attention.output.dense", a), x), epsilon);
    if (c.config.contains("feed_forward_type")) {
      const Rows both = linear(c, layer + "mlp.gated_layers", x);
      const std::size_t n = both[0].size() / 2;
      const Rows h = times(map(columns(both, 0, n), gelu), columns(both, n, n));
      x = layer_norm(c, layer + "mlp.layernorm", plus(linear(c, layer + "mlp.wo", h), x), epsilon);
    } else {
      const auto act = c.config.at("hidden_act") == "relu" ? relu : gelu;
      const Rows h = map(linear(c, layer + "intermediate.dense", x), act);
      x = layer_norm(c, layer + "output.LayerNorm", plus(linear(c, layer + "output.dense", h), x),
                     epsilon);
    }
    states.push_back(x);
  }
  return states;
}

// MPNetEncoder.relative_position_bucket
inline std::size_t mpnet_bucket(long relative, std::size_t buckets) {
  std::size_t result = 0;
  long n = -relative;
  buckets /= 2;
  if (n < 0) result += buckets;
  n = std::abs(n);
  const auto exact = static_cast<long>(buckets / 2);
  if (n < exact) return result + static_cast<std::size_t>(n);
  // In float32, as torch computes it: whole powers of the base fall on borders.
  const float large = std::log(float(n) / float(exact)) / float(std::log(128.0 / double(exact))) *
                      float(long(buckets) - exact);
  return result +
         std::min(static_cast<std::size_t>(exact) + static_cast<std::size_t>(large), buckets - 1);
}

inline std::vector<Rows> mpnet(const Checkpoint& c, const Text& text) {
  const std::size_t width = c.setting("hidden_size"), heads = c.setting("num_attention_heads");
  const std::size_t buckets = c.setting("relative_attention_num_buckets");
  const double epsilon = c.config.at("layer_norm_eps");
  const std::vector<std::size_t> places = positions_from_ids(text, 1);
  Rows x(text.ids.size(), Row(width));
  embed(c, "embeddings.word_embeddings.weight", x, [&](std::size_t i) { return text.ids[i]; });
  embed(c, "embeddings.position_embeddings.weight", x, [&](std::size_t i) { return places[i]; });
  x = layer_norm(c, "embeddings.LayerNorm", x, epsilon);
  const std::vector<float>& table = c["encoder.relative_attention_bias.weight"];
  const Bias bias = [&](std::size_t h, std::size_t i, std::size_t j) {
    return double(table[mpnet_bucket(long(j) - long(i), buckets) * heads + h]);
  };
  std::vector<Rows> states = {x};
  for (std::size_t l = 0; l < c.setting("num_hidden_layers"); ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    const std::string attn = layer + "attention.attn.";
    const Rows a = attention(linear(c, attn + "q", x), linear(c, attn + "k", x),
                             linear(c, attn + "v", x), heads, heads, text, sees_all, bias);
    x = layer_norm(c, layer + "attention.LayerNorm", plus(linear(c, attn + "o", a), x), epsilon);
    const Rows h = map(linear(c, layer + "intermediate.dense", x), gelu);
    x = layer_norm(c, layer + "output.LayerNorm", plus(linear(c, layer + "output.dense", h), x),
                   epsilon);
    states.push_back(x);
  }
  return states;
}

// ---- Universal Sentence Encoder lite ------------------------------------------------------------

// As its graph's nodes say; use_lite_test.cc runs the graph itself.
inline std::vector<Rows> use_lite(const Checkpoint& c, const Text& text) {
  const std::size_t narrow = c.setting("embedding_size"), heads = c.setting("num_attention_heads");
  const double epsilon = c.config.at("layer_norm_eps");
  Rows embedded(text.ids.size(), Row(narrow));
  embed(c, "tokens.weight", embedded, [&](std::size_t i) { return text.ids[i]; });
  embed(c, "positions.weight", embedded, [&](std::size_t i) { return text.positions[i]; });
  Rows x = linear(c, "projection", embedded);
  std::vector<Rows> states = {x};
  for (std::size_t l = 0; l < c.setting("num_hidden_layers"); ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    const Rows in = layer_norm(c, layer + "attention_norm", l == 0 ? embedded : x, epsilon);
    const Rows qkv = linear(c, layer + "attention.qkv", in);
    const std::size_t n = in[0].size();
    const Rows a = attention(columns(qkv, 0, n), columns(qkv, n, n), columns(qkv, 2 * n, n), heads,
                             heads, text, sees_all);
    x = plus(x, linear(c, layer + "attention.out", a));
    const Rows m = layer_norm(c, layer + "mlp_norm", x, epsilon);
    x = plus(x, linear(c, layer + "mlp.down", map(linear(c, layer + "mlp.up", m), relu)));
    states.push_back(x);
  }
  return states;
}

// ---- ModernBERT, Nomic-BERT ---------------------------------------------------------------------

inline std::vector<Rows> modernbert(const Checkpoint& c, const Text& text) {
  const std::size_t width = c.setting("hidden_size"), heads = c.setting("num_attention_heads");
  const std::size_t dim = width / heads, layers = c.setting("num_hidden_layers");
  const double epsilon = c.config.at("norm_eps");
  const auto reach = static_cast<long>(c.setting("local_attention") / 2);
  Rows x(text.ids.size(), Row(width));
  embed(c, "embeddings.tok_embeddings.weight", x, [&](std::size_t i) { return text.ids[i]; });
  x = layer_norm(c, "embeddings.norm", x, epsilon);
  std::vector<Rows> states = {x};
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    const bool local = l % c.setting("global_attn_every_n_layers") != 0;
    const double base = c.config.at(local ? "local_rope_theta" : "global_rope_theta");
    const Row frequencies = plain_frequencies(base, dim);
    const Rows in = l == 0 ? x : layer_norm(c, layer + "attn_norm", x, epsilon);
    const Rows qkv = linear(c, layer + "attn.Wqkv", in);
    const Sees sees = [&](std::size_t i, std::size_t j) {
      return !local || std::abs(long(i) - long(j)) <= reach;
    };
    const Rows a = attention(rotated(columns(qkv, 0, width), heads, dim, text, frequencies),
                             rotated(columns(qkv, width, width), heads, dim, text, frequencies),
                             columns(qkv, 2 * width, width), heads, heads, text, sees);
    x = plus(x, linear(c, layer + "attn.Wo", a));
    const Rows both = linear(c, layer + "mlp.Wi", layer_norm(c, layer + "mlp_norm", x, epsilon));
    const std::size_t n = both[0].size() / 2;
    x = plus(
        x, linear(c, layer + "mlp.Wo", times(map(columns(both, 0, n), gelu), columns(both, n, n))));
    states.push_back(l + 1 == layers ? layer_norm(c, "final_norm", x, epsilon) : x);
  }
  return states;
}

inline std::vector<Rows> nomic(const Checkpoint& c, const Text& text) {
  const std::size_t width = c.setting("n_embd"), heads = c.setting("n_head");
  const std::size_t dim = width / heads;
  const double epsilon = c.config.at("layer_norm_epsilon");
  const double part = c.config.at("rotary_emb_fraction");
  const auto dims = static_cast<std::size_t>(double(dim) * part);
  const bool interleaved = c.config.at("rotary_emb_interleaved");
  const std::string act = c.config.at("activation_function");
  Rows x(text.ids.size(), Row(width));
  embed(c, "embeddings.word_embeddings.weight", x, [&](std::size_t i) { return text.ids[i]; });
  embed(c, "embeddings.token_type_embeddings.weight", x,
        [&](std::size_t i) { return text.types[i]; });
  if (dims == 0) {
    embed(c, "embeddings.position_embeddings.weight", x,
          [&](std::size_t i) { return text.positions[i]; });
  }
  x = layer_norm(c, "emb_ln", x, epsilon);
  const Row frequencies = plain_frequencies(c.config.at("rotary_emb_base"), dims);
  std::vector<Rows> states = {x};
  for (std::size_t l = 0; l < c.setting("n_layer"); ++l) {
    const std::string layer = "encoder.layers." + std::to_string(l) + ".";
    const Rows qkv = linear(c, layer + "attn.Wqkv", x);
    const auto turned = [&](std::size_t first) {
      return rotated(columns(qkv, first, width), heads, dims, text, frequencies, interleaved);
    };
    const Rows v = columns(qkv, 2 * width, width);
    const Rows a =
        text.distance
            ? attention_by_distance(columns(qkv, 0, width), columns(qkv, width, width), v, heads,
                                    heads, dims, frequencies, interleaved, text, sees_all)
            : attention(turned(0), turned(width), v, heads, heads, text, sees_all);
    x = layer_norm(c, layer + "norm1", plus(linear(c, layer + "attn.out_proj", a), x), epsilon);
    Rows h;
    if (act == "gelu") {
      h = map(linear(c, layer + "mlp.fc1", x), gelu);
    } else {
      h = times(linear(c, layer + "mlp.fc11", x),
                map(linear(c, layer + "mlp.fc12", x), act == "swiglu" ? silu : gelu));
    }
    x = layer_norm(c, layer + "norm2", plus(linear(c, layer + "mlp.fc2", h), x), epsilon);
    states.push_back(x);
  }
  return states;
}

// ---- GPT-2, Llama, Mistral, Qwen2, Qwen3 --------------------------------------------------------

inline std::vector<Rows> gpt2(const Checkpoint& c, const Text& text) {
  const std::size_t width = c.setting("n_embd"), heads = c.setting("n_head");
  const std::size_t layers = c.setting("n_layer");
  const double epsilon = c.config.at("layer_norm_epsilon");
  Rows x(text.ids.size(), Row(width));
  embed(c, "wte.weight", x, [&](std::size_t i) { return text.ids[i]; });
  embed(c, "wpe.weight", x, [&](std::size_t i) { return text.positions[i]; });
  std::vector<Rows> states = {x};
  const Sees sees = [](std::size_t i, std::size_t j) { return j <= i; };
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string layer = "h." + std::to_string(l) + ".";
    const Rows qkv =
        linear(c, layer + "attn.c_attn", layer_norm(c, layer + "ln_1", x, epsilon), true);
    const Rows a = attention(columns(qkv, 0, width), columns(qkv, width, width),
                             columns(qkv, 2 * width, width), heads, heads, text, sees);
    x = plus(x, linear(c, layer + "attn.c_proj", a, true));
    const Rows h = map(
        linear(c, layer + "mlp.c_fc", layer_norm(c, layer + "ln_2", x, epsilon), true), gelu_new);
    x = plus(x, linear(c, layer + "mlp.c_proj", h, true));
    states.push_back(l + 1 == layers ? layer_norm(c, "ln_f", x, epsilon) : x);
  }
  return states;
}

inline std::vector<Rows> llama(const Checkpoint& c, const Text& text) {
  const std::size_t width = c.setting("hidden_size"), heads = c.setting("num_attention_heads");
  const std::size_t kv = c.setting("num_key_value_heads"), layers = c.setting("num_hidden_layers");
  const std::size_t dim = c.config.value("head_dim", width / heads);
  const double epsilon = c.config.at("rms_norm_eps");
  const std::string type = c.config.at("model_type");
  const bool both_ways = !c.config.value("is_causal", true);
  const Rope turn = rope(c.config, dim, text.ids.size());
  Rows x(text.ids.size(), Row(width));
  embed(c, "embed_tokens.weight", x, [&](std::size_t i) { return text.ids[i]; });
  std::vector<Rows> states = {x};
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    const Rows in = rms_norm(c, layer + "input_layernorm", x, epsilon);
    Rows q = linear(c, layer + "self_attn.q_proj", in);
    Rows k = linear(c, layer + "self_attn.k_proj", in);
    const auto each_head = [&](Rows& rows, std::size_t count, const std::string& name) {
      for (Row& row : rows) {
        for (std::size_t h = 0; h < count; ++h) {
          const Row normed =
              rms_norm(c, name, Row(row.begin() + long(h * dim), row.begin() + long((h + 1) * dim)),
                       epsilon);
          std::copy(normed.begin(), normed.end(), row.begin() + long(h * dim));
        }
      }
    };
    if (type == "qwen3") {
      each_head(q, heads, layer + "self_attn.q_norm");
      each_head(k, kv, layer + "self_attn.k_norm");
    }
    bool sliding = type == "mistral" && !c.config.at("sliding_window").is_null();
    if (type.starts_with("qwen")) {
      sliding = c.config.value("use_sliding_window", false) && l >= c.setting("max_window_layers");
    }
    const std::size_t window = sliding ? c.setting("sliding_window") : 0;
    const Sees sees = [&](std::size_t i, std::size_t j) {
      return both_ways || (j <= i && (!sliding || i - j < window));
    };
    const Rows v = linear(c, layer + "self_attn.v_proj", in);
    const Rows a =
        text.distance
            ? attention_by_distance(q, k, v, heads, kv, dim, turn.frequencies, false, text, sees)
            : attention(rotated(q, heads, dim, text, turn.frequencies, false, turn.factor),
                        rotated(k, kv, dim, text, turn.frequencies, false, turn.factor), v, heads,
                        kv, text, sees);
    x = plus(x, linear(c, layer + "self_attn.o_proj", a));
    const Rows m = rms_norm(c, layer + "post_attention_layernorm", x, epsilon);
    const Rows h = times(map(linear(c, layer + "mlp.gate_proj", m), silu),
                         linear(c, layer + "mlp.up_proj", m));
    x = plus(x, linear(c, layer + "mlp.down_proj", h));
    states.push_back(l + 1 == layers ? rms_norm(c, "norm", x, epsilon) : x);
  }
  return states;
}

}  // namespace kith::encode::reference

#include "encode/export_onnx.h"

#include <cmath>
#include <cstring>

#include "base/atomic_file.h"
#include "encode/architecture.h"
#include "encode/modules.h"
#include "encode/onnx_writer.h"
#include "encode/weights.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

using Value = OnnxGraph::Value;

std::vector<float> touching(const Matrix<float>& matrix) {
  std::vector<float> values;
  values.reserve(matrix.rows() * matrix.cols());
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    values.insert(values.end(), matrix.row(i), matrix.row(i) + matrix.cols());
  }
  return values;
}

void check(const Config& config) {
  const auto refuse = [&](const char* what) {
    throw Error(ErrorCode::unsupported, config.architecture + ": " + what + " in ONNX");
  };
  if (!config.rotary.empty()) refuse("no rotary positions");
  if (config.context.extension != Extension::none) refuse("no interpolated positions");
  if (config.distance_bias != DistanceBias::none) refuse("no biases by distance");
  if (config.qk_norm || config.norm != NormKind::layer) refuse("no norms but LayerNorm");
  if (config.kv_heads != config.heads) refuse("no grouped queries");
  for (const LayerPlan& layer : config.layers) {
    if (layer.back != kUnlimited || layer.forward != kUnlimited) refuse("no windows");
  }
}

class Exporter {
 public:
  Exporter(const Config& config, const RawWeights& weights) : config_(config), weights_(weights) {}

  std::string run(const Modules& modules) {
    ids_ = graph_.input("input_ids", {"batch", "tokens"});
    mask_ = graph_.node("Cast", {graph_.input("attention_mask", {"batch", "tokens"})},
                        {OnnxGraph::whole("to", 1)});
    if (config_.types != 0) types_ = graph_.input("token_type_ids", {"batch", "tokens"});
    // Of a token that isn't there scores fall so far that its weight is 0.
    const Value missing = graph_.node("Sub", {mask_, graph_.number(1)});
    hidden_keys_ = graph_.node(
        "Mul", {graph_.node("Unsqueeze", {missing, graph_.numbers({1, 2})}), graph_.number(1e9f)});
    Value state = encode();
    graph_.output(state, "token_embeddings", {"batch", "tokens"}, config_.width);
    std::size_t dim = 0;
    const Value vector = add_head(modules, state, dim);
    graph_.output(vector, "sentence_embedding", {"batch"}, dim);
    return graph_.file();
  }

 private:
  Value tensor(const std::string& name, const Matrix<float>& rows) {
    std::vector<std::uint64_t> shape = {rows.rows(), rows.cols()};
    if (rows.rows() == 1) shape.erase(shape.begin());
    return graph_.tensor(name, shape, touching(rows));
  }

  Value norm(const Value& x, const Norm& norm, const std::string& name) {
    std::vector<Value> inputs = {x, tensor(name + ".weight", norm.scale)};
    if (norm.shift.rows() != 0) inputs.push_back(tensor(name + ".bias", norm.shift));
    return graph_.node("LayerNormalization", inputs,
                       {OnnxGraph::whole("axis", -1), OnnxGraph::real("epsilon", config_.epsilon)});
  }

  Value dense(const Value& x, const Matrix<float>& rows, const Matrix<float>& bias,
              const std::string& name) {
    Matrix<float> turned(rows.cols(), rows.rows());
    for (std::size_t i = 0; i < turned.rows(); ++i) {
      for (std::size_t j = 0; j < turned.cols(); ++j) turned(i, j) = rows(j, i);
    }
    const std::vector<std::uint64_t> shape = {turned.rows(), turned.cols()};
    const Value product =
        graph_.node("MatMul", {x, graph_.tensor(name + ".weight", shape, touching(turned))});
    return graph_.node("Add", {product, tensor(name + ".bias", bias)});
  }
  Value dense(const Value& x, const Dense& layer, const std::string& name) {
    return dense(x, layer.rows, layer.bias, name);
  }

  Value gather(const Value& table, const Value& rows) {
    return graph_.node("Gather", {table, rows}, {OnnxGraph::whole("axis", 0)});
  }

  // Positions count the tokens that are there, so that padding may stand on either side.
  Value positions() {
    const Value whole_mask = graph_.node("Cast", {mask_}, {OnnxGraph::whole("to", 7)});
    const Value counted = graph_.node("CumSum", {whole_mask, graph_.whole_number(1)});
    const auto before = static_cast<std::int64_t>(config_.position_offset) - 1;
    const Value shifted = graph_.node("Add", {counted, graph_.numbers({before})});
    return graph_.node("Max", {shifted, graph_.numbers({0})});
  }

  Value embeddings() {
    Value x = gather(tensor("tokens", weights_.tokens), ids_);
    if (config_.position_rows != 0) {
      x = graph_.node("Add", {x, gather(tensor("positions", weights_.positions), positions())});
    }
    if (config_.types != 0) {
      const std::vector<std::uint64_t> shape = {weights_.types.rows(), weights_.types.cols()};
      const Value table = graph_.tensor("types", shape, touching(weights_.types));
      x = graph_.node("Add", {x, gather(table, types_)});
    }
    return config_.embedding_norm ? norm(x, weights_.embedding_norm, "embedding_norm") : x;
  }

  Value encode() {
    const Value embedded = embeddings();
    Value state = config_.embedding_width == 0 ? embedded
                                               : dense(embedded, weights_.projection, "projection");
    for (std::size_t l = 0; l < config_.layers.size(); ++l) {
      state = layer(l, l == 0 && config_.embedding_width != 0 ? embedded : state, state);
    }
    return config_.final_norm ? norm(state, weights_.final_norm, "final_norm") : state;
  }

  // `input` is what attention reads, `state` what its result is added to.
  Value layer(std::size_t l, const Value& input, const Value& state) {
    const LayerWeightsOf<Dense>& weights = weights_.layers[l];
    const std::string name = "layers." + std::to_string(l) + ".";
    const bool before = config_.pre_norm;
    const bool attention_norm = !before || config_.layers[l].attention_norm;
    Value x = before && attention_norm
                  ? norm(input, weights.attention_norm, name + "attention_norm")
                  : input;
    Value sum = graph_.node("Add", {attention(l, x), state});
    if (!before) sum = norm(sum, weights.attention_norm, name + "attention_norm");
    x = before ? norm(sum, weights.mlp_norm, name + "mlp_norm") : sum;
    sum = graph_.node("Add", {feed_forward(l, x), sum});
    return before ? sum : norm(sum, weights.mlp_norm, name + "mlp_norm");
  }

  // Part `index` of queries, keys and values, as batch x heads x tokens x values.
  Value heads(std::size_t l, const Value& qkv, std::size_t index,
              const std::vector<std::int64_t>& order) {
    const auto dim = static_cast<std::int64_t>(config_.head_dim_of(l));
    const auto count = static_cast<std::int64_t>(config_.heads);
    const auto first = static_cast<std::int64_t>(index) * dim * count;
    const Value part = graph_.node(
        "Slice",
        {qkv, graph_.numbers({first}), graph_.numbers({first + dim * count}), graph_.numbers({2})});
    const Value cut = graph_.node("Reshape", {part, graph_.numbers({0, 0, count, dim})});
    return graph_.node("Transpose", {cut}, {OnnxGraph::wholes("perm", order)});
  }

  Value attention(std::size_t l, const Value& x) {
    const LayerWeightsOf<Dense>& weights = weights_.layers[l];
    const std::string name = "layers." + std::to_string(l) + ".attention.";
    const auto dim = static_cast<float>(config_.head_dim_of(l));
    const Value qkv = dense(x, weights.qkv, name + "qkv");
    const Value queries =
        graph_.node("Mul", {heads(l, qkv, 0, {0, 2, 1, 3}), graph_.number(1 / std::sqrt(dim))});
    const Value scores = graph_.node("MatMul", {queries, heads(l, qkv, 1, {0, 2, 3, 1})});
    const Value shares = graph_.node("Softmax", {graph_.node("Add", {scores, hidden_keys_})},
                                     {OnnxGraph::whole("axis", -1)});
    const Value sums = graph_.node("MatMul", {shares, heads(l, qkv, 2, {0, 2, 1, 3})});
    const Value together =
        graph_.node("Transpose", {sums}, {OnnxGraph::wholes("perm", {0, 2, 1, 3})});
    const auto width = static_cast<std::int64_t>(config_.heads * config_.head_dim_of(l));
    return dense(graph_.node("Reshape", {together, graph_.numbers({0, 0, width})}), weights.out,
                 name + "out");
  }

  Value feed_forward(std::size_t l, const Value& x) {
    const LayerWeightsOf<Dense>& weights = weights_.layers[l];
    const std::string name = "layers." + std::to_string(l) + ".mlp.";
    Value up = dense(x, weights.up, name + "up");
    if (config_.gated) {
      const auto n = static_cast<std::int64_t>(config_.hidden);
      const auto part = [&](std::int64_t first) {
        return graph_.node("Slice", {up, graph_.numbers({first}), graph_.numbers({first + n}),
                                     graph_.numbers({2})});
      };
      up = graph_.node("Mul", {activated(part(0), config_.activation), part(n)});
    } else {
      up = activated(up, config_.activation);
    }
    return dense(up, weights.down, name + "down");
  }

  Value activated(const Value& x, Activation activation) {
    const auto half = [&](const Value& factor) {  // x / 2 * (1 + factor)
      return graph_.node("Mul", {graph_.node("Mul", {x, graph_.number(0.5f)}),
                                 graph_.node("Add", {factor, graph_.number(1)})});
    };
    switch (activation) {
      case Activation::identity:
        return x;
      case Activation::relu:
        return graph_.node("Relu", {x});
      case Activation::tanh:
        return graph_.node("Tanh", {x});
      case Activation::silu:
        return graph_.node("Mul", {x, graph_.node("Sigmoid", {x})});
      case Activation::gelu:
        return half(graph_.node(
            "Erf", {graph_.node("Mul", {x, graph_.number(static_cast<float>(std::sqrt(0.5)))})}));
      case Activation::gelu_tanh: {
        const Value square = graph_.node("Mul", {x, x});
        const Value inner = graph_.node(
            "Add", {graph_.node("Mul", {square, graph_.number(0.044715f)}), graph_.number(1)});
        const Value scaled =
            graph_.node("Mul", {graph_.node("Mul", {x, inner}), graph_.number(0.7978845608f)});
        return half(graph_.node("Tanh", {scaled}));
      }
    }
    throw Error(ErrorCode::unsupported, "an activation in ONNX");
  }

  // ---- Pooling and what follows -----------------------------------------------------------------

  Value pooled(const Pooling& pooling, const Value& state) {
    if (!pooling.include_prompt || pooling.weighted_mean || pooling.last_token) {
      throw Error(ErrorCode::unsupported, pooling.description() + " in ONNX");
    }
    const Value column = graph_.node("Unsqueeze", {mask_, graph_.numbers({2})});
    const Value sum =
        graph_.node("ReduceSum", {graph_.node("Mul", {state, column}), graph_.numbers({1})},
                    {OnnxGraph::whole("keepdims", 0)});
    const Value count =
        graph_.node("ReduceSum", {column, graph_.numbers({1})}, {OnnxGraph::whole("keepdims", 0)});
    std::vector<Value> parts;
    if (pooling.cls) parts.push_back(first_token(state));
    if (pooling.max) {
      const Value low =
          graph_.node("Mul", {graph_.node("Sub", {column, graph_.number(1)}), graph_.number(1e9f)});
      parts.push_back(
          graph_.node("ReduceMax", {graph_.node("Add", {state, low})},
                      {OnnxGraph::wholes("axes", {1}), OnnxGraph::whole("keepdims", 0)}));
    }
    if (pooling.mean) parts.push_back(graph_.node("Div", {sum, count}));
    if (pooling.mean_sqrt_len) {
      parts.push_back(graph_.node("Div", {sum, graph_.node("Sqrt", {count})}));
    }
    return parts.size() == 1 ? parts[0]
                             : graph_.node("Concat", parts, {OnnxGraph::whole("axis", 1)});
  }

  // The first that is there: the mask's largest value that stands first.
  Value first_token(const Value& state) {
    const Value place = graph_.node("ArgMax", {mask_},
                                    {OnnxGraph::whole("axis", 1), OnnxGraph::whole("keepdims", 1)});
    return graph_.node("GatherND", {state, place}, {OnnxGraph::whole("batch_dims", 1)});
  }

  Value add_head(const Modules& modules, const Value& state, std::size_t& dim) {
    const PoolingStep step =
        pooling_of(modules, {.width = config_.width, .layers = config_.layers.size()});
    if (step.plain() == nullptr) {
      throw Error(ErrorCode::unsupported, step.descriptions()[0] + " in ONNX");
    }
    Value x = pooled(*step.plain(), state);
    dim = step.dim();
    std::size_t number = 0;
    for (const auto& [kind, folder] : modules.ahead) {
      if (kind == "Dense") {
        const DenseFile file = read_dense(folder, dim);
        x = activated(dense(x, file.rows, file.bias, "dense." + std::to_string(number++)),
                      file.activation);
        dim = file.rows.rows();
      } else if (kind == "Normalize") {
        const Value length = graph_.node(
            "ReduceL2", {x}, {OnnxGraph::wholes("axes", {1}), OnnxGraph::whole("keepdims", 1)});
        x = graph_.node("Div", {x, graph_.node("Max", {length, graph_.number(1e-12f)})});
      }
    }
    return x;
  }

  const Config& config_;
  const RawWeights& weights_;
  OnnxGraph graph_;
  Value ids_, mask_, types_, hidden_keys_;
};

}  // namespace

void export_onnx(const std::string& folder, const std::string& path) {
  const Modules modules = find_transformer(folder);
  if (modules.by_token || !modules.place_of(kConcepts).empty()) {
    throw Error(ErrorCode::unsupported,
                folder + (modules.by_token ? ": a late-interaction model" : ": named concepts") +
                    " in ONNX");
  }
  const Json json = Json::read(modules.transformer + "/config.json");
  const Architecture& architecture = architecture_of(json);
  const Config config = read_config(json);
  check(config);
  const RawWeights weights = read_raw_weights(TensorStore::open_folder(modules.transformer),
                                              architecture.names(json, config), config);
  const std::string bytes = Exporter(config, weights).run(modules);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace kith::encode

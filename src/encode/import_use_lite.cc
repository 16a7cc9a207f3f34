#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/mapped_file.h"
#include "encode/graph_model.h"
#include "encode/import.h"
#include "encode/model_folder.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// The graph's names: constants that were folded lie under the first, others under the second.
const std::string kFolded = "module_apply_default/Encoder_en/";
const std::string kPlain = "module/Encoder_en/";
const std::string kEncode = "KonaTransformer/Encode/";

constexpr double kEpsilon = 1e-6;  // of its layer norms

std::string layer_name(std::size_t layer, const std::string& name) {
  return "Layer_" + std::to_string(layer) + "/TransformerLayer/" + name;
}

// Takes weights out of the graph by name and remembers which.
class GraphWeights {
 public:
  explicit GraphWeights(const GraphModel& graph) : graph_(graph) {}

  bool has(const std::string& name) const { return graph_.weights.contains(name); }

  // A float32 tensor; leading extents of 1, which convolutions have, don't count.
  const GraphTensor& floats(const std::string& name, std::size_t rows, std::size_t cols) {
    const GraphTensor& tensor = take(name);
    std::vector<std::size_t> shape = tensor.shape;
    while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
    const bool fits = rows == 1 ? shape == std::vector{cols} : shape == std::vector{rows, cols};
    if (!fits || tensor.floats.size() != rows * cols) {
      throw Error(ErrorCode::unsupported, graph_.model + ": weight '" + name +
                                              "' is not float32 of " + std::to_string(rows) +
                                              " x " + std::to_string(cols));
    }
    return tensor;
  }
  std::size_t extent(const std::string& name, std::size_t axis) {
    const GraphTensor& tensor = take(name);
    if (axis < tensor.shape.size()) return tensor.shape[axis];
    throw Error(ErrorCode::unsupported, graph_.model + ": weight '" + name + "' has " +
                                            std::to_string(tensor.shape.size()) + " dimensions");
  }
  std::size_t whole(const std::string& name) {
    const GraphTensor& tensor = take(name);
    if (tensor.ints.size() == 1 && tensor.ints[0] > 0) {
      return static_cast<std::size_t>(tensor.ints[0]);
    }
    throw Error(ErrorCode::unsupported, graph_.model + ": weight '" + name + "' is no number");
  }

  // Whatever is left must be numbers by which the graph is wired.
  void expect_all_taken() const {
    for (const auto& [name, tensor] : graph_.weights) {
      if (tensor.floats.size() <= 1 || taken_.contains(name)) continue;
      throw Error(ErrorCode::unsupported, graph_.model + ": weight '" + name +
                                              "' has no place in Universal Sentence Encoder lite");
    }
  }

 private:
  const GraphTensor& take(const std::string& name) {
    taken_.insert(name);
    return graph_.weight(name);
  }

  const GraphModel& graph_;
  std::set<std::string> taken_;
};

// Nodes that decide what is computed: their operation and, where it matters, what goes in.
void check_nodes(const GraphModel& graph) {
  struct Wanted {
    std::string name, op;
    std::vector<std::string> inputs;
  };
  const std::string k = kFolded + "KonaTransformer/",
                    stack = kFolded + kEncode + "TransformerStack/";
  const std::vector<Wanted> all = {
      {stack + "Layer_0/add",
       "Add",
       {k + "Encode/Scatter/ScatterNd", stack + "Layer_0/AddTimingSignal/Scatter/ScatterNd"}},
      {stack + layer_name(0, "FFN/conv1/Relu"), "Relu", {}},
      {k + "div", "RealDiv", {k + "Sum", k + "ExpandDims_1"}},
      {kFolded + "hidden_layers/tanh_layer_0/Tanh", "Tanh", {}},
      {kFolded + "hidden_layers/l2_normalize", "Mul", {}}};
  for (const Wanted& wanted : all) {
    const auto at = std::ranges::find(graph.nodes, wanted.name, &GraphNode::name);
    const bool fits = at != graph.nodes.end() && at->op == wanted.op &&
                      (wanted.inputs.empty() || at->inputs == wanted.inputs);
    if (fits) continue;
    throw Error(ErrorCode::unsupported, graph.model + ": no node '" + wanted.name +
                                            "' of operation " + wanted.op +
                                            ": this is not Universal Sentence Encoder lite");
  }
  const std::vector<float>& epsilon =
      graph.weight(stack + layer_name(1, "FFN/layer_prepostprocess/layer_norm/Cast/x")).floats;
  if (epsilon.size() != 1 || epsilon[0] != static_cast<float>(kEpsilon)) {
    throw Error(ErrorCode::unsupported, graph.model + ": another epsilon than 1e-6");
  }
}

// The graph's tensors under this folder's names, dense layers turned to outputs x inputs.
class Checkpoint {
 public:
  explicit Checkpoint(const GraphModel& graph) : weights_(graph) {
    const std::string embeddings = "module/Embeddings_en";
    vocabulary = weights_.extent(embeddings, 0);
    narrow = weights_.extent(embeddings, 1);
    width = weights_.extent(folded(layer_name(0, "dense/kernel")), 1);
    hidden = weights_.extent(stacked(0, "FFN/conv1/Tensordot/Reshape_1"), 1);
    heads = weights_.whole(
        stacked(1, "MultiheadAttention/split_heads/split_last_dimension/Reshape/shape/2"));
    max_tokens = weights_.whole(kFolded + "KonaTransformer/ClipToMaxLength/Less/y");
    if (narrow % 2 != 0) {
      throw Error(ErrorCode::unsupported, graph.model + ": embeddings of odd width");
    }
    add_tokens(weights_.floats(embeddings, vocabulary, narrow).floats);
    add_positions();
    add_linear("projection", folded(layer_name(0, "dense/kernel")),
               folded(layer_name(0, "dense/bias")), narrow, width);
    while (weights_.has(stacked(layers, "FFN/conv1/Tensordot/Reshape_1"))) add_layer(layers++);
    const std::string head = kPlain + "hidden_layers/tanh_layer_0/";
    add_linear("linear", head + "weights", head + "bias", width, width);
    weights_.expect_all_taken();
  }

  std::size_t vocabulary, narrow, width, hidden, heads, max_tokens, layers = 0;

  // Those whose name does, or doesn't, begin with "linear", which belong to the Dense module.
  std::vector<NamedTensor> named(bool dense) const {
    std::vector<NamedTensor> all;
    for (const auto& [name, tensor] : tensors_) {
      if (name.starts_with("linear.") == dense) all.push_back({name, tensor.shape, tensor.values});
    }
    return all;
  }

 private:
  struct Tensor {
    std::vector<std::uint64_t> shape;
    std::vector<float> values;
  };

  // Names of variables and of what is computed with them in layer `l`.
  static std::string folded(const std::string& name) {
    return kFolded + kEncode + name + "/ConcatPartitions/concat";
  }
  static std::string stacked(std::size_t l, const std::string& name) {
    return kFolded + kEncode + "TransformerStack/" + layer_name(l, name);
  }

  // The graph adds the position's signal to a token's vector and that sum to the vector again; so
  // the table holds it twice.
  void add_tokens(std::vector<float> values) {
    for (float& value : values) value *= 2;
    tensors_["tokens.weight"] = {{vocabulary, narrow}, std::move(values)};
  }

  // Sines, then cosines, of the position times each frequency.
  void add_positions() {
    const std::size_t half = narrow / 2;
    const std::vector<float>& frequencies =
        weights_
            .floats(kFolded + kEncode +
                        "TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1",
                    1, half)
            .floats;
    std::vector<float> values;
    for (std::size_t p = 0; p < max_tokens; ++p) {
      const auto angle = [&](float f) { return static_cast<double>(p) * static_cast<double>(f); };
      for (const float f : frequencies) values.push_back(static_cast<float>(std::sin(angle(f))));
      for (const float f : frequencies) values.push_back(static_cast<float>(std::cos(angle(f))));
    }
    tensors_["positions.weight"] = {{max_tokens, narrow}, std::move(values)};
  }

  void add_linear(const std::string& to, const std::string& kernel, const std::string& bias,
                  std::size_t inputs, std::size_t outputs) {
    const std::vector<float>& stored = weights_.floats(kernel, inputs, outputs).floats;
    std::vector<float> turned(stored.size());
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t j = 0; j < outputs; ++j) turned[j * inputs + i] = stored[i * outputs + j];
    }
    tensors_[to + ".weight"] = {{outputs, inputs}, std::move(turned)};
    tensors_[to + ".bias"] = {{outputs}, weights_.floats(bias, 1, outputs).floats};
  }

  void add_norm(const std::string& to, const std::string& name, std::size_t size) {
    const std::string norm = name + "layer_prepostprocess/layer_norm/layer_norm_";
    tensors_[to + ".weight"] = {{size}, weights_.floats(folded(norm + "scale"), 1, size).floats};
    tensors_[to + ".bias"] = {{size}, weights_.floats(folded(norm + "bias"), 1, size).floats};
  }

  void add_layer(std::size_t l) {
    const std::string to = "layers." + std::to_string(l) + ".", of = layer_name(l, "");
    const std::string kernel = kPlain + kEncode + of + "MultiheadAttention/";
    const std::string bias = of + "MultiheadAttention/";
    const std::size_t in = l == 0 ? narrow : width;
    add_norm(to + "attention_norm", of, in);
    add_linear(to + "attention.qkv", kernel + "qkv_transform_single/kernel/part_0",
               folded(bias + "qkv_transform_single/bias"), in, 3 * in);
    add_linear(to + "attention.out", kernel + "output_transform_single/kernel/part_0",
               folded(bias + "output_transform_single/bias"), in, width);
    add_norm(to + "mlp_norm", of + "FFN/", width);
    add_linear(to + "mlp.up", stacked(l, "FFN/conv1/Tensordot/Reshape_1"),
               folded(of + "FFN/conv1/bias"), width, hidden);
    add_linear(to + "mlp.down", stacked(l, "FFN/conv2/Tensordot/Reshape_1"),
               folded(of + "FFN/conv2/bias"), hidden, width);
  }

  GraphWeights weights_;
  std::map<std::string, Tensor> tensors_;
};

// Pieces that stand for no text; SentencePiece never finds them in one.
constexpr std::size_t kReserved = 6;

// [["piece", score], ...]
ordered_json read_pieces(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto* text = reinterpret_cast<const char*>(file->bytes().data());
  const nlohmann::json list =
      nlohmann::json::parse(text, text + file->bytes().size(), nullptr, false);
  if (!list.is_array()) throw Error(ErrorCode::corrupt, path + ": not a JSON list");
  ordered_json pieces = ordered_json::array();
  for (const nlohmann::json& entry : list) {
    const bool fits = entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
                      (entry[1].is_number() || entry[1].is_null());
    if (!fits) {
      throw Error(ErrorCode::corrupt, path + ": entry " + std::to_string(pieces.size()) +
                                          ", expected a piece and its score");
    }
    // A space, which the normaliser leaves nowhere, keeps reserved pieces from being found. Pieces
    // with a colon have no score in the file; the package adds them up as 0.
    const bool reserved = !pieces.empty() && pieces.size() < kReserved;
    std::string piece(reserved ? 1 : 0, ' ');
    piece += entry[0].get<std::string>();
    pieces.push_back({piece, entry[1].is_null() ? 0.0 : entry[1].get<double>()});
  }
  return pieces;
}

// SentencePiece's rules for white space: of any kind it is a space, several are one, none is left
// at the ends, and one stands before the text.
ordered_json tokenizer_of(const std::string& vocabulary, std::size_t max_tokens) {
  const char* const space = "\u2581";
  const ordered_json normalizers = {
      {{"type", "Nmt"}},
      {{"type", "NFKC"}},
      {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}},
      {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}},
      {{"type", "Prepend"}, {"prepend", space}},
      {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}}};
  return {{"version", "1.0"},
          {"truncation",
           {{"max_length", max_tokens},
            {"strategy", "LongestFirst"},
            {"stride", 0},
            {"direction", "Right"}}},
          {"padding", nullptr},
          {"added_tokens", ordered_json::array()},
          {"normalizer", {{"type", "Sequence"}, {"normalizers", normalizers}}},
          {"pre_tokenizer", nullptr},
          {"post_processor", nullptr},
          {"decoder",
           {{"type", "Metaspace"},
            {"replacement", space},
            {"prepend_scheme", "always"},
            {"split", true}}},
          {"model",
           {{"type", "Unigram"},
            {"unk_id", 0},
            {"vocab", read_pieces(vocabulary)},
            {"byte_fallback", false}}}};
}

// The licence travels with the weights.
void copy_licence(const fs::path& from, const NewFolder& folder) {
  for (const fs::path& place : {from / "LICENSE", from.parent_path() / "LICENSE"}) {
    std::error_code ignored;
    if (!fs::is_regular_file(place, ignored)) continue;
    fs::copy_file(place, folder.file("LICENSE"));
    return;
  }
}

}  // namespace

void import_use_lite(const std::string& from, const std::string& to) {
  const fs::path place =
      fs::exists(fs::path(from) / "model.json") ? fs::path(from) : fs::path(from) / "dist";
  const GraphModel graph = read_graph_model((place / "model.json").string());
  check_nodes(graph);
  const Checkpoint checkpoint(graph);
  const ordered_json tokenizer =
      tokenizer_of((place / "vocab.json").string(), checkpoint.max_tokens);
  if (tokenizer["model"]["vocab"].size() > checkpoint.vocabulary) {
    throw Error(ErrorCode::corrupt, place.string() +
                                        ": more pieces in vocab.json than embeddings, " +
                                        std::to_string(checkpoint.vocabulary));
  }
  NewFolder folder(to);
  write_json(folder.file("config.json"), {{"model_type", "use_lite"},
                                          {"vocab_size", checkpoint.vocabulary},
                                          {"embedding_size", checkpoint.narrow},
                                          {"hidden_size", checkpoint.width},
                                          {"intermediate_size", checkpoint.hidden},
                                          {"num_hidden_layers", checkpoint.layers},
                                          {"num_attention_heads", checkpoint.heads},
                                          {"hidden_act", "relu"},
                                          {"layer_norm_eps", kEpsilon},
                                          {"max_position_embeddings", checkpoint.max_tokens}});
  write_tensors(folder.file("model.safetensors"), checkpoint.named(false));
  write_text(folder.file("tokenizer.json"), tokenizer.dump());
  write_json(folder.file("1_Pooling/config.json"),
             {{"word_embedding_dimension", checkpoint.width}, {"pooling_mode_mean_tokens", true}});
  write_modules(folder, {{"sentence_transformers.models.Transformer", ""},
                         {"sentence_transformers.models.Pooling", "1_Pooling"},
                         {"sentence_transformers.models.Dense", "2_Dense"},
                         {"sentence_transformers.models.Normalize", "3_Normalize"}});
  write_json(folder.file("2_Dense/config.json"),
             {{"in_features", checkpoint.width},
              {"out_features", checkpoint.width},
              {"bias", true},
              {"activation_function", "torch.nn.modules.activation.Tanh"}});
  write_tensors(folder.file("2_Dense/model.safetensors"), checkpoint.named(true));
  copy_licence(place, folder);
  folder.commit();
}

}  // namespace kith::encode

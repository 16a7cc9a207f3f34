// What tests/models/onnx.sh compares with onnxruntime:
//   onnx_vectors tiny TYPE FOLDER    a random small model: bert, bert-relu, roberta or use_lite; or
//                                    minilm, of the size of all-MiniLM-L6, to be timed
//   onnx_vectors batch FOLDER OUT    random token ids and kith's vectors of them, as JSON
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/random.h"
#include "encode/test_models.h"
#include "kith/encoder.h"

namespace {

using nlohmann::json;

constexpr std::size_t kSequences = 24, kMostTokens = 60;

kith::encode::Checkpoint minilm() {
  constexpr std::size_t kWidth = 384, kHidden = 1536, kLayers = 6, kWords = 30522, kPositions = 512;
  kith::encode::Checkpoint c;
  c.config = {{"model_type", "bert"},      {"vocab_size", kWords},
              {"hidden_size", kWidth},     {"num_hidden_layers", kLayers},
              {"num_attention_heads", 12}, {"intermediate_size", kHidden},
              {"hidden_act", "gelu"},      {"max_position_embeddings", kPositions},
              {"type_vocab_size", 2},      {"layer_norm_eps", 1e-12},
              {"pad_token_id", 0}};
  c.add("embeddings.word_embeddings.weight", {kWords, kWidth}, 1);
  c.add("embeddings.token_type_embeddings.weight", {2, kWidth}, 1);
  c.add("embeddings.position_embeddings.weight", {kPositions, kWidth}, 1);
  c.add_norm("embeddings.LayerNorm", kWidth);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    for (const char* part : {"query", "key", "value"}) {
      c.add_linear(layer + "attention.self." + part, kWidth, kWidth);
    }
    c.add_linear(layer + "attention.output.dense", kWidth, kWidth);
    c.add_norm(layer + "attention.output.LayerNorm", kWidth);
    c.add_linear(layer + "intermediate.dense", kHidden, kWidth);
    c.add_linear(layer + "output.dense", kWidth, kHidden);
    c.add_norm(layer + "output.LayerNorm", kWidth);
  }
  return c;
}

kith::encode::Checkpoint tiny(const std::string& type) {
  if (type == "minilm") return minilm();
  if (type == "bert-relu") return kith::encode::tiny_bert("bert", "relu");
  if (type == "use_lite") return kith::encode::tiny_use_lite();
  return kith::encode::tiny_bert(type);
}

void write_batch(const std::string& folder, const std::string& output) {
  const kith::Encoder encoder = kith::Encoder::open(folder);
  const std::size_t longest = std::min(kMostTokens, encoder.info().max_tokens);
  kith::Random random(1);
  std::vector<std::vector<std::uint32_t>> ids(kSequences);
  std::vector<kith::TokenSequence> sequences;
  for (std::vector<std::uint32_t>& sequence : ids) {
    const std::size_t length = 1 + random.below(longest);
    for (std::size_t i = 0; i < length; ++i) {
      // Above those that stand for padding.
      sequence.push_back(
          static_cast<std::uint32_t>(2 + random.below(encoder.info().vocabulary - 2)));
    }
    sequences.push_back({.ids = sequence, .types = {}});
  }
  const kith::Matrix<float> vectors = encoder.encode(sequences);
  json all = {{"ids", ids}, {"vectors", json::array()}};
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    all["vectors"].push_back(std::vector<float>(vectors.row(i), vectors.row(i) + vectors.cols()));
  }
  kith::AtomicFile file(output);
  file.write(all.dump());
  file.commit();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc == 4 ? argv[1] : "";
  try {
    if (verb == "tiny") {
      kith::encode::write_folder(argv[3], tiny(argv[2]));
    } else if (verb == "batch") {
      write_batch(argv[2], argv[3]);
    } else {
      std::fputs("usage: onnx_vectors tiny TYPE FOLDER | batch FOLDER OUT\n", stderr);
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "onnx_vectors: %s\n", error.what());
    return 1;
  }
  return 0;
}

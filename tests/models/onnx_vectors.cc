// What tests/models/onnx.sh compares with onnxruntime:
//   onnx_vectors tiny TYPE FOLDER    a random small model: bert, bert-relu, roberta or use_lite
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

kith::encode::Checkpoint tiny(const std::string& type) {
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

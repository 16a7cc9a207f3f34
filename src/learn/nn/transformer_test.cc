// The trainable transformer beside the encoder's, which its own tests compare with references.
#include "learn/nn/transformer.h"

#include <gtest/gtest.h>

#include "encode/test_models.h"
#include "kith/encoder.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using encode::kVocabulary;
using encode::TestModel;

struct Texts {
  std::vector<std::vector<std::uint32_t>> ids, types;
  std::vector<TokenSequence> sequences;
};

// Ids above those that stand for padding, and a few of the latter, which models skip.
Texts random_texts(const std::vector<std::size_t>& lengths, bool types) {
  Random random(7);
  Texts texts;
  for (const std::size_t length : lengths) {
    std::vector<std::uint32_t>& ids = texts.ids.emplace_back();
    std::vector<std::uint32_t>& segments = texts.types.emplace_back();
    for (std::size_t i = 0; i < length; ++i) {
      ids.push_back(i % 11 == 5 ? 1
                                : static_cast<std::uint32_t>(2 + random.below(kVocabulary - 2)));
      segments.push_back(types && i > length / 2 ? 1 : 0);
    }
  }
  for (std::size_t i = 0; i < texts.ids.size(); ++i) {
    texts.sequences.push_back({.ids = texts.ids[i], .types = texts.types[i], .prompt = 0});
  }
  return texts;
}

Transformer open(const std::string& folder) {
  const Json json = Json::read(folder + "/config.json");
  const encode::Config config = encode::read_config(json);
  return Transformer::read(encode::TensorStore::open_folder(folder), config,
                           encode::architecture_of(json).names(json, config));
}

double farthest(const at::Tensor& got, const Matrix<float>& wanted) {
  double worst = 0;
  const auto values = got.contiguous();
  const float* at = values.data_ptr<float>();
  for (std::size_t i = 0; i < wanted.rows(); ++i) {
    for (std::size_t j = 0; j < wanted.cols(); ++j) {
      const double error = std::abs(at[i * wanted.cols() + j] - wanted(i, j));
      worst = std::max(worst, std::isnan(error) ? 1e9 : error);
    }
  }
  return worst;
}

class Trainable : public testing::TestWithParam<TestModel> {
 protected:
  void SetUp() override {
    checkpoint_ = GetParam().make();
    encode::write_folder(folder_.file("model"), checkpoint_);
  }
  bool has_types() const { return checkpoint_.config.contains("type_vocab_size"); }

  formats::TemporaryFolder folder_;
  encode::Checkpoint checkpoint_;
};

TEST_P(Trainable, HasTheEncodersStatesAtEveryLayer) {
  const Encoder encoder = Encoder::open(folder_.file("model"));
  const Transformer transformer = open(folder_.file("model"));
  const Texts texts = random_texts({21, 1, 150, 8}, has_types());
  const Tokens tokens = pack_tokens(texts.sequences);
  const std::vector<at::Tensor> states = transformer.states(tokens, transformer.layers());
  ASSERT_EQ(states.size(), encoder.info().layers + 1);
  for (std::size_t layer = 0; layer < states.size(); ++layer) {
    EncodeOptions options;
    options.layer = layer;
    EXPECT_LT(farthest(states[layer], encoder.hidden_states(texts.sequences, options)), 1e-4)
        << "layer " << layer;
  }
}

TEST_P(Trainable, HasAGradientForEveryTensor) {
  const Transformer transformer = open(folder_.file("model"));
  const Texts texts = random_texts({21, 3}, has_types());
  const Tokens tokens = pack_tokens(texts.sequences);
  const at::Tensor last = transformer.states(tokens, transformer.layers()).back();
  (last * torch::linspace(-1, 2, last.numel()).view_as(last)).sum().backward();
  for (const Parameter& each : transformer.parameters()) {
    ASSERT_TRUE(each.value.grad().defined()) << each.name;
    // A key's bias, apart from rounding, shifts all scores of a token alike.
    EXPECT_GT(each.value.grad().abs().max().item<double>(), 0) << each.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Trainable, testing::ValuesIn(encode::test_models()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kith::learn

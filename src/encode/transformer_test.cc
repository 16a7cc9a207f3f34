// Every architecture beside its plain reference.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "encode/test_models.h"
#include "kith/encoder.h"

namespace kith::encode {
namespace {

using reference::Rows;
using reference::Text;

// Ids above those that stand for padding.
Text random_text(std::size_t length, std::uint64_t seed, bool types) {
  Random random(seed);
  Text text;
  for (std::size_t i = 0; i < length; ++i) {
    text.ids.push_back(static_cast<std::uint32_t>(2 + random.below(kVocabulary - 2)));
    text.types.push_back(types && i > length / 2 ? 1 : 0);
    text.mask.push_back(1);
    text.positions.push_back(i);
  }
  return text;
}

TokenSequence sequence_of(const Text& text) {
  return {.ids = text.ids, .types = text.types, .prompt = 0};
}

// Padding in front or behind, with the positions that transformers gives the tokens.
Text padded(const Text& text, std::size_t length, bool in_front) {
  Text result;
  const std::size_t missing = length - text.ids.size(), first = in_front ? missing : 0;
  result.ids.assign(length, 1);
  result.types.assign(length, 0);
  result.mask.assign(length, 0);
  result.positions.assign(length, 1);
  for (std::size_t i = 0; i < text.ids.size(); ++i) {
    result.ids[first + i] = text.ids[i];
    result.types[first + i] = text.types[i];
    result.mask[first + i] = 1;
    result.positions[first + i] = i;
  }
  return result;
}

class Architectures : public testing::TestWithParam<TestModel> {
 protected:
  void SetUp() override {
    checkpoint_ = GetParam().make();
    write_folder(folder_.file("model"), checkpoint_);
    encoder_ = std::make_unique<Encoder>(Encoder::open(folder_.file("model")));
    has_types_ = checkpoint_.config.contains("type_vocab_size");
  }
  std::vector<Rows> exact(const Text& text) const { return GetParam().run(checkpoint_, text); }

  formats::TemporaryFolder folder_;
  Checkpoint checkpoint_;
  std::unique_ptr<Encoder> encoder_;
  bool has_types_ = false;
};

// Rows of the engine beside rows [first, ...) of the reference.
void expect_close(MatrixView<const float> got, const Rows& wanted, std::size_t first,
                  const std::string& what) {
  double worst = 0;
  for (std::size_t i = 0; i < got.rows(); ++i) {
    for (std::size_t j = 0; j < got.cols(); ++j) {
      const double error = std::abs(got(i, j) - wanted[first + i][j]);
      worst = std::max(worst, std::isnan(error) ? 1e9 : error);
    }
  }
  EXPECT_LT(worst, 1e-4) << what;
}

TEST_P(Architectures, AgreeWithTheReferenceAtEveryLayer) {
  const Text text = random_text(21, 5, has_types_);
  const std::vector<Rows> states = exact(text);
  ASSERT_EQ(states.size(), encoder_->info().layers + 1);
  const TokenSequence sequence = sequence_of(text);
  for (std::size_t layer = 0; layer < states.size(); ++layer) {
    EncodeOptions options;
    options.layer = layer;
    expect_close(encoder_->hidden_states({&sequence, 1}, options), states[layer], 0,
                 "layer " + std::to_string(layer));
  }
}

TEST_P(Architectures, AgreeWithTheReferenceOnLongInputs) {
  const Text text = random_text(301, 6, has_types_);
  const TokenSequence sequence = sequence_of(text);
  const Rows wanted = exact(text).back();
  expect_close(encoder_->hidden_states({&sequence, 1}), wanted, 0, "301 tokens");
}

TEST_P(Architectures, AgreeWithTheReferenceOnPaddedInputsOfBothSides) {
  constexpr std::size_t kLength = 30;
  for (const bool in_front : {false, true}) {
    const std::vector<Text> texts = {random_text(30, 1, has_types_), random_text(1, 2, has_types_),
                                     random_text(17, 3, has_types_)};
    std::vector<std::uint32_t> ids, types, mask;
    Rows wanted;
    for (const Text& text : texts) {
      const Text whole = padded(text, kLength, in_front);
      ids.insert(ids.end(), whole.ids.begin(), whole.ids.end());
      types.insert(types.end(), whole.types.begin(), whole.types.end());
      mask.insert(mask.end(), whole.mask.begin(), whole.mask.end());
      const Rows states = exact(whole).back();
      reference::Row mean(states[0].size());
      for (std::size_t i = 0; i < kLength; ++i) {
        for (std::size_t j = 0; j < mean.size(); ++j) {
          mean[j] += whole.mask[i] * states[i][j] / static_cast<double>(text.ids.size());
        }
      }
      wanted.push_back(mean);
    }
    const auto view = [&](const std::vector<std::uint32_t>& values) {
      return MatrixView<const std::uint32_t>(values.data(), texts.size(), kLength);
    };
    const Matrix<float> got =
        encoder_->encode({.ids = view(ids), .mask = view(mask), .types = view(types)});
    expect_close(got, wanted, 0, in_front ? "padding in front" : "padding behind");
  }
}

TEST_P(Architectures, AVectorDependsNeitherOnItsNeighboursNorOnThreads) {
  std::vector<Text> texts;
  for (std::size_t i = 0; i < 24; ++i) texts.push_back(random_text(1 + i * 7 % 53, i, has_types_));
  std::vector<TokenSequence> sequences;
  for (const Text& text : texts) sequences.push_back(sequence_of(text));
  Matrix<float> all[3];
  const std::size_t threads[3] = {1, 2, 5};
  for (std::size_t t = 0; t < 3; ++t) {
    EncodeOptions options;
    options.control.threads = threads[t];
    all[t] = encoder_->encode(sequences, options);
  }
  const std::size_t bytes = encoder_->info().dim * sizeof(float);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    EncodeOptions options;
    options.control.threads = 3;
    const Matrix<float> alone = encoder_->encode(std::span(sequences).subspan(i, 1), options);
    for (const Matrix<float>& some : all) {
      ASSERT_EQ(0, std::memcmp(some.row(i), alone.data(), bytes)) << "sequence " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Architectures, testing::ValuesIn(test_models()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace kith::encode

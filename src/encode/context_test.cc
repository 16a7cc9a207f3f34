// Texts longer than models were trained on, beside the same done slowly: positions by hand, tables
// stretched by hand, every distance by itself.
#include "encode/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "encode/test_models.h"
#include "encode/test_sequences.h"
#include "kith/encoder.h"
#include "kith/error.h"
#include "kith/text_encoder.h"

namespace kith::encode {
namespace {

using nlohmann::json;
using reference::Rows;
using reference::Text;
using testing::HasSubstr;

constexpr std::size_t kTrained = 40, kContext = 150, kStretch = 4;

// Of one layer.
Config rotary_config() {
  Config config;
  config.architecture = "x";
  config.rotary.emplace_back().dims = 4;
  config.layers.emplace_back().rotary = 0;
  return config;
}

TEST(SelfExtend, DistancesAreExactNearbyAndGroupedBeyondTheWindow) {
  const ContextPlan plan{.group = 2, .window = 4};
  const auto seen_from = [&](std::size_t i) {
    std::vector<long> distances;
    for (std::size_t j = 0; j < 10; ++j) distances.push_back(extended_distance(plan, i, j));
    return distances;
  };
  EXPECT_EQ(seen_from(0), (std::vector<long>{0, 1, 2, 3, 4, 4, 5, 5, 6, 6}));
  EXPECT_EQ(seen_from(4), (std::vector<long>{-4, -3, -2, -1, 0, 1, 2, 3, 4, 4}));
}

TEST(SelfExtend, DefaultsAreThoseOfThePaper) {
  const Config base = rotary_config();
  for (const std::size_t trained : {512, 4096}) {
    for (const auto& [times, group, part] : {std::tuple(2, 3, 2), {4, 5, 4}, {8, 9, 8}}) {
      const ContextOptions options{.tokens = trained * static_cast<std::size_t>(times),
                                   .extension = Extension::selfextend};
      const ContextPlan plan = extended(base, options, trained).context;
      EXPECT_EQ(plan.group, static_cast<std::size_t>(group));
      EXPECT_EQ(plan.window, trained / static_cast<std::size_t>(part));
    }
  }
}

TEST(NtkBase, DefaultsAreThoseOfThePaper) {
  const Config base = rotary_config();
  for (const auto& [times, lambda] : {std::pair(2, 3.0), {4, 5.0}, {8, 10.0}}) {
    const ContextOptions options{.tokens = 512 * static_cast<std::size_t>(times),
                                 .extension = Extension::ntk};
    EXPECT_EQ(extended(base, options, 512).rotary.back().theta, 10000 * lambda);
  }
}

// ---- Models beside references -------------------------------------------------------------------

struct Case {
  std::string name;
  Extension extension;
  std::function<Checkpoint()> make;
  std::function<std::vector<Rows>(const Checkpoint&, const Text&)> run;
  bool scale = true;
  std::size_t window = 10;  // SelfExtend's default; its group is 5
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

// The checkpoint and the text as a model that knows nothing of contexts would need them.
class ByHand {
 public:
  explicit ByHand(const Case& of) : case_(of), checkpoint_(of.make()) {
    if (case_.extension == Extension::pi) stretch();
    if (case_.extension == Extension::ntk) {
      const char* key = checkpoint_.config.contains("global_rope_theta") ? "global_rope_theta"
                        : checkpoint_.config.contains("rotary_emb_base") ? "rotary_emb_base"
                                                                         : "rope_theta";
      checkpoint_.config[key] = checkpoint_.config[key].get<double>() * 5;
    }
  }

  Rows run(const std::vector<std::uint32_t>& ids) const {
    const std::size_t n = ids.size();
    Text text = text_of(ids);
    for (std::size_t i = 0; i < n; ++i) text.positions[i] = offset() + position(i, n);
    const bool causal = checkpoint_.config.at("model_type") == "llama";
    if (case_.scale && n > kTrained) {
      text.scale = [=, this](std::size_t i) {
        const bool by_place = causal && case_.extension == Extension::selfextend;
        return std::max(1.0, std::log(double(by_place ? i + 1 : n)) / std::log(double(kTrained)));
      };
    }
    if (case_.extension == Extension::selfextend && n > kTrained) {
      const ContextPlan plan{.group = 5, .window = case_.window};
      text.distance = [=](std::size_t i, std::size_t j) {
        return double(extended_distance(plan, i, j));
      };
    }
    return case_.run(checkpoint_, text).back();
  }

 private:
  // Of RoBERTa, which counts from behind its padding.
  std::size_t offset() const { return case_.name.starts_with("Roberta") ? 2 : 0; }

  std::size_t position(std::size_t i, std::size_t n) const {
    if (case_.extension == Extension::gp) return i / ((n + kTrained - 1) / kTrained);
    if (case_.extension == Extension::rp) return i % kTrained;
    const bool table = !checkpoint_.config.contains("rope_theta");
    if (case_.extension == Extension::pi && table && n <= kTrained) return i * kStretch;
    return i;
  }

  void stretch() {
    if (checkpoint_.config.contains("rope_theta")) {
      checkpoint_.config["rope_scaling"] = {{"type", "linear"}, {"factor", double(kStretch)}};
      return;
    }
    for (const char* name : {"embeddings.position_embeddings.weight", "wpe.weight"}) {
      if (!checkpoint_.has(name)) continue;
      Checkpoint::Tensor& table = checkpoint_.tensors[name];
      const std::size_t width = table.shape[1], first = offset();
      const std::vector<float> old = table.values;
      table.values.resize((first + kTrained * kStretch) * width);
      for (std::size_t p = 0; p < kTrained * kStretch; ++p) {
        const std::size_t low = p / kStretch, high = std::min(low + 1, kTrained - 1);
        const double part = double(p % kStretch) / double(kStretch);
        for (std::size_t j = 0; j < width; ++j) {
          table.values[(first + p) * width + j] = static_cast<float>(
              (1 - part) * old[(first + low) * width + j] + part * old[(first + high) * width + j]);
        }
      }
    }
  }

  const Case& case_;
  Checkpoint checkpoint_;
};

Checkpoint short_bert(const std::string& type) {
  Checkpoint c = tiny_bert(type);
  const std::size_t rows = kTrained + (type == "roberta" ? 2 : 0);
  c.config["max_position_embeddings"] = rows;
  c.add("embeddings.position_embeddings.weight", {rows, 36}, 1);
  return c;
}
Checkpoint short_gpt2() {
  Checkpoint c = tiny_gpt2();
  c.config["n_positions"] = kTrained;
  c.add("wpe.weight", {kTrained, 32}, 1);
  return c;
}
Checkpoint short_llama() { return tiny_llama("llama", {{"max_position_embeddings", kTrained}}); }
// Heads whose queries and keys are normed, and all tokens see all others.
Checkpoint short_qwen3() {
  return tiny_llama("qwen3", {{"max_position_embeddings", kTrained}, {"is_causal", false}});
}
// Of each head half is turned, pairs beside each other.
Checkpoint short_nomic() {
  Checkpoint c = tiny_nomic("geglu", 0.5, true);
  c.config["n_positions"] = kTrained;
  return c;
}

// Its layers with windows never see a distance that they weren't trained on.
Checkpoint short_modernbert() {
  Checkpoint c = tiny_modernbert(false);
  c.config["max_position_embeddings"] = kTrained;
  c.config["local_attention"] = 16;
  return c;
}

std::vector<Case> cases() {
  const auto roberta = [](const Checkpoint& c, const Text& text) {
    Checkpoint same = c;
    same.config["model_type"] = "bert";  // whose reference takes positions as they are given
    return reference::bert(same, text);
  };
  std::vector<Case> all;
  const auto add = [&](const std::string& name, const std::function<Checkpoint()>& make,
                       const auto& run, const std::vector<Extension>& extensions) {
    for (const Extension each : extensions) {
      all.push_back({name + "_" + extension_name(each), each, make, run});
    }
  };
  using enum Extension;
  add("Bert", [] { return short_bert("bert"); }, reference::bert, {gp, rp, pi});
  add("Roberta", [] { return short_bert("roberta"); }, roberta, {gp, rp, pi});
  add("Gpt2", short_gpt2, reference::gpt2, {gp, rp, pi});
  add("Llama", short_llama, reference::llama, {gp, rp, pi, ntk, selfextend});
  add("Qwen3", short_qwen3, reference::llama, {gp, rp, pi, ntk, selfextend});
  add("Nomic", short_nomic, reference::nomic, {gp, rp, ntk, selfextend});
  all.push_back({"QwenUnscaled_selfextend", selfextend, short_qwen3, reference::llama, false});
  // A window that isn't whole groups.
  all.push_back({"QwenOdd_selfextend", selfextend, short_qwen3, reference::llama, true, 7});
  all.push_back({"BertUnscaled_gp", gp, [] { return short_bert("bert"); }, reference::bert, false});
  all.push_back({"ModernBertUnscaled_ntk", ntk, short_modernbert, reference::modernbert, false});
  return all;
}

class LongContext : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { write_folder(path(), GetParam().make()); }
  std::string path() const { return folder_.file("model"); }
  Encoder open() const {
    ContextOptions context{.tokens = kContext, .extension = GetParam().extension};
    context.scale_attention = GetParam().scale;
    if (GetParam().window != 10) context.window = GetParam().window;
    return Encoder::open(path(), {.context = context});
  }

  formats::TemporaryFolder folder_;
};

TEST_P(LongContext, AgreesWithTheReference) {
  const ByHand by_hand(GetParam());
  const Encoder encoder = open();
  EXPECT_EQ(encoder.info().max_tokens, kContext);
  for (const std::size_t length : {1, 7, 39, 40, 41, 80, 113, 150}) {
    const std::vector<std::uint32_t> ids = random_ids(length, length);
    const TokenSequence sequence{.ids = ids, .types = {}};
    const Matrix<float> got = encoder.hidden_states({&sequence, 1});
    const Rows wanted = by_hand.run(ids);
    double worst = 0;
    for (std::size_t i = 0; i < length; ++i) {
      for (std::size_t j = 0; j < got.cols(); ++j) {
        const double error = std::abs(got(i, j) - wanted[i][j]);
        worst = std::max(worst, std::isnan(error) ? 1e9 : error);
      }
    }
    EXPECT_LT(worst, 2e-4) << length << " tokens";
  }
}

TEST_P(LongContext, VectorsDependNeitherOnTheBatchNorOnThreads) {
  const Encoder encoder = open();
  std::vector<std::vector<std::uint32_t>> ids;
  std::vector<TokenSequence> sequences;
  for (std::size_t i = 0; i < 12; ++i) ids.push_back(random_ids(1 + i * 47 % kContext, i));
  for (const auto& each : ids) sequences.push_back({.ids = each, .types = {}});
  EncodeOptions three;
  three.control.threads = 3;
  const Matrix<float> all = encoder.encode(sequences, three);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Matrix<float> alone = encoder.encode({&sequences[i], 1});
    EXPECT_EQ(0, std::memcmp(alone.data(), all.row(i), all.cols() * sizeof(float))) << i;
  }
}

// All but those that turn every position otherwise.
TEST_P(LongContext, ShortTextsKeepTheirVectorsToTheBit) {
  const Extension extension = GetParam().extension;
  const bool rotary = !GetParam().name.starts_with("Bert") &&
                      !GetParam().name.starts_with("Roberta") &&
                      !GetParam().name.starts_with("Gpt2");
  if (rotary && (extension == Extension::pi || extension == Extension::ntk)) return;
  const Encoder encoder = open(), plain = Encoder::open(path());
  for (const std::size_t length : {1, 39, 40}) {
    const std::vector<std::uint32_t> ids = random_ids(length, length);
    const TokenSequence sequence{.ids = ids, .types = {}};
    const Matrix<float> a = encoder.encode({&sequence, 1}), b = plain.encode({&sequence, 1});
    EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.cols() * sizeof(float))) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(Context, LongContext, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

// ---- What has no reference ----------------------------------------------------------------------

class Context : public testing::Test {
 protected:
  std::string path(const std::string& name = "") const { return folder_.file("model") + name; }
  Encoder open(const ContextOptions& context) const {
    return Encoder::open(path(), {.context = context});
  }
  std::vector<float> vector_of(const Encoder& encoder, const TokenSequence& sequence) const {
    const Matrix<float> row = encoder.encode({&sequence, 1});
    return {row.data(), row.data() + row.cols()};
  }
  std::string failure(const ContextOptions& context) const {
    return error_of([&] { open(context); });
  }

  formats::TemporaryFolder folder_;
};

TEST_F(Context, GroupsOfOneAreThePlainAttention) {
  write_folder(path(), short_llama());
  const std::vector<std::uint32_t> ids = random_ids(kTrained + 1, 1);
  const TokenSequence sequence{.ids = ids, .types = {}};
  constexpr std::size_t kHuge = ~std::size_t{0};
  for (const std::size_t window : {std::size_t{1}, std::size_t{7}, std::size_t{100}, kHuge}) {
    const Encoder encoder = open({.tokens = kTrained + 1,
                                  .extension = Extension::selfextend,
                                  .group = 1,
                                  .window = window,
                                  .scale_attention = false});
    const std::vector<float> got = vector_of(encoder, sequence);
    formats::TemporaryFolder longer;
    write_folder(longer.file("m"), tiny_llama("llama"));  // the same weights
    EXPECT_EQ(got, vector_of(Encoder::open(longer.file("m")), sequence));
  }
}

TEST_F(Context, ChunksAreAveragedBeforeTheModulesAndTheLastIsFull) {
  write_folder(path(), short_bert("bert"));
  const std::vector<std::uint32_t> ids = random_ids(100, 1);
  std::vector<std::uint32_t> types(100);
  for (std::size_t i = 50; i < 100; ++i) types[i] = 1;
  // One special token in front, two behind: 97 of text in chunks of 37.
  const TokenSequence sequence{.ids = ids, .types = types, .prompt = 0, .lead = 1, .tail = 2};
  const Encoder plain = Encoder::open(path());
  std::vector<double> mean(36);
  for (const std::size_t begin : {1, 38, 61}) {
    std::vector<std::uint32_t> chunk = {ids[0]}, its_types = {types[0]};
    for (std::size_t i = begin; i < begin + 37; ++i) {
      chunk.push_back(ids[i]);
      its_types.push_back(types[i]);
    }
    for (const std::size_t i : {98, 99}) {
      chunk.push_back(ids[i]);
      its_types.push_back(types[i]);
    }
    const std::vector<float> row = vector_of(plain, {.ids = chunk, .types = its_types});
    for (std::size_t j = 0; j < 36; ++j) mean[j] += row[j] / 3.0;
  }
  const ContextOptions context{.tokens = kContext, .extension = Extension::pcw};
  const std::vector<float> got = vector_of(open(context), sequence);
  for (std::size_t j = 0; j < 36; ++j) ASSERT_NEAR(got[j], mean[j], 1e-6);

  write_json(path("/modules.json"), json::array({{{"path", ""}, {"type", "x.Transformer"}},
                                                 {{"path", "1_Pooling"}, {"type", "x.Pooling"}},
                                                 {{"path", "2"}, {"type", "x.Normalize"}}}));
  write_json(path("/1_Pooling/config.json"), {{"pooling_mode_mean_tokens", true}});
  double square = 0;
  for (const double x : mean) square += x * x;
  const std::vector<float> unit = vector_of(open(context), sequence);
  for (std::size_t j = 0; j < 36; ++j) ASSERT_NEAR(unit[j], mean[j] / std::sqrt(square), 1e-6);
}

TEST_F(Context, ATextOfOneChunkIsEmbeddedAsEver) {
  write_folder(path(), short_bert("bert"));
  const Encoder encoder = open({.tokens = kContext, .extension = Extension::pcw});
  const std::vector<std::uint32_t> ids = random_ids(kTrained, 1), more = random_ids(41, 2);
  const TokenSequence sequence{.ids = ids, .types = {}, .prompt = 0, .lead = 1, .tail = 1};
  EXPECT_EQ(vector_of(encoder, sequence), vector_of(Encoder::open(path()), sequence));
  const TokenSequence long_one{.ids = more, .types = {}},
      full{.ids = more, .types = {}, .lead = 40};
  EXPECT_EQ(error_of([&] {
              encoder.hidden_states({&long_one, 1});
            }),
            "sequence 0: 41 tokens, which have no states of their own in chunks of 40");
  EXPECT_EQ(error_of([&] { vector_of(encoder, full); }),
            "sequence 0: 40 special tokens leave no room in chunks of 40");
}

TEST_F(Context, ChunksOfNothingButAPromptAreLeftOutWhereItIs) {
  write_folder(path(), short_bert("bert"));
  write_json(path("/modules.json"), json::array({{{"path", ""}, {"type", "x.Transformer"}},
                                                 {{"path", "1_Pooling"}, {"type", "x.Pooling"}}}));
  write_json(path("/1_Pooling/config.json"),
             {{"pooling_mode_mean_tokens", true}, {"include_prompt", false}});
  const std::vector<std::uint32_t> ids = random_ids(120, 1);
  const auto part = [&](std::size_t begin) { return std::span(ids).subspan(begin, kTrained); };
  const Encoder plain = Encoder::open(path());
  const std::vector<float> second = vector_of(plain, {.ids = part(40), .types = {}, .prompt = 10});
  const std::vector<float> third = vector_of(plain, {.ids = part(80), .types = {}});
  const std::vector<float> got = vector_of(open({.tokens = kContext, .extension = Extension::pcw}),
                                           {.ids = ids, .types = {}, .prompt = 50});
  for (std::size_t j = 0; j < 36; ++j) ASSERT_NEAR(got[j], (second[j] + third[j]) / 2, 1e-6);
}

TEST_F(Context, WhatAModelCannotDoIsNamed) {
  using enum Extension;
  write_folder(path(), short_bert("bert"));
  EXPECT_EQ(failure({.tokens = 80}),
            "a context of 80 tokens, but the model takes 40 without an extension");
  EXPECT_THAT(failure({.tokens = std::size_t{1} << 40, .extension = pi}),
              HasSubstr("expected at most 16777216"));
  EXPECT_EQ(failure({.extension = gp}), "gp: expected the tokens of the longest text beside it");
  for (const Extension each : {ntk, selfextend}) {
    EXPECT_EQ(failure({.tokens = 80, .extension = each}),
              std::string(extension_name(each)) +
                  ": a model of type bert has learned positions, which pcw, gp, rp and pi extend");
  }
  write_folder(path(), tiny_bert("bert", "alibi"));
  EXPECT_EQ(failure({.tokens = 800, .extension = rp}),
            "rp: a model of type bert has no positions to move; pcw extends it");
  EXPECT_EQ(failure({.tokens = 800, .extension = pcw}), "");
  write_folder(path(),
               tiny_llama("llama", {{"max_position_embeddings", kTrained},
                                    {"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}));
  EXPECT_EQ(failure({.tokens = 80, .extension = pi}),
            "pi: a model of type llama has a rotary scaling already; pcw extends it");
  write_folder(path(), short_llama());
  EXPECT_EQ(failure({.tokens = 160, .extension = selfextend, .group = 2, .window = 8}),
            "selfextend: group 2 and window 8 put tokens of 160 up to 83 apart, but the model was "
            "trained on 40; larger groups or a smaller window put them nearer");
  EXPECT_EQ(failure({.tokens = 80, .extension = selfextend, .group = 0}),
            "selfextend: a group of 0 and a window of 20, expected 1 or more");
  EXPECT_EQ(failure({.tokens = 80, .extension = gp, .window = 8}),
            "gp: groups and a window are of selfextend alone");
  EXPECT_EQ(failure({.tokens = 80, .extension = pi, .ntk_lambda = 2}),
            "pi: a lambda is of ntk alone");
  EXPECT_THAT(failure({.tokens = 80, .extension = ntk, .ntk_lambda = 0.5}),
              HasSubstr("lambda 0.5"));
  const std::vector<std::uint32_t> ids = random_ids(81, 1);
  const TokenSequence sequence{.ids = ids, .types = {}};
  EXPECT_EQ(error_of([&] { vector_of(open({.tokens = 80, .extension = ntk}), sequence); }),
            "sequence 0: 81 tokens, but the model takes 80");
}

TEST_F(Context, DefaultWindowsFitWhateverTheLengths) {
  write_folder(path(), short_llama());
  for (std::size_t tokens = 1; tokens < 400; tokens += 7) {
    EXPECT_EQ(failure({.tokens = tokens, .extension = Extension::selfextend}), "") << tokens;
  }
}

TEST_F(Context, TextsAreCutAtTheContextWhateverTheTokenizerSays) {
  write_folder(path(), short_bert("bert"));
  json vocabulary = {{"[UNK]", 91}, {"[CLS]", 92}, {"[SEP]", 93}, {"a", 2}, {"b", 3}};
  formats::write_bytes(
      path("/tokenizer.json"),
      json{{"truncation",
            {{"direction", "Right"},
             {"max_length", 9},
             {"strategy", "LongestFirst"},
             {"stride", 0}}},
           {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
           {"post_processor",
            {{"type", "BertProcessing"}, {"sep", {"[SEP]", 93}}, {"cls", {"[CLS]", 92}}}},
           {"model", {{"type", "WordLevel"}, {"unk_token", "[UNK]"}, {"vocab", vocabulary}}}}
          .dump());
  const auto text_of_words = [](std::size_t words) {
    std::string text;
    for (std::size_t i = 0; i < words; ++i) text += i % 3 == 0 ? "b " : "a ";
    return text;
  };
  const std::string longer = text_of_words(200), whole = text_of_words(98), some = text_of_words(7);
  const std::vector<std::string_view> texts = {longer, whole, some};
  const auto row = [](const EncodedTexts& encoded, std::size_t i) {
    return std::vector<float>(encoded.vectors.row(i), encoded.vectors.row(i) + 36);
  };
  const EncodedTexts plain = TextEncoder::open(path()).encode(texts);
  EXPECT_EQ(plain.truncated, 2u);  // at the tokenizer's 9
  const EncodedTexts shorter = TextEncoder::open(path(), {.context = {.tokens = 30}}).encode(texts);
  EXPECT_EQ(shorter.truncated, 2u);
  EXPECT_EQ(row(shorter, 2), row(plain, 2));
  for (const Extension each : {Extension::pcw, Extension::gp}) {
    const TextEncoder model =
        TextEncoder::open(path(), {.context = {.tokens = 100, .extension = each}});
    const EncodedTexts encoded = model.encode(texts);
    EXPECT_EQ(encoded.truncated, 1u);
    EXPECT_EQ(row(encoded, 0), row(encoded, 1));
    EXPECT_EQ(row(encoded, 2), row(plain, 2));
    EXPECT_NE(row(encoded, 1), row(plain, 1));
  }
  // Chunks have [CLS] and [SEP] each.
  std::vector<std::uint32_t> ids = {92};
  for (std::size_t i = 0; i < 98; ++i) ids.push_back(i % 3 == 0 ? 3 : 2);
  ids.push_back(93);
  const ContextOptions context{.tokens = 100, .extension = Extension::pcw};
  EXPECT_EQ(row(TextEncoder::open(path(), {.context = context}).encode(texts), 1),
            vector_of(open(context), {.ids = ids, .types = {}, .prompt = 0, .lead = 1, .tail = 1}));
}

}  // namespace
}  // namespace kith::encode

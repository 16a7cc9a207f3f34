// Models that give a vector for each token, and tokens' vectors of other models.
#include "encode/late_interaction.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/test_error.h"
#include "encode/modules.h"
#include "encode/test_word_model.h"
#include "kith/text_encoder.h"

namespace kith::encode {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Views = std::vector<std::string_view>;

constexpr std::size_t kWidth = 36, kDim = 5;

class TokenVectors : public WordModel {
 protected:
  // "!" and the marks are words, too.
  json tokenizer() const override {
    json words = word_tokenizer();
    words["model"]["vocab"].update({{"[MASK]", 94}, {"!", 95}});
    words["added_tokens"] = {{{"id", 96},
                              {"content", "[Q] "},
                              {"normalized", false},
                              {"special", true},
                              {"single_word", false},
                              {"lstrip", false},
                              {"rstrip", false}}};
    return words;
  }

  // A projection to kDim components, as PyLate writes it.
  void project(const json& settings = json::object()) const {
    json all = {{"similarity_fn_name", "MaxSim"}, {"query_prefix", "[Q] "},
                {"document_prefix", ""},          {"query_length", 8},
                {"document_length", 6},           {"do_query_expansion", false}};
    all.update(settings);
    write("/config_sentence_transformers.json", all);
    write("/modules.json",
          json::array({{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
                       {{"path", "1_Dense"}, {"type", "pylate.models.Dense.Dense"}}}));
    Checkpoint dense;
    dense.config = {{"in_features", kWidth},
                    {"out_features", kDim},
                    {"bias", false},
                    {"activation_function", "torch.nn.modules.linear.Identity"}};
    dense.add_linear("linear", kDim, kWidth, false);
    weight_ = dense["linear.weight"];
    write_folder(path("/1_Dense"), dense);
  }

  // The states of these ids, through the projection if there is one, at length 1.
  Matrix<float> reference(const std::vector<std::uint32_t>& ids, bool projected) const {
    const TokenSequence sequence{.ids = ids, .types = {}};
    const Matrix<float> states = Encoder::open(path()).hidden_states({&sequence, 1});
    Matrix<float> out(ids.size(), projected ? kDim : kWidth);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (std::size_t d = 0; d < out.cols(); ++d) {
        out(i, d) = projected ? 0 : states(i, d);
        for (std::size_t j = 0; projected && j < kWidth; ++j) {
          out(i, d) += weight_[d * kWidth + j] * states(i, j);
        }
      }
      normalize(out.row(i), out.cols());
    }
    return out;
  }

  static void expect_set(const EncodedTokens& encoded, std::size_t i, const Matrix<float>& wanted,
                         const std::vector<std::size_t>& rows) {
    ASSERT_EQ(encoded.sets.view().length(i), rows.size());
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::size_t d = 0; d < wanted.cols(); ++d) {
        EXPECT_NEAR(encoded.sets.vectors(encoded.sets.offsets[i] + t, d), wanted(rows[t], d), 1e-5)
            << t;
      }
    }
  }

  mutable std::vector<float> weight_;
};

TEST_F(TokenVectors, OfAnOrdinaryModelAreItsLastStatesAtLengthOne) {
  const TextEncoder model = TextEncoder::open(path());
  EXPECT_FALSE(model.info().by_token);
  const Views views = {"w5", "w6 w7 w8", ""};
  const EncodedTokens all = model.encode_tokens(views);
  EXPECT_THAT(all.sets.offsets, ElementsAre(0, 3, 8, 10));
  expect_set(all, 1, reference({92, 6, 7, 8, 93}, false), {0, 1, 2, 3, 4});
  const EncodedTokens alone = model.encode_tokens({&views[1], 1});
  for (std::size_t t = 0; t < 5; ++t) {
    for (std::size_t d = 0; d < kWidth; ++d) {
      EXPECT_EQ(alone.sets.vectors(t, d), all.sets.vectors(3 + t, d));
    }
  }
  EXPECT_EQ(model.encode_tokens({}).sets.view().size(), 0u);
}

TEST_F(TokenVectors, OfALateInteractionModelAreProjected) {
  project();
  const TextEncoder model = TextEncoder::open(path());
  EXPECT_TRUE(model.info().by_token);
  EXPECT_EQ(model.info().dim, kDim);
  EXPECT_THAT(model.info().modules, ElementsAre("a vector for each token", "dense 36 to 5"));
  const Views views = {"w6 w7 !"};
  expect_set(model.encode_tokens(views), 0, reference({92, 6, 7, 95, 93}, true), {0, 1, 2, 3, 4});
  expect_set(model.encode_tokens(views, {.queries = true}), 0,
             reference({92, 96, 6, 7, 95, 93}, true), {0, 1, 2, 3, 4, 5});
}

TEST_F(TokenVectors, ArePrunedAndFilledUpAsTheFolderSays) {
  project({{"do_query_expansion", true},
           {"attend_to_expansion_tokens", true},
           {"skiplist_words", {"!", "?"}}});
  const TextEncoder model = TextEncoder::open(path());
  const Views views = {"w6 ! w7", "!", "w2 w3 w4 w5 w6 w7"};
  const EncodedTokens documents = model.encode_tokens(views);
  expect_set(documents, 0, reference({92, 6, 95, 7, 93}, true), {0, 1, 3, 4});
  EXPECT_EQ(documents.sets.view().length(1), 2u);
  EXPECT_EQ(documents.sets.view().length(2), 6u);
  EXPECT_EQ(documents.truncated, 1u);
  const EncodedTokens queries = model.encode_tokens(views, {.queries = true});
  expect_set(queries, 0, reference({92, 96, 6, 95, 7, 93, 94, 94}, true), {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(queries.sets.view().length(2), 8u);
  // Tokens that others don't see.
  project({{"do_query_expansion", true}});
  const TextEncoder unseen = TextEncoder::open(path());
  EXPECT_EQ(unseen.encode_tokens(views).sets.view().size(), 3u);
  EXPECT_THAT(error_of([&] { unseen.encode_tokens(views, {.queries = true}); }),
              HasSubstr("attend_to_expansion_tokens is false"));
}

TEST_F(TokenVectors, InEveryPrecisionKeepTheirDirection) {
  project();
  const Views views = {"w6 w7 w8 w9", "w10 w11"};
  const EncodedTokens exact = TextEncoder::open(path()).encode_tokens(views);
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const EncodedTokens narrow =
        TextEncoder::open(path(), {.precision = precision}).encode_tokens(views);
    EXPECT_EQ(narrow.sets.offsets, exact.sets.offsets);
    for (std::size_t i = 0; i < exact.sets.vectors.rows(); ++i) {
      float cosine = 0;
      for (std::size_t d = 0; d < kDim; ++d) {
        cosine += exact.sets.vectors(i, d) * narrow.sets.vectors(i, d);
      }
      EXPECT_GT(cosine, 0.95f);
    }
  }
}

TEST_F(TokenVectors, AreAllThatALateInteractionModelHas) {
  project();
  const Views views = {"w6"};
  const TextEncoder model = TextEncoder::open(path());
  EXPECT_THAT(error_of([&] { model.encode(views); }),
              HasSubstr("a vector for each token and none for a whole text"));
  const std::vector<std::uint32_t> ids = {92, 6, 93};
  const TokenSequence sequence{.ids = ids, .types = {}};
  EXPECT_THAT(error_of([&] {
                Encoder::open(path()).encode({&sequence, 1});
              }),
              HasSubstr("none for a whole text"));
  // Without the word for it the same modules lack a pooling.
  project({{"similarity_fn_name", "cosine"}});
  EXPECT_THAT(error_of([&] { TextEncoder::open(path()); }), HasSubstr("Dense"));
  project({{"query_length", 0}});
  EXPECT_THAT(error_of([&] { TextEncoder::open(path()); }), HasSubstr("query_length: 0"));
}

}  // namespace
}  // namespace kith::encode

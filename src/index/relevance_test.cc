#include "kith/relevance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "base/random.h"
#include "base/test_error.h"
#include "formats/test_files.h"

namespace kith {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDim = 6, kHidden = 5;

RelevanceAdapter::Layer layer(std::size_t inputs, std::size_t outputs, bool norm, Random& random) {
  RelevanceAdapter::Layer layer;
  layer.weight = Matrix<float>(outputs, inputs);
  for (std::size_t i = 0; i < outputs; ++i) {
    for (std::size_t j = 0; j < inputs; ++j) {
      layer.weight(i, j) = static_cast<float>(random.normal());
    }
    layer.bias.push_back(static_cast<float>(random.normal()));
  }
  for (std::size_t j = 0; norm && j < inputs; ++j) {
    layer.scale.push_back(static_cast<float>(1 + random.uniform()));
    layer.shift.push_back(static_cast<float>(random.normal()));
  }
  return layer;
}

RelevanceAdapter::Content content(RelevanceMapping mapping) {
  Random random(3);
  RelevanceAdapter::Content content;
  content.mapping = mapping;
  content.layers.push_back(layer(kDim, kHidden, true, random));
  content.layers.push_back(layer(kHidden, outputs(mapping), true, random));
  content.threshold = 0.3;
  content.model = "sum";
  return content;
}

std::vector<float> query(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> query(kDim);
  for (float& x : query) x = static_cast<float>(random.normal());
  return query;
}

constexpr RelevanceMapping kAll[] = {RelevanceMapping::offset, RelevanceMapping::linear,
                                     RelevanceMapping::sqrt, RelevanceMapping::quadratic,
                                     RelevanceMapping::power};

TEST(Relevance, GrowsWithTheCosineWhateverTheQuery) {
  for (const RelevanceMapping mapping : kAll) {
    const RelevanceAdapter adapter(content(mapping));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const RelevanceCurve curve = adapter.curve(query(seed).data());
      double before = -1;
      for (double cosine = -1; cosine <= 1; cosine += 0.125) {
        const double now = curve.relevance(cosine);
        EXPECT_GE(now, before) << name(mapping) << " at " << cosine;
        EXPECT_TRUE(now >= 0 && now <= 1) << now;
        before = now;
      }
      EXPECT_GT(curve.relevance(0.9), curve.relevance(0.2)) << name(mapping);
    }
  }
}

TEST(Relevance, IsWhatTheFormulasSay) {
  const RelevanceCurve linear{2, -1, 1}, sqrt{2, -1, 0.5}, square{2, -1, 2};
  EXPECT_DOUBLE_EQ(linear.logit(0.25), -0.5);
  EXPECT_DOUBLE_EQ(linear.logit(-0.5), -2);
  EXPECT_DOUBLE_EQ(sqrt.logit(0.25), 0);
  EXPECT_DOUBLE_EQ(square.logit(0.5), -0.5);
  EXPECT_NEAR(square.logit(-0.5), -1, 1e-11);  // no relevance for what lies behind
  EXPECT_DOUBLE_EQ(linear.relevance(0.5), 0.5);
}

TEST(Relevance, DependsOnTheDirectionOfAQueryAlone) {
  const RelevanceAdapter adapter(content(RelevanceMapping::power));
  std::vector<float> one = query(1), longer = one;
  for (float& x : longer) x *= 8;
  EXPECT_NEAR(adapter.curve(one.data()).offset, adapter.curve(longer.data()).offset, 1e-6);
  EXPECT_NE(adapter.curve(one.data()).offset, adapter.curve(query(2).data()).offset);
}

TEST(Relevance, IsScaledByTheFinalFit) {
  RelevanceAdapter::Content fitted = content(RelevanceMapping::linear);
  fitted.gain = 2;
  fitted.bias = -1;
  const std::vector<float> q = query(4);
  const RelevanceAdapter plain(content(RelevanceMapping::linear));
  const RelevanceCurve a = plain.curve(q.data()),
                       b = RelevanceAdapter(std::move(fitted)).curve(q.data());
  EXPECT_NEAR(b.logit(0.3), 2 * a.logit(0.3) - 1, 1e-9);
}

TEST(Relevance, AdaptersAreTheSameReadFromTheirFile) {
  const formats::TemporaryFolder folder;
  for (const RelevanceMapping mapping : kAll) {
    const RelevanceAdapter adapter(content(mapping));
    adapter.save(folder.file("a.kith"));
    const RelevanceAdapter read = RelevanceAdapter::open(folder.file("a.kith"));
    EXPECT_EQ(read.dim(), kDim);
    EXPECT_EQ(read.content().mapping, mapping);
    EXPECT_EQ(read.content().model, "sum");
    EXPECT_EQ(read.content().threshold, 0.3);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const std::vector<float> q = query(seed);
      EXPECT_EQ(read.curve(q.data()).logit(0.4), adapter.curve(q.data()).logit(0.4));
    }
  }
}

template <class Change>
std::string refusal(const Change& change) {
  RelevanceAdapter::Content changed = content(RelevanceMapping::linear);
  change(changed);
  return error_of([&] { RelevanceAdapter adapter(std::move(changed)); });
}

TEST(Relevance, RefusesWhatDoesNotFit) {
  using Content = RelevanceAdapter::Content;
  EXPECT_THAT(error_of([] { relevance_mapping("cubic"); }), HasSubstr("'cubic', expected offset"));
  EXPECT_THAT(refusal([](Content& own) { own.mapping = RelevanceMapping::power; }),
              HasSubstr("2 numbers a query, but the mapping power takes 3"));
  EXPECT_THAT(refusal([](Content& own) { own.layers[1].bias.pop_back(); }),
              HasSubstr("layer 1: 1 biases, expected 2"));
  EXPECT_THAT(refusal([](Content& own) { own.layers[1].scale.pop_back(); }),
              HasSubstr("layer 1: scales and shifts"));
  EXPECT_THAT(refusal([](Content& own) {
                own.layers[0].weight(2, 2) = std::numeric_limits<float>::quiet_NaN();
              }),
              HasSubstr("layer 0: a value that isn't"));
  EXPECT_THAT(refusal([](Content& own) { own.layers.pop_back(); }), HasSubstr("5 numbers a query"));
  EXPECT_THAT(refusal([](Content& own) { own.layers.clear(); }), HasSubstr("0 layers"));
  const RelevanceAdapter adapter(content(RelevanceMapping::linear));
  const std::vector<float> zero(kDim);
  EXPECT_THAT(error_of([&] { adapter.curve(zero.data()); }), HasSubstr("a query of zeros"));
}

TEST(Relevance, BrokenFilesAreRefused) {
  const formats::TemporaryFolder folder;
  const std::string path = folder.file("a.kith");
  RelevanceAdapter(content(RelevanceMapping::linear)).save(path);
  const std::string bytes = formats::file_bytes(path);
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    formats::write_bytes(path, bytes.substr(0, size));
    EXPECT_NE(error_of([&] { RelevanceAdapter::open(path); }), "") << size;
  }
  for (std::size_t at = 0; at < bytes.size(); at += 41) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 0x10);
    formats::write_bytes(path, other);
    try {
      RelevanceAdapter::open(path);  // padding is not looked at
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::invalid_argument) << at;
    }
  }
}

}  // namespace
}  // namespace kith

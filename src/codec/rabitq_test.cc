// RaBitQ's promises: estimates that are right on average over rotations, a bound that holds as
// often as stated, half the error with each bit, the best point of the grid, any origin.
#include "codec/rabitq.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "codec/rotation.h"
#include "codec/spec.h"
#include "codec/stage.h"
#include "kith/error.h"

namespace kith {
namespace {

std::vector<float> normal_vector(std::size_t dim, std::uint64_t seed) {
  Random random(seed, 77);
  std::vector<float> x(dim);
  for (float& value : x) value = static_cast<float>(random.normal());
  return x;
}

// q at the given cosine to x, of the same length.
std::vector<float> at_cosine(const std::vector<float>& x, double cosine, std::uint64_t seed) {
  std::vector<float> q = normal_vector(x.size(), seed);
  double xx = 0, xq = 0, rest = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    xx += double{x[j]} * x[j];
    xq += double{x[j]} * q[j];
  }
  for (std::size_t j = 0; j < x.size(); ++j) {
    q[j] -= static_cast<float>(xq / xx * x[j]);
    rest += double{q[j]} * q[j];
  }
  const double along = cosine, across = std::sqrt((1 - cosine * cosine) * xx / rest);
  for (std::size_t j = 0; j < x.size(); ++j) {
    q[j] = static_cast<float>(along * x[j] + across * q[j]);
  }
  return q;
}

double distance_of(Metric metric, const std::vector<float>& q, const std::vector<float>& x) {
  double square = 0, product = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    square += (double{q[j]} - x[j]) * (double{q[j]} - x[j]);
    product += double{q[j]} * x[j];
  }
  if (metric == Metric::l2) return square;
  return metric == Metric::ip ? -product : 1 - product;
}

struct Estimate {
  double error;  // estimate less distance
  double bound;
};

// The estimate of the distance between q and x, both rotated by `seed`; codes are relative to
// `origin`, rotated too, or to the mean (zero) when there is none.
Estimate estimate(int bits, Metric metric, const std::vector<float>& q, const std::vector<float>& x,
                  std::uint64_t seed, const std::vector<float>* origin = nullptr) {
  const std::size_t dim = x.size();
  const Rotation rotation(dim, seed);
  std::vector<float> turned_q = q, turned_x = x;
  rotation.apply(turned_q.data());
  rotation.apply(turned_x.data());
  Rabitq codec(dim, metric, bits);
  codec.resize(1);
  Rabitq::Query query;
  codec.prepare(turned_q.data(), query);
  if (origin == nullptr) {
    codec.encode(0, turned_x.data());
  } else {
    std::vector<float> turned = *origin;
    rotation.apply(turned.data());
    codec.encode(0, turned_x.data(), turned.data());
    codec.move_to(turned_q.data(), turned.data(), query);
  }
  const Id id = 0;
  float score = 0;
  codec.score_best(query, &id, 1, &score);
  return {score - distance_of(metric, q, x), codec.estimate_error(query, 0)};
}

TEST(Rabitq, IsRightOnAverageOverRotations) {
  constexpr int kRotations = 2000;
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    for (const int bits : {1, 2, 4}) {
      for (const double cosine : {0.0, 0.7, -0.4}) {
        const std::vector<float> x = normal_vector(64, 1), q = at_cosine(x, cosine, 2);
        double sum = 0, squares = 0;
        for (int seed = 0; seed < kRotations; ++seed) {
          const double error = estimate(bits, metric, q, x, static_cast<std::uint64_t>(seed)).error;
          sum += error;
          squares += error * error;
        }
        const double mean = sum / kRotations;
        const double deviation = std::sqrt(squares / kRotations - mean * mean);
        EXPECT_LT(std::abs(mean), 3.5 * deviation / std::sqrt(kRotations))
            << name(metric) << ", " << bits << " bits, cosine " << cosine;
      }
    }
  }
}

// A scalar code of the same size is not: each component shrinks towards the middle.
TEST(Rabitq, ScalingToTheNearestPointWouldBeBiased) {
  constexpr int kRotations = 500;
  const std::vector<float> x = normal_vector(64, 1), q = at_cosine(x, 0.9, 2);
  double sum = 0;
  for (int seed = 0; seed < kRotations; ++seed) {
    const Rotation rotation(64, static_cast<std::uint64_t>(seed));
    std::vector<float> a = x, b = q;
    rotation.apply(a.data());
    rotation.apply(b.data());
    double size = 0, product = 0;  // nearest sign vector: mean |a| times the signs
    for (std::size_t j = 0; j < 64; ++j) size += std::abs(a[j]) / 64;
    for (std::size_t j = 0; j < 64; ++j) product += (a[j] < 0 ? -size : size) * b[j];
    sum += (product + distance_of(Metric::ip, q, x)) / distance_of(Metric::ip, q, x);
  }
  EXPECT_GT(std::abs(sum / kRotations), 0.3);  // 1 - 2 / pi
}

TEST(Rabitq, BoundHoldsAsOftenAsStated) {
  constexpr int kPairs = 3000;
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    for (const int bits : {1, 3, 8}) {
      for (const auto& [cosine, least] : {std::pair{0.0, 0.93}, {0.7, 0.985}}) {
        int within = 0;
        for (std::uint64_t seed = 0; seed < kPairs; ++seed) {
          const std::vector<float> x = normal_vector(128, seed);
          const std::vector<float> q = at_cosine(x, cosine, seed + 10000);
          const Estimate one = estimate(bits, metric, q, x, seed);
          within += std::abs(one.error) <= one.bound ? 1 : 0;
        }
        EXPECT_GE(within, least * kPairs) << bits << " bits, cosine " << cosine;
        // Nor is the bound idle: near to what a normal error of that size would give.
        if (cosine == 0.0) {
          EXPECT_LE(within, 0.96 * kPairs) << bits << " bits";
        }
      }
    }
  }
}

// The deviations of unit vectors' products that the papers' error formula gives: eta / sqrt(D - 1).
TEST(Rabitq, ErrorFallsByAboutHalfABit) {
  constexpr double kEta[] = {0.755, 0.38, 0.20, 0.105, 0.055, 0.029, 0.015, 0.0075};
  constexpr int kPairs = 800;
  constexpr std::size_t kDim = 128;
  for (int bits = 1; bits <= 8; ++bits) {
    double squares = 0;
    for (std::uint64_t seed = 0; seed < kPairs; ++seed) {
      const std::vector<float> x = normal_vector(kDim, seed);
      const std::vector<float> q = at_cosine(x, 0, seed + 10000);
      const double error = estimate(bits, Metric::ip, q, x, seed).error;
      const double norm = -distance_of(Metric::ip, x, x);
      squares += error * error / (norm * norm) / kPairs;
    }
    const double eta = std::sqrt(squares * (kDim - 1));
    EXPECT_NEAR(eta, kEta[bits - 1], 0.2 * kEta[bits - 1]) << bits << " bits";
  }
}

// Every scale at which a component enters its next cell, which are all that can differ.
double best_cosine(const std::vector<float>& x, int bits) {
  const int cells = 1 << (bits - 1);
  std::vector<double> scales;
  for (const float value : x) {
    for (int cell = 1; cell < cells; ++cell) {
      scales.push_back(cell / std::abs(double{value}) * (1 + 1e-12));
    }
  }
  double best = 0, norm = 0;
  for (const float value : x) norm += double{value} * value;
  for (const double scale : scales) {
    double product = 0, square = 0;
    for (const float value : x) {
      const int cell = std::min(static_cast<int>(std::abs(value) * scale), cells - 1);
      product += std::abs(value) * (cell + 0.5);
      square += (cell + 0.5) * (cell + 0.5);
    }
    best = std::max(best, product / std::sqrt(square * norm));
  }
  return best;
}

TEST(Rabitq, FindsNearlyTheBestPointOfTheGrid) {
  for (const int bits : {2, 3, 4, 5}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const std::vector<float> x = normal_vector(64, seed);
      Rabitq codec(64, Metric::l2, bits);
      codec.resize(1);
      codec.encode(0, x.data());
      double norm = 0;
      for (const float value : x) norm += double{value} * value;
      const double best = best_cosine(x, bits);
      const double least_error = std::sqrt(norm * (1 / (best * best) - 1));
      EXPECT_GE(codec.error_bound(0), 0.999 * least_error);
      EXPECT_LE(codec.error_bound(0), 1.06 * least_error) << bits << " bits, seed " << seed;
    }
  }
}

TEST(Rabitq, AnOriginNearTheVectorShrinksTheError) {
  std::vector<float> centre = normal_vector(96, 1);
  for (float& value : centre) value *= 5;
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    double near = 0, far = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      std::vector<float> x = normal_vector(96, seed + 2), q = normal_vector(96, seed + 300);
      for (std::size_t j = 0; j < 96; ++j) x[j] += centre[j], q[j] += centre[j];
      near += std::abs(estimate(2, metric, q, x, seed, &centre).error);
      far += std::abs(estimate(2, metric, q, x, seed).error);
    }
    EXPECT_LT(near * 5, far) << name(metric);
  }
}

TEST(Rabitq, OriginsTheMeanIsOneOfGiveTheSameEstimates) {
  Matrix<float> rows(50, 40);
  for (std::size_t i = 0; i < 50; ++i) {
    const std::vector<float> x = normal_vector(40, i);
    for (std::size_t j = 0; j < 40; ++j) rows(i, j) = x[j] + 3;
  }
  Rabitq codec(40, Metric::l2, 3);
  codec.train(rows);
  codec.resize(100);
  std::vector<float> mean(40, 0.0f), decoded(40), again(40);
  for (std::size_t i = 0; i < 50; ++i) {
    for (std::size_t j = 0; j < 40; ++j) mean[j] += rows(i, j) / 50;
  }
  Rabitq::Query query, moved;
  codec.prepare(rows.row(0), query);
  codec.prepare(rows.row(0), moved);
  codec.move_to(rows.row(0), mean.data(), moved);
  for (Id id = 0; id < 50; ++id) {
    codec.encode(id, rows.row(id));
    codec.encode(id + 50, rows.row(id), mean.data());
    float one, other;
    const Id second = id + 50;
    codec.score(query, &id, 1, &one);
    codec.score(moved, &second, 1, &other);
    EXPECT_NEAR(one, other, 1e-3);
    codec.decode(id, decoded.data());
    codec.decode(second, mean.data(), again.data());
    for (std::size_t j = 0; j < 40; ++j) EXPECT_NEAR(decoded[j], again[j], 1e-4);
  }
}

// Constants, the mean itself, one dimension, huge and tiny norms, duplicates: estimates stay
// finite, and within what the stated error of the decoded vector allows.
TEST(Rabitq, StaysWithinItsBoundOnDegenerateVectors) {
  rc::check([] {
    const auto dim = static_cast<std::size_t>(*rc::gen::inRange(1, 70));
    const int bits = *rc::gen::inRange(1, 9);
    const auto metric = *rc::gen::element(Metric::l2, Metric::ip);
    const float size = *rc::gen::element(1e-20f, 1e-3f, 1.0f, 1e5f);
    const int kind = *rc::gen::inRange(0, 4);
    const auto seed = static_cast<std::uint64_t>(*rc::gen::inRange(0, 1000));
    std::vector<float> x = normal_vector(dim, seed), q = normal_vector(dim, seed + 5000);
    for (std::size_t j = 0; j < dim; ++j) {
      if (kind == 0) x[j] = 1;
      if (kind == 1) x[j] = 0;
      if (kind == 2) x[j] = j == 0 ? 100.0f : 0.0f;
      x[j] *= size, q[j] *= size;
    }
    Rabitq codec(dim, metric, bits);
    codec.resize(2);
    codec.encode(0, x.data());
    codec.encode(1, x.data());
    RC_ASSERT(std::equal(codec.code(0).begin(), codec.code(0).end(), codec.code(1).begin()));
    std::vector<float> decoded(dim);
    codec.decode(0, decoded.data());
    RC_ASSERT(std::sqrt(distance_of(Metric::l2, x, decoded)) <= double{codec.error_bound(0)});
    Rabitq::Query query;
    codec.prepare(q.data(), query);
    const Id ids[2] = {0, 1};
    float scores[2];
    codec.score_best(query, ids, 2, scores);
    RC_ASSERT(scores[0] == scores[1]);
    // |<q, decoded - x>| is at most |q| e.
    const double weight = metric == Metric::l2 ? 2 : 1;
    const double length = query.distance;
    const double slack = 1e-4 * (length + codec.error_bound(0)) * (length + codec.error_bound(0)) +
                         1e-4 * std::abs(distance_of(metric, q, x));
    RC_ASSERT(std::abs(scores[0] - distance_of(metric, q, x)) <=
              weight * length * codec.error_bound(0) + slack);
  });
}

TEST(Rabitq, ExactInOneDimension) {
  for (const int bits : {1, 5}) {
    const Estimate one = estimate(bits, Metric::l2, {0.75f}, {-2.5f}, 1);
    EXPECT_NEAR(one.error, 0, 1e-5);
  }
}

TEST(Rabitq, RoundingTheQueryCostsLittleBesideOneBit) {
  const std::vector<float> x = normal_vector(256, 1);
  Rabitq codec(256, Metric::ip, 1);
  codec.resize(1);
  codec.encode(0, x.data());
  double rounding = 0, error = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<float> q = normal_vector(256, seed + 9);
    Rabitq::Query query;
    codec.prepare(q.data(), query);
    const Id id = 0;
    float fast, best;
    codec.score(query, &id, 1, &fast);
    codec.score_best(query, &id, 1, &best);
    rounding += std::abs(fast - best);
    error += std::abs(best - distance_of(Metric::ip, q, x));
  }
  EXPECT_LT(rounding, 0.02 * error);
}

TEST(Rabitq, IsRotatedWithoutBeingTold) {
  Matrix<float> rows(20, 32);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::vector<float> x = normal_vector(32, i);
    std::copy(x.begin(), x.end(), rows.row(i));
  }
  Stage stage("rabitq8", false, 32, Metric::l2, 7);
  stage.train(rows, 1, {});
  stage.resize(20);
  std::vector<Id> ids(20);
  std::iota(ids.begin(), ids.end(), Id{0});
  stage.encode(loader_of(rows), ids, {});
  EXPECT_EQ(stage.name(), "rabitq8");
  std::vector<float> turned(rows.row(3), rows.row(3) + 32), decoded(32);
  stage.transform(turned.data());
  EXPECT_GT(std::abs(turned[0] - rows(3, 0)) + std::abs(turned[1] - rows(3, 1)), 1e-3);
  stage.decode(3, decoded.data());
  for (std::size_t j = 0; j < 32; ++j) EXPECT_NEAR(decoded[j], rows(3, j), 0.05);
}

TEST(Rabitq, NamesSayTheBits) {
  EXPECT_EQ(CodecSpec::parse("rabitq4+f16").name(), "rabitq4+f16");
  for (const char* bad : {"rabitq", "rabitq0", "rabitq9", "rabitq11", "rot-rabitq4", "rabitqx"}) {
    EXPECT_THROW(CodecSpec::parse(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace kith

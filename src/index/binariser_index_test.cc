// Codes by a binariser in every kind of index.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "codec/stage.h"
#include "codec/test_binariser.h"
#include "formats/test_files.h"
#include "index/test_data.h"
#include "kith/exact.h"
#include "kith/index.h"
#include "kith/trained_binariser.h"

namespace kith {
namespace {

using testing::HasSubstr;

constexpr std::size_t kRows = 2500, kDim = 24;

// Signs and what these leave over, without a network: codes that keep most of the order.
Binariser refining(std::size_t dims, int bits, std::uint64_t seed = 1) {
  const Matrix<float> directions = random_directions(dims, kDim, seed);
  Matrix<float> back(kDim, dims);
  for (std::size_t i = 0; i < dims; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) back(j, i) = directions(i, j);
  }
  const auto block = [](const Matrix<float>& skip) {
    BinariserBlock made;
    made.skip = skip.clone();
    made.bias.assign(skip.rows(), 0.0F);
    return made;
  };
  Binariser own;
  own.dim = kDim;
  own.dims = dims;
  own.bits = bits;
  for (int i = 0; i < bits; ++i) {
    own.binarise.push_back(block(directions));
    if (i + 1 < bits) own.reconstruct.push_back(block(back));
  }
  own.seal();
  return own;
}

class BinariserIndexTest : public testing::Test {
 protected:
  static std::shared_ptr<const TrainedBinariser> trained(std::size_t dims, int bits) {
    return std::make_shared<const TrainedBinariser>(
        std::make_shared<const Binariser>(refining(dims, bits)));
  }
  Index build(const std::string& kind, const std::string& codec,
              std::shared_ptr<const TrainedBinariser> binariser) const {
    BuildOptions options;
    options.metric = Metric::cosine;
    options.index = kind;
    options.codec = codec;
    options.binariser = std::move(binariser);
    return Index::build(rows_.view(), Labels(), options);
  }
  double recall(const Index& index, std::size_t beam = 0) const {
    const Neighbours truth =
        exact_search(rows_.view(), queries_.view(), {.k = 10, .metric = Metric::cosine});
    return recall_at(index.search(queries_.view(), 10, {.beam = beam}), truth, 10);
  }

  const Matrix<float> rows_ = clustered(kRows, kDim, 1), queries_ = clustered(100, kDim, 2);
  formats::TemporaryFolder folder_;
};

TEST_F(BinariserIndexTest, FindNeighboursInEveryKindOfIndex) {
  EXPECT_GT(recall(build("flat", "auto", trained(192, 2))), 0.6);
  EXPECT_GT(recall(build("flat", "bits96x4", trained(96, 4))), 0.6);
  EXPECT_GT(recall(build("flat", "signs256", nullptr)), 0.55);
  EXPECT_GT(recall(build("flat", "itq24", nullptr)), 0.15);
  const Index flat = build("flat", "auto", trained(192, 2)),
              graph = build("graph", "auto", trained(192, 2));
  EXPECT_EQ(graph.info().codec, "bits192x2");
  EXPECT_GT(recall(graph, 200), recall(flat) - 0.03);
  EXPECT_GT(recall(build("flat", "bits192x2+f16", trained(192, 2))), 0.95);
  EXPECT_GT(recall(build("graph", "bits192x2+f16", trained(192, 2)), 100), 0.9);
  const Index lists = build("ivf", "auto", trained(192, 2));
  EXPECT_EQ(lists.info().codec, "bits192x2");
  EXPECT_EQ(recall(lists, 100), recall(flat));
  const Index ranked = build("ivf", "pq12+bits192x2", trained(192, 2));
  EXPECT_EQ(ranked.info().codec, "pq12+bits192x2");
  EXPECT_GT(recall(ranked, 100), recall(flat) - 0.05);
  EXPECT_GT(recall(build("ivf", "bits192x2+f16", trained(192, 2)), 100), 0.95);
}

TEST_F(BinariserIndexTest, AreTheSameOutOfAFile) {
  for (const std::string kind : {"flat", "graph", "ivf"}) {
    for (const int bits : {1, 2, 3, 4}) {
      const Index index = build(kind, "auto", trained(40, bits));
      const std::string path = folder_.file("index.kith");
      index.save(path);
      const Index back = Index::open(path);
      EXPECT_EQ(back.info().codec, index.info().codec);
      EXPECT_TRUE(same(index.search(queries_.view(), 5), back.search(queries_.view(), 5)))
          << kind << " " << bits;
    }
  }
}

TEST_F(BinariserIndexTest, TakeInAndGiveUpVectors) {
  for (const std::string kind : {"flat", "graph", "ivf"}) {
    Index index = build(kind, "auto", trained(192, 2));
    const Matrix<float> more = clustered(60, kDim, 3);
    const std::vector<Id> ids = index.add(more.view(), Labels());
    const Neighbours found = index.search(more.view(), 1, {.beam = 100});
    std::size_t right = 0;
    for (std::size_t i = 0; i < 60; ++i) right += found.ids(i, 0) == ids[i] ? 1U : 0U;
    EXPECT_GE(right, 57U) << kind;
    index.remove(ids);
    EXPECT_EQ(index.size(), kRows);
    const Index other = build("flat", "auto", trained(64, 1));
    const Index* const others[] = {&other};
    index.merge(others);
    EXPECT_EQ(index.size(), 2 * kRows);
  }
}

TEST_F(BinariserIndexTest, AreSearchedByQueriesOfANewModel) {
  // The new model's vectors are the old one's with the dimensions in another order and one more.
  const std::uint64_t old = refining(192, 2).version;
  const auto wider = [](const Matrix<float>& from) {
    Matrix<float> to(from.rows(), kDim + 1);
    for (std::size_t i = 0; i < from.rows(); ++i) {
      for (std::size_t j = 0; j < kDim; ++j) to(i, kDim - 1 - j) = from(i, j);
    }
    return to;
  };
  const auto given = [&](std::uint64_t compatible) {
    Binariser fresh = refining(192, 2);
    fresh.dim = kDim + 1;
    for (BinariserBlock& block : fresh.binarise) block.skip = wider(block.skip);
    for (BinariserBlock& block : fresh.reconstruct) {
      Matrix<float> skip(kDim + 1, block.skip.cols());
      for (std::size_t j = 0; j < kDim; ++j) {
        std::copy_n(block.skip.row(j), skip.cols(), skip.row(kDim - 1 - j));
      }
      block.skip = std::move(skip);
      block.bias.push_back(0);
    }
    fresh.seal();
    fresh.compatible = compatible;
    return TrainedBinariser(std::make_shared<const Binariser>(std::move(fresh)));
  };
  const Matrix<float> asked = wider(queries_);
  for (const std::string kind : {"flat", "graph", "ivf"}) {
    Index index = build(kind, "auto", trained(192, 2));
    const Neighbours before = index.search(queries_.view(), 10);
    EXPECT_THAT(error_of([&] { index.read_queries_by(given(0)); }), HasSubstr("compatible"));
    index.read_queries_by(given(old));
    EXPECT_EQ(index.query_dim(), kDim + 1);
    EXPECT_EQ(index.dim(), kDim);
    // Sums run over the dimensions in another order, so a few signs may differ.
    const Neighbours after = index.search(asked.view(), 10);
    std::size_t equal = 0;
    for (std::size_t q = 0; q < 100; ++q) equal += after.ids(q, 0) == before.ids(q, 0) ? 1U : 0U;
    EXPECT_GE(equal, 95U) << kind;
    EXPECT_THAT(error_of([&] { index.search(queries_.view(), 10); }), HasSubstr("25"));
    // What is added still is of the old model.
    const std::vector<Id> ids = index.add(queries_.view(), Labels());
    EXPECT_EQ(index.search(asked.view(), 1, {.beam = 200}).ids(0, 0), ids[0]);
  }
  Index lists = build("ivf", "pq12+bits192x2", trained(192, 2)),
        ranked = build("flat", "bits192x2+f16", trained(192, 2)),
        plain = build("flat", "f32", nullptr);
  for (Index* const index : {&lists, &ranked, &plain}) {
    EXPECT_NE(error_of([&] { index->read_queries_by(*trained(192, 2)); }), "");
  }
}

TEST_F(BinariserIndexTest, AreRefusedWhereTheyDoNotFit) {
  const auto refusal = [&](const auto& change) {
    BuildOptions options;
    options.metric = Metric::cosine;
    options.binariser = trained(64, 2);
    change(options);
    return error_of([&] { Index::build(rows_.view(), Labels(), options); });
  };
  EXPECT_EQ(refusal([](BuildOptions&) {}), "");
  EXPECT_THAT(refusal([](BuildOptions& own) { own.metric = Metric::l2; }), HasSubstr("cosine"));
  EXPECT_THAT(refusal([](BuildOptions& own) { own.codec = "bits64"; }),
              HasSubstr("bits64x2 was trained"));
  EXPECT_THAT(refusal([](BuildOptions& own) {
                own.codec = "bits64x2";
                own.binariser = nullptr;
              }),
              HasSubstr("kith train codec"));
  EXPECT_THAT(refusal([](BuildOptions& own) {
                own.codec = "signs64";
                own.metric = Metric::ip;
                own.binariser = nullptr;
              }),
              HasSubstr("expected cosine"));
  const Matrix<float> wider = clustered(100, kDim + 1, 1);
  BuildOptions options;
  options.metric = Metric::cosine;
  options.binariser = trained(64, 2);
  EXPECT_THAT(error_of([&] { Index::build(wider.view(), Labels(), options); }),
              HasSubstr("24 dimensions for vectors of 25"));
}

TEST_F(BinariserIndexTest, BrokenFilesOfBinarisersAreRefused) {
  const std::string path = folder_.file("binariser.kith");
  const TrainedBinariser whole(
      std::make_shared<const Binariser>(made_up_binariser(kDim, 40, 2, 8)));
  whole.save(path);
  EXPECT_EQ(TrainedBinariser::open(path).version(), whole.version());
  EXPECT_EQ(TrainedBinariser::open(path).codec(), "bits40x2");
  const std::string bytes = formats::file_bytes(path);
  for (std::size_t size = 0; size < bytes.size(); size += 997) {
    formats::write_bytes(path, bytes.substr(0, size));
    EXPECT_NE(error_of([&] { TrainedBinariser::open(path); }), "") << size;
  }
  for (std::size_t at = 300; at < bytes.size(); at += 1009) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 64);
    formats::write_bytes(path, changed);
    std::string error = error_of([&] { TrainedBinariser::open(path); });
    if (error.empty()) {  // between two sections
      EXPECT_EQ(TrainedBinariser::open(path).version(), whole.version()) << at;
    }
  }
  build("flat", "f32", nullptr).save(folder_.file("index.kith"));
  EXPECT_THAT(error_of([&] { TrainedBinariser::open(folder_.file("index.kith")); }),
              HasSubstr("no trained binariser"));
}

}  // namespace
}  // namespace kith

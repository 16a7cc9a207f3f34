// Vectors on disk that judge another model's candidates: they rank as the same codes in memory do,
// to the bit, and say what is wrong with what they are given.
#include "kith/verifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "base/test_path.h"
#include "base/topk.h"
#include "codec/stage.h"
#include "index/implementation.h"
#include "index/test_data.h"
#include "kith/error.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeader = 4096;

class VerifierTest : public testing::Test {
 protected:
  static constexpr std::size_t kRows = 700, kDim = 24, kQueries = 37, kCandidates = 150;

  VerifierTest() : folder_(test_path("folder")), path_(folder_ + "/x.verify") {
    fs::create_directory(folder_);
  }
  ~VerifierTest() override { fs::remove_all(folder_); }

  // Distinct random ids in random order, at distances that are a model's own, nothing like here.
  static Neighbours candidates_for(std::size_t queries, std::size_t count, std::size_t rows) {
    Neighbours candidates(queries, count);
    for (std::size_t q = 0; q < queries; ++q) {
      const std::vector<Id> order = random_permutation(rows, q + 3);
      Random random(q + 5);
      for (std::size_t i = 0; i < count; ++i) {
        candidates.ids(q, i) = order[i];
        candidates.distances(q, i) = static_cast<float>(random.normal());
      }
    }
    return candidates;
  }

  VerifierOptions options(const std::string& codec = "f16", Metric metric = Metric::ip) const {
    VerifierOptions options;
    options.codec = codec;
    options.metric = metric;
    options.file = path_;
    return options;
  }
  Verifier made(const std::string& codec = "f16", Metric metric = Metric::ip) const {
    Verifier verifier = Verifier::build(rows_, options(codec, metric));
    verifier.save();
    return verifier;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string reranking(const Verifier& verifier, const Neighbours& candidates,
                        RerankOptions options = {}) const {
    return error_of([&] { verifier.rerank(queries_, candidates, 10, options); });
  }

  Matrix<float> rows_ = clustered(kRows, kDim, 1);
  Matrix<float> queries_ = clustered(kQueries, kDim, 2);
  Neighbours candidates_ = candidates_for(kQueries, kCandidates, kRows);
  std::string folder_, path_;
};

// Every candidate by the same codes in memory, one at a time.
Neighbours reference(const AnyMatrixView& rows, const VerifierOptions& options,
                     const AnyMatrixView& queries, const Neighbours& candidates, std::size_t k,
                     float weight) {
  const CodecSpec spec = CodecSpec::parse(options.codec);
  Stage stage(spec.primary, spec.rotate, rows.dim(), options.metric, options.seed);
  stage.train(rows, options.seed, {});
  stage.resize(rows.rows());
  std::vector<Id> ids(rows.rows());
  std::iota(ids.begin(), ids.end(), Id{0});
  stage.encode(loader_of(rows), ids, {});
  Neighbours result(queries.rows(), k);
  std::vector<float> x(rows.dim());
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    queries.copy_row(q, x.data());
    stage.transform_query(x.data());
    std::vector<Hit> hits;
    std::visit(
        [&]<class C>(const C& codec) {
          typename C::Query query;
          codec.prepare(x.data(), query);
          for (std::size_t i = 0; i < candidates.k(); ++i) {
            const Id id = candidates.ids(q, i);
            if (id == kNoId) continue;
            Hit hit{0, id};
            codec.score_best(query, &id, 1, &hit.distance);
            if (weight != 0) {
              hit.distance -= weight * customary(options.metric, candidates.distances(q, i));
            }
            hits.push_back(hit);
          }
        },
        stage.codec());
    std::sort(hits.begin(), hits.end());
    put_hits(hits, q, result);
  }
  return result;
}

TEST_F(VerifierTest, RanksCandidatesAsTheSameCodesInMemoryToTheBit) {
  const Matrix<float> rows = clustered(2000, 48, 1);
  const Matrix<float> queries = clustered(kQueries, 48, 2);
  const Neighbours candidates = candidates_for(kQueries, 300, 2000);
  for (const Metric metric : {Metric::ip, Metric::cosine, Metric::l2}) {
    for (const std::string codec : {"f32", "f16", "bf16", "lvq8", "rot-lvq8", "lvq4x8", "sq8"}) {
      SCOPED_TRACE(std::string(name(metric)) + " " + codec);
      const VerifierOptions build = options(codec, metric);
      Verifier fresh = Verifier::build(rows, build);
      const Neighbours expected = reference(rows, build, queries, candidates, 10, 0);
      EXPECT_TRUE(same(fresh.rerank(queries, candidates, 10), expected));
      fresh.save();
      EXPECT_TRUE(same(fresh.rerank(queries, candidates, 10), expected));
      for (const std::string reader : {"io_uring", "threads", "auto"}) {
        OpenOptions open;
        open.disk_reader = reader;
        open.disk_cache = reader == "threads" ? 20000 : 0;
        open.verify_disk = true;
        if (reader == "io_uring" && !error_of([&] { Verifier::open(path_, open); }).empty()) {
          continue;
        }
        const Verifier verifier = Verifier::open(path_, open);
        for (const std::size_t threads : {1u, 3u}) {
          RerankOptions how;
          how.control.threads = threads;
          for (const float weight : {0.0f, 0.3f}) {
            if (weight != 0 && metric == Metric::l2) continue;
            how.candidate_weight = weight;
            for (const std::size_t k : {1u, 10u, 400u}) {
              EXPECT_TRUE(same(verifier.rerank(queries, candidates, k, how),
                               reference(rows, build, queries, candidates, k, weight)));
            }
          }
        }
      }
    }
  }
}

TEST_F(VerifierTest, GivesTheSumOfBothSimilaritiesAsTheCustomaryValue) {
  for (const Metric metric : {Metric::ip, Metric::cosine}) {
    made("f32", metric);
    RerankOptions how;
    how.candidate_weight = 0.3f;
    const Neighbours seen = Verifier::open(path_).rerank(queries_, candidates_, kCandidates, how);
    for (std::size_t q = 0; q < kQueries; ++q) {
      std::vector<double> sums;
      for (std::size_t i = 0; i < kCandidates; ++i) {
        double dot = 0, row_square = 0, query_square = 0;
        for (std::size_t j = 0; j < kDim; ++j) {
          const double x = rows_(candidates_.ids(q, i), j), y = queries_(q, j);
          dot += x * y;
          row_square += x * x;
          query_square += y * y;
        }
        if (metric == Metric::cosine) dot /= std::sqrt(row_square * query_square);
        sums.push_back(dot + 0.3 * customary(metric, candidates_.distances(q, i)));
      }
      std::sort(sums.rbegin(), sums.rend());
      for (std::size_t i = 0; i < kCandidates; ++i) {
        EXPECT_NEAR(customary(metric, seen.distances(q, i)), sums[i],
                    1e-4 * (1 + std::abs(sums[i])));
      }
    }
  }
}

TEST_F(VerifierTest, KeepsBytesAsTheyAre) {
  Matrix<std::uint8_t> rows(300, 20), queries(5, 20);
  Random random(3);
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t j = 0; j < 20; ++j) rows(i, j) = static_cast<std::uint8_t>(random.below(256));
  }
  for (std::size_t q = 0; q < 5; ++q) std::copy_n(rows.row(50 * q), 20, queries.row(q));
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    Verifier::build(rows, options("u8", metric)).save();
    const Verifier verifier = Verifier::open(path_);
    EXPECT_EQ(verifier.info().element, ElementType::u8);
    const Neighbours candidates = candidates_for(5, 300, 300);
    const Neighbours seen = verifier.rerank(queries, candidates, 1);
    for (std::size_t q = 0; q < 5; ++q) EXPECT_EQ(seen.ids(q, 0), 50 * q);
    EXPECT_TRUE(same(seen, reference(rows, options("u8", metric), queries, candidates, 1, 0)));
  }
}

TEST_F(VerifierTest, LooksAtNeitherTheOrderNorTheDistancesOfCandidates) {
  const Verifier verifier = made();
  const Neighbours expected = verifier.rerank(queries_, candidates_, 10);
  Neighbours turned(kQueries, kCandidates + 2);
  turned.distances = Matrix<float>();
  for (std::size_t q = 0; q < kQueries; ++q) {
    turned.ids(q, 0) = turned.ids(q, kCandidates + 1) = kNoId;
    for (std::size_t i = 0; i < kCandidates; ++i) {
      turned.ids(q, kCandidates - i) = candidates_.ids(q, i);
    }
  }
  EXPECT_TRUE(same(verifier.rerank(queries_, turned, 10), expected));
}

TEST_F(VerifierTest, PadsWhereCandidatesAreFewerThanHits) {
  const Verifier verifier = made();
  const Neighbours few = candidates_for(kQueries, 3, kRows);
  const Neighbours seen = verifier.rerank(queries_, few, 5);
  EXPECT_NE(seen.ids(0, 2), kNoId);
  EXPECT_EQ(seen.ids(0, 3), kNoId);
  EXPECT_EQ(seen.distances(0, 4), std::numeric_limits<float>::infinity());
  EXPECT_EQ(verifier.rerank(queries_, Neighbours(kQueries, 0), 1).ids(3, 0), kNoId);
  EXPECT_EQ(verifier.rerank(Matrix<float>(0, kDim), Neighbours(0, 3), 1).queries(), 0u);
}

TEST_F(VerifierTest, JudgesWhatAnIndexOfAnotherModelFinds) {
  // The other model sees half of the dimensions; all candidates of a broad search hold the best.
  Matrix<float> half(kRows, kDim / 2), half_queries(kQueries, kDim / 2);
  for (std::size_t i = 0; i < kRows; ++i) std::copy_n(rows_.row(i), kDim / 2, half.row(i));
  for (std::size_t q = 0; q < kQueries; ++q) {
    std::copy_n(queries_.row(q), kDim / 2, half_queries.row(q));
  }
  BuildOptions build;
  build.metric = Metric::ip;
  build.index = "flat";
  build.codec = "lvq4";
  Index index = Index::build(half, Labels(), build);
  const Verifier verifier = made("f32");
  verifier.check_fits(index);
  const Neighbours all = index.search(half_queries, kRows);
  build.codec = "f32";
  const Neighbours truth = Index::build(rows_, Labels(), build).search(queries_, 10);
  const Neighbours seen = verifier.rerank(queries_, all, 10);
  for (std::size_t q = 0; q < kQueries; ++q) {
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(seen.ids(q, i), truth.ids(q, i));
  }
  const std::vector<Id> gone = {seen.ids(0, 0)};
  index.remove(gone);
  verifier.check_fits(index);  // ids stay
  const Neighbours left = verifier.rerank(queries_, index.search(half_queries, kRows), 1);
  EXPECT_EQ(left.ids(0, 0), truth.ids(0, 1));
  index.add(half, Labels());
  EXPECT_EQ(error_of([&] { verifier.check_fits(index); }),
            path_ +
                ": 700 vectors, but the index has room for 1399: expected one each, of the same "
                "collection");
}

TEST_F(VerifierTest, CountsWhatItReadsAndKeepsNoVectorInMemory) {
  made();
  OpenOptions open;
  open.disk_cache = std::size_t{1} << 20;
  const Verifier verifier = Verifier::open(path_, open);
  VerifierInfo info = verifier.info();
  EXPECT_EQ(info.codec, "f16");
  EXPECT_EQ(info.metric, Metric::ip);
  EXPECT_EQ(info.vectors, kRows);
  EXPECT_EQ(info.dim, kDim);
  EXPECT_EQ(info.disk.file, path_ + ".disk");
  EXPECT_EQ(info.disk.bytes, fs::file_size(path_ + ".disk"));
  EXPECT_LT(info.bytes, kRows);
  EXPECT_EQ(info.disk.read_bytes, 0u);
  verifier.rerank(queries_, candidates_, 10);
  info = verifier.info();
  EXPECT_GT(info.disk.vectors, 0u);
  EXPECT_LE(info.disk.vectors, kQueries * kCandidates);
  EXPECT_GT(info.disk.reads, 0u);
  EXPECT_GT(info.disk.read_bytes, 0u);
  verifier.rerank(queries_, candidates_, 10);
  EXPECT_EQ(verifier.info().disk.read_bytes, info.disk.read_bytes);  // all are in the cache
}

TEST_F(VerifierTest, ServesThreadsThatAskAtOnce) {
  made();
  for (const char* reader : {"auto", "threads"}) {
    OpenOptions open;
    open.disk_reader = reader;
    open.disk_cache = 3000;
    const Verifier verifier = Verifier::open(path_, open);
    const Neighbours expected = verifier.rerank(queries_, candidates_, 10);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        RerankOptions how;
        how.control.threads = 1;
        for (int i = 0; i < 5; ++i) {
          EXPECT_TRUE(same(verifier.rerank(queries_, candidates_, 10, how), expected));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_F(VerifierTest, GivesNoNamesBeforeItIsSaved) {
  made();
  const Neighbours before = Verifier::open(path_).rerank(queries_, candidates_, 10);
  {
    const Verifier unsaved = Verifier::build(clustered(50, 8, 3), options());
    EXPECT_EQ(unsaved.dim(), 8u);
    EXPECT_TRUE(same(Verifier::open(path_).rerank(queries_, candidates_, 10), before));
  }
  EXPECT_EQ(names(), (std::vector<std::string>{"x.verify", "x.verify.disk"}));
  Matrix<float> bad = rows_.clone();
  bad(600, 3) = std::nanf("");
  EXPECT_EQ(error_of([&] { Verifier::build(bad, options()); }),
            "verifier row 600, column 3: nan, expected a finite number");
  EXPECT_EQ(names().size(), 2u);
  EXPECT_TRUE(same(Verifier::open(path_).rerank(queries_, candidates_, 10), before));
}

TEST_F(VerifierTest, CanBeMovedAndPutWhereItIsTold) {
  const Neighbours expected = made().rerank(queries_, candidates_, 10);
  fs::create_directory(folder_ + "/moved");
  fs::rename(path_, folder_ + "/moved/y");
  fs::rename(path_ + ".disk", folder_ + "/moved/y.disk");
  EXPECT_TRUE(
      same(Verifier::open(folder_ + "/moved/y").rerank(queries_, candidates_, 10), expected));
  VerifierOptions elsewhere = options();
  elsewhere.disk_file = folder_ + "/moved/vectors";
  Verifier::build(rows_, elsewhere).save();
  EXPECT_FALSE(fs::exists(path_ + ".disk"));
  EXPECT_TRUE(same(Verifier::open(path_).rerank(queries_, candidates_, 10), expected));
  fs::rename(folder_ + "/moved/vectors", folder_ + "/gone");
  EXPECT_NE(error_of([&] { Verifier::open(path_); }).find("moved/vectors: "), std::string::npos);
  OpenOptions open;
  open.disk_file = folder_ + "/gone";
  EXPECT_TRUE(same(Verifier::open(path_, open).rerank(queries_, candidates_, 10), expected));
}

TEST_F(VerifierTest, SaysWhatIsWrongWithItsFiles) {
  made();
  const std::string disk = path_ + ".disk";
  const auto opening = [&] { return error_of([&] { Verifier::open(path_); }); };
  fs::rename(disk, folder_ + "/kept");
  EXPECT_NE(opening().find(disk + ": the file of the index's vectors has vanished"),
            std::string::npos);
  Verifier::build(clustered(kRows, kDim, 9), options()).save();
  fs::rename(folder_ + "/kept", disk);
  EXPECT_NE(opening().find(disk + ": belongs to another"), std::string::npos) << opening();
  made();
  const std::size_t whole = fs::file_size(disk);
  fs::resize_file(disk, whole / 2);
  EXPECT_NE(opening().find(disk + ": truncated"), std::string::npos);
  made();
  fs::resize_file(path_, fs::file_size(path_) - 1);
  EXPECT_TRUE(opening().starts_with(path_ + ": ")) << opening();
  fs::remove(path_);
  EXPECT_TRUE(opening().starts_with(path_ + ": ")) << opening();
  Index::build(rows_, Labels(), {}).save(path_);
  EXPECT_NE(opening().find("no verifier"), std::string::npos) << opening();
  made();
  EXPECT_NE(error_of([&] { Index::open(path_); }).find("judge an index's candidates"),
            std::string::npos);
}

TEST_F(VerifierTest, NoticesDamageAndShrinkingWhenItReads) {
  made("f32");
  const std::string disk = path_ + ".disk";
  constexpr std::size_t kStride = kDim * 4 + 8;
  {
    std::fstream file(disk, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(kHeader + 5 * kStride + 3);
    file.put('?');
  }
  Neighbours fifth(kQueries, 1);
  for (std::size_t q = 0; q < kQueries; ++q) fifth.ids(q, 0) = 5;
  const std::string said =
      disk + ": vector 5 at byte " + std::to_string(kHeader + 5 * kStride) + " fails its checksum";
  EXPECT_EQ(reranking(Verifier::open(path_), fifth), said);
  OpenOptions open;
  open.verify_disk = true;
  EXPECT_EQ(error_of([&] { Verifier::open(path_, open); }), said);
  std::vector<float> x(kDim);
  const Verifier damaged = Verifier::open(path_);
  EXPECT_EQ(error_of([&] { damaged.vector(5, x.data()); }), said);
  damaged.vector(6, x.data());
  EXPECT_EQ(x, std::vector<float>(rows_.row(6), rows_.row(6) + kDim));
  made("f32");
  for (const char* reader : {"threads", "auto"}) {
    open = {};
    open.disk_reader = reader;
    const Verifier verifier = Verifier::open(path_, open);
    const std::size_t whole = fs::file_size(disk);
    fs::resize_file(disk, kHeader);
    EXPECT_NE(reranking(verifier, candidates_).find(": the file ends at byte 4096"),
              std::string::npos);
    fs::resize_file(disk, whole);  // zeros now
    EXPECT_NE(reranking(verifier, candidates_).find("fails its checksum"), std::string::npos);
    made("f32");
  }
}

TEST_F(VerifierTest, RefusesQueriesAndCandidatesThatDontFit) {
  const Verifier verifier = made();
  EXPECT_EQ(error_of([&] { verifier.rerank(clustered(kQueries, 8, 1), candidates_, 10); }),
            "queries: 8 dimensions, but the verifier has 24");
  EXPECT_NE(error_of([&] { verifier.rerank(queries_, candidates_, 0); }).find("k = 0"),
            std::string::npos);
  Matrix<float> bad = queries_.clone();
  bad(3, 2) = std::nanf("");
  EXPECT_EQ(error_of([&] { verifier.rerank(bad, candidates_, 10); }),
            "query row 3, column 2: nan, expected a finite number");
  EXPECT_EQ(reranking(verifier, candidates_for(5, 4, kRows)),
            "candidates of 5 queries, but there are 37");
  Neighbours beyond = candidates_for(kQueries, 4, kRows);
  beyond.ids(7, 2) = kRows;
  EXPECT_EQ(reranking(verifier, beyond),
            "candidates of query 7: vector 700, but the verifier has 700");
  Neighbours twice = candidates_for(kQueries, 4, kRows);
  twice.ids(7, 2) = twice.ids(7, 0);
  EXPECT_EQ(reranking(verifier, twice),
            "candidates of query 7: vector " + std::to_string(twice.ids(7, 0)) + " is given twice");
  std::vector<float> x(kDim);
  EXPECT_EQ(error_of([&] { verifier.vector(700, x.data()); }), "id 700, expected one below 700");
}

TEST_F(VerifierTest, RefusesWeightsThatMeanNothing) {
  const Verifier verifier = made();
  const auto weighed = [](float weight) {
    RerankOptions how;
    how.candidate_weight = weight;
    return how;
  };
  EXPECT_NE(reranking(verifier, candidates_, weighed(-1)).find("expected a number from 0 on"),
            std::string::npos);
  EXPECT_NE(reranking(verifier, candidates_, weighed(std::nanf(""))).find("candidate weight nan"),
            std::string::npos);
  Neighbours bare = candidates_for(kQueries, 4, kRows);
  bare.distances = Matrix<float>();
  EXPECT_EQ(reranking(verifier, bare, weighed(0.3f)),
            "candidates: 0 x 0 distances for 37 x 4 ids, but a candidate weight needs one each");
  Neighbours infinite = candidates_for(kQueries, 4, kRows);
  infinite.distances(2, 1) = std::numeric_limits<float>::infinity();
  EXPECT_NE(reranking(verifier, infinite, weighed(0.3f)).find("candidates of query 2: vector"),
            std::string::npos);
  EXPECT_EQ(reranking(verifier, infinite), "");
  EXPECT_NE(reranking(made("f16", Metric::l2), candidates_, weighed(0.3f)).find("l2"),
            std::string::npos);
}

TEST_F(VerifierTest, RefusesWhatCantBeBuilt) {
  const auto said = [&](const std::string& codec) {
    return error_of([&] { Verifier::build(rows_, options(codec)); });
  };
  for (const char* codec : {"rabitq2", "vq4x4", "pq8", "lvq4+f16"}) {
    EXPECT_NE(said(codec).find("records of their own"), std::string::npos) << said(codec);
  }
  EXPECT_NE(said("leanvec8-f16").find("reduced vectors"), std::string::npos);
  EXPECT_NE(said("f99").find("unknown codec 'f99'"), std::string::npos);
  EXPECT_NE(error_of([&] { Verifier::build(Matrix<float>(0, 4), options()); }).find("empty"),
            std::string::npos);
  Matrix<float> zero = rows_.clone();
  std::fill_n(zero.row(4), kDim, 0.0f);
  EXPECT_EQ(error_of([&] { Verifier::build(zero, options("f16", Metric::cosine)); }),
            "verifier row 4: a zero vector, but cosine needs a direction");
  VerifierOptions nowhere = options();
  nowhere.file.clear();
  EXPECT_EQ(error_of([&] { Verifier::build(rows_, nowhere); }),
            "verifier: expected a file to write");
  VerifierOptions itself = options();
  itself.disk_file = path_;
  EXPECT_NE(error_of([&] { Verifier::build(rows_, itself); }), "");
  EXPECT_TRUE(names().empty());
}

TEST_F(VerifierTest, StopsWhenCancelled) {
  const Verifier verifier = made();
  const std::atomic<bool> cancel{true};
  RerankOptions how;
  how.control.cancel = &cancel;
  EXPECT_NE(reranking(verifier, candidates_, how), "");
  VerifierOptions build = options();
  build.file += "2";
  build.control.cancel = &cancel;
  EXPECT_NE(error_of([&] { Verifier::build(rows_, build); }), "");
  EXPECT_EQ(names().size(), 2u);
}

}  // namespace
}  // namespace kith

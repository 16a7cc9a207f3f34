// What inverted files promise whose lists are of stored codes, without product codes before them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"
#include "formats/kith_file.h"
#include "formats/test_files.h"
#include "index/test_data.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith {
namespace {

constexpr std::size_t kRows = 3000, kDim = 24;

Index build(const std::string& kind, const std::string& codec, const Matrix<float>& rows,
            Metric metric = Metric::cosine, std::size_t lists = 40) {
  BuildOptions options;
  options.index = kind;
  options.codec = codec;
  options.metric = metric;
  if (kind == "ivf") options.lists = lists;
  return Index::build(rows, Labels(), options);
}

SearchOptions everywhere(const Index& index, Filter filter = {}) {
  SearchOptions options;
  options.beam = index.info().lists;
  options.filter = std::move(filter);
  return options;
}

std::vector<Id> range_of(Id begin, Id end) {
  std::vector<Id> ids(end - begin);
  std::iota(ids.begin(), ids.end(), begin);
  return ids;
}

class ListRows : public testing::Test {
 protected:
  // The same hits at the same distances as a scan of the same codes.
  void expect_equal(const Index& lists, const Index& flat, const Filter& filter = {}) const {
    for (const std::size_t k : {1, 10, 300}) {
      SearchOptions scan;
      scan.filter = filter;
      scan.rerank = filter.allows_all() ? 0 : kRows;  // else a flat index guesses what matters
      const Neighbours expected = flat.search(queries_, k, scan);
      EXPECT_TRUE(same(lists.search(queries_, k, everywhere(lists, filter)), expected)) << k;
      const AnyMatrixView one = queries_.view().slice(7, 1);
      EXPECT_TRUE(same(lists.search(one, k, everywhere(lists, filter)), flat.search(one, k, scan)));
    }
  }

  const Matrix<float> rows_ = clustered(kRows, kDim, 1), queries_ = clustered(60, kDim, 2);
  formats::TemporaryFolder folder_;
};

TEST_F(ListRows, OfBinaryCodesAnswerAsAScanOfAllCodesDoesToTheBit) {
  for (const char* codec : {"signs16", "signs100", "itq24"}) {  // many are equally far
    SCOPED_TRACE(codec);
    const Index flat = build("flat", codec, rows_), lists = build("ivf", codec, rows_);
    EXPECT_EQ(lists.info().codec, codec);
    EXPECT_EQ(lists.info().lists, 40U);
    expect_equal(lists, flat);
    const float radius = 1 - flat.search(queries_, 100).distances(0, 99);
    const RangeNeighbours seen = lists.range(queries_, radius, everywhere(lists)),
                          expected = flat.range(queries_, radius);
    EXPECT_EQ(seen.ids, expected.ids);
    EXPECT_EQ(seen.distances, expected.distances);
    EXPECT_GT(seen.ids.size(), 100U);
  }
}

TEST_F(ListRows, HoldACodeAndAnIdAVectorAndNothingElse) {
  const IndexInfo info = build("ivf", "signs64", rows_).info();
  for (const auto& [part, bytes] : info.bytes) {
    if (part == "primary.codes") EXPECT_EQ(bytes, kRows * 8);
    if (part == "ivf.ids") EXPECT_EQ(bytes, kRows * 4);
    EXPECT_TRUE(part != "ivf.blocks" && part != "ivf.words" && part != "ivf.terms") << part;
  }
}

TEST_F(ListRows, ProbingMoreListsFindsMore) {
  const Index flat = build("flat", "signs100", rows_), lists = build("ivf", "signs100", rows_);
  const Neighbours all = flat.search(queries_, 10);
  double before = 0;
  for (const std::size_t beam : {1, 3, 9, 40}) {
    SearchOptions options;
    options.beam = beam;
    const Neighbours found = lists.search(queries_, 10, options);
    double share = 0;
    for (std::size_t q = 0; q < 60; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        const Id* const end = all.ids.row(q) + 10;
        share += std::find(all.ids.row(q), end, found.ids(q, i)) != end ? 1.0 / 600 : 0;
      }
    }
    EXPECT_GT(share, before) << beam;
    before = share;
  }
  EXPECT_NEAR(before, 1, 1e-9);
}

TEST_F(ListRows, AnswerABatchAsTheyAnswerItsQueriesOneByOne) {
  const Index lists = build("ivf", "signs100", rows_);
  for (const std::size_t threads : {1, 3}) {
    SearchOptions options;
    options.beam = 6;
    options.control.threads = threads;
    const Neighbours batch = lists.search(queries_, 10, options);
    for (std::size_t q = 0; q < 60; ++q) {
      const Neighbours one = lists.search(queries_.view().slice(q, 1), 10, options);
      EXPECT_TRUE(std::equal(one.ids.row(0), one.ids.row(0) + 10, batch.ids.row(q))) << q;
    }
  }
}

TEST_F(ListRows, OfEveryCodecWithRecordsFindWhatAScanFinds) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    ExactOptions exact;
    exact.k = 10;
    exact.metric = metric;
    const Neighbours truth = exact_search(rows_, queries_, exact);
    for (const char* codec : {"f32", "f16", "bf16", "sq8", "lvq4", "rot-lvq8", "lvq4x4", "lvq8x8",
                              "lvq4+f32", "rot-lvq4+rot-lvq8"}) {
      const Index flat = build("flat", codec, rows_, metric),
                  lists = build("ivf", codec, rows_, metric);
      EXPECT_EQ(lists.info().codec, codec);
      const double scanned = recall_at(flat.search(queries_, 10), truth, 10);
      EXPECT_GE(recall_at(lists.search(queries_, 10, everywhere(lists)), truth, 10), scanned - 0.02)
          << codec << " " << name(metric);
      std::vector<float> seen(kDim), expected(kDim);
      for (Id id = 0; id < kRows; id += 97) {
        lists.vector(id, seen.data());
        flat.vector(id, expected.data());
        EXPECT_EQ(seen, expected) << codec << " " << id;
      }
    }
  }
}

TEST_F(ListRows, OfBytesStayBytes) {
  Matrix<std::uint8_t> bytes(kRows, kDim);
  Random random(5);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kDim; ++j) {
      bytes(i, j) = static_cast<std::uint8_t>(random.below(256));
    }
  }
  BuildOptions options;
  options.codec = "u8";
  options.index = "flat";
  const Index flat = Index::build(bytes, Labels(), options);
  options.index = "ivf";
  const Index lists = Index::build(bytes, Labels(), options);
  const AnyMatrixView some = AnyMatrixView(bytes.view()).slice(0, 50);
  EXPECT_TRUE(same(lists.search(some, 10, everywhere(lists)), flat.search(some, 10)));
}

TEST_F(ListRows, ReturnWhatAFilterAllowsAsAScanDoes) {
  const Index flat = build("flat", "signs100", rows_), lists = build("ivf", "signs100", rows_);
  Random random(3);
  for (const double share : {0.6, 0.2, 0.02, 0.0005}) {
    std::vector<Id> ids;
    for (Id id = 0; id < kRows; ++id) {
      if (random.uniform() < share) ids.push_back(id);
    }
    SCOPED_TRACE(share);
    expect_equal(lists, flat, Filter::ids(ids));
  }
}

TEST_F(ListRows, StayAsAScanThroughChangesAndFiles) {
  Index flat = build("flat", "signs100", rows_), lists = build("ivf", "signs100", rows_);
  const Index other = build("graph", "f32", clustered(500, kDim, 9));
  const std::string path = folder_.file("lists.kith");
  const auto both = [&](const auto& change) {
    change(flat);
    change(lists);
    expect_equal(lists, flat);
    lists.save(path);
    Index opened = Index::open(path);
    EXPECT_EQ(opened.info().file_version, kListRowsFileVersion);
    expect_equal(opened, flat);
    expect_equal(Index::open(path, {.verify = false}), flat);
    lists = std::move(opened);
    std::vector<float> seen(kDim), expected(kDim);
    for (Id id = 0; id < lists.id_limit(); id += 41) {
      if (!lists.contains(id)) continue;
      lists.vector(id, seen.data());
      flat.vector(id, expected.data());
      EXPECT_EQ(seen, expected) << id;
    }
  };
  both([](Index&) {});
  both([](Index& index) { index.remove(range_of(100, 150)); });  // scans pass over them
  both([](Index& index) { index.remove(range_of(150, 800)); });  // lists are without them
  both([](Index& index) { index.add(clustered(400, kDim, 7), Labels()); });
  both([](Index& index) { index.add(clustered(600, kDim, 8), Labels()); });
  both([&](Index& index) {
    const Index* const others[] = {&other};
    index.merge(others);
  });
  EXPECT_EQ(lists.size(), kRows + 800);
  both([](Index& index) { index.remove(range_of(0, 3700)); });
}

TEST_F(ListRows, GiveTheirVectorsToOthers) {
  const Index lists = build("ivf", "f32", rows_);
  Index flat = build("flat", "f32", clustered(10, kDim, 4));
  const Index* const others[] = {&lists};
  flat.merge(others);
  const Neighbours found = flat.search(rows_.view().slice(100, 50), 1);
  for (Id i = 0; i < 50; ++i) EXPECT_EQ(found.ids(i, 0), 110 + i);
}

TEST_F(ListRows, OfAFewVectorsCanBeReopened) {
  for (const std::size_t rows : {1, 2, 15, 40}) {
    const Matrix<float> base = clustered(rows, kDim, 12);
    const std::string path = folder_.file("few.kith");
    build("ivf", "f32", base, Metric::l2, 4).save(path);
    const Index index = Index::open(path);
    const Neighbours found = index.search(base, 1, everywhere(index));
    for (Id id = 0; id < rows; ++id) EXPECT_EQ(found.ids(id, 0), id);
  }
}

TEST_F(ListRows, AreTheSameForAnyNumberOfThreads) {
  std::string first;
  for (const std::size_t threads : {1, 3}) {
    BuildOptions options;
    options.index = "ivf";
    options.codec = "lvq4x4";
    options.control.threads = threads;
    const std::string path = folder_.file("threads.kith");
    Index::build(rows_, Labels(), options).save(path);
    const std::string bytes = formats::file_bytes(path);
    if (first.empty()) first = bytes;
    EXPECT_TRUE(bytes == first);
  }
}

// The file with section ivf.ids as `change` makes it, whose checksum is right.
template <class Change>
std::string error_with_ids(const std::string& path, const Change& change) {
  const KithFileReader reader = KithFileReader::read(path, true);
  KithFileWriter writer;
  for (const auto& section : reader.sections()) {
    std::string bytes(reinterpret_cast<const char*>(section.bytes.data()), section.bytes.size());
    if (section.name == "ivf.ids") change(reinterpret_cast<Id*>(bytes.data()));
    writer.add_text(section.name, std::move(bytes));
  }
  const std::string broken = path + ".broken";
  writer.write(broken, {}, reader.version());
  return error_of([&] { Index::open(broken, {.verify = false}); });
}

TEST_F(ListRows, WhoseIdsCannotBeAreRefusedVerifiedOrNot) {
  const std::string path = folder_.file("lists.kith");
  Index index = build("ivf", "signs64", rows_);
  index.remove(range_of(0, 1000));
  index.save(path);
  const auto error = [&](const auto& change) { return error_with_ids(path, change); };
  EXPECT_EQ(error([](Id*) {}), "");
  EXPECT_NE(error([](Id* ids) { ids[5] = kRows; }).find("beyond the vectors"), std::string::npos);
  EXPECT_NE(error([](Id* ids) { ids[5] = ids[6]; }).find("twice"), std::string::npos);
  EXPECT_NE(error([](Id* ids) { ids[5] = 17; }).find("id 17 was removed"), std::string::npos);
}

TEST_F(ListRows, BrokenFilesAreRefused) {
  const std::string path = folder_.file("lists.kith");
  build("ivf", "signs64", clustered(200, kDim, 1)).save(path);
  const std::string bytes = formats::file_bytes(path);
  for (std::size_t size = 0; size < bytes.size(); size += 499) {
    formats::write_bytes(path, bytes.substr(0, size));
    EXPECT_NE(error_of([&] { Index::open(path); }), "") << size;
  }
}

TEST_F(ListRows, ThatCannotBeAreRefused) {
  const auto refusal = [&](const std::string& codec, Metric metric = Metric::cosine) {
    return error_of([&] { build("ivf", codec, rows_, metric); });
  };
  EXPECT_NE(refusal("rabitq4").find("lists of 'rabitq4': expected a codec whose vectors are"),
            std::string::npos);
  EXPECT_NE(refusal("vq4x8+f16").find("lists of 'vq4x8'"), std::string::npos);
  EXPECT_NE(refusal("leanvec8-lvq8+f16").find("lists can't hold reduced vectors"),
            std::string::npos);
  EXPECT_NE(refusal("signs64", Metric::l2).find("expected cosine"), std::string::npos);
  EXPECT_NE(refusal("bits64x2").find("kith train codec"), std::string::npos);
}

TEST_F(ListRows, ArePlannedAsTheyAreBuilt) {
  const Matrix<float> rows = clustered(20000, kDim, 1);
  BuildOptions options;
  options.index = "ivf";
  options.codec = "signs64";
  options.metric = Metric::cosine;
  const BuildPlan plan = plan_build(rows, Labels(), options);
  EXPECT_EQ(plan.codec, "signs64");
  const IndexInfo info = Index::build(rows, Labels(), options).info();
  ASSERT_EQ(plan.bytes.size(), info.bytes.size());
  double planned = 0, real = 0;
  for (std::size_t i = 0; i < info.bytes.size(); ++i) {
    EXPECT_EQ(plan.bytes[i].first, info.bytes[i].first);
    planned += static_cast<double>(plan.bytes[i].second);
    real += static_cast<double>(info.bytes[i].second);
  }
  EXPECT_NEAR(planned, real, 0.03 * real);
}

}  // namespace
}  // namespace kith

#include "kith/sparse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/random.h"
#include "base/test_path.h"
#include "index/inverted_index.h"
#include "index/posting_lists.h"
#include "kith/error.h"

namespace kith {
namespace {

// Term t is held by about one row in t + 2: some lists are cut into windows, some packed, some
// hold a single row.
SparseRows random_rows(std::size_t rows, std::size_t terms, std::uint64_t seed,
                       bool few_values = false) {
  SparseRows result;
  for (std::size_t i = 0; i < rows; ++i) {
    Random random(seed, i);
    for (std::size_t t = 0; t < terms; ++t) {
      if (random.below(t + 2) != 0) continue;
      const double weight =
          few_values ? 1.0 + static_cast<double>(random.below(2)) : std::exp(random.normal());
      result.add(static_cast<Term>(t), static_cast<float>(weight));
    }
    result.end_row();
  }
  return result;
}

std::map<Term, float> row_of(const SparseView& rows, std::size_t row) {
  std::map<Term, float> result;
  for (std::size_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
    result[rows.terms[i]] = rows.weights[i];
  }
  return result;
}

// The reference: every row in double precision, largest first, ties by id.
std::vector<std::pair<double, Id>> scan(const SparseView& rows, const SparseView& queries,
                                        std::size_t query) {
  const auto wanted = row_of(queries, query);
  std::vector<std::pair<double, Id>> all;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    double sum = 0;
    for (std::size_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
      const auto found = wanted.find(rows.terms[i]);
      if (found != wanted.end()) sum += static_cast<double>(rows.weights[i]) * found->second;
    }
    if (sum > 0) all.emplace_back(-sum, static_cast<Id>(row));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// The largest inner product that a query could have, and with it the error of a score.
double tolerance(const SparseView& rows, const SparseView& queries, std::size_t query) {
  std::map<Term, float> most;
  for (std::size_t i = 0; i < rows.terms.size(); ++i) {
    most[rows.terms[i]] = std::max(most[rows.terms[i]], rows.weights[i]);
  }
  double sum = 0;
  const auto wanted = row_of(queries, query);
  for (const auto& [term, weight] : wanted) sum += static_cast<double>(weight) * most[term];
  return sum * (std::ldexp(static_cast<double>(wanted.size()) + 1, -30) + 0x1p-22);
}

void expect_like_scan(const SparseIndex& index, const SparseView& rows, const SparseView& queries,
                      std::size_t k, double error = 0) {
  const Neighbours found = index.search(queries, k);
  const Neighbours exhaustive = index.search(queries, k, {.exhaustive = true});
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const auto expected = scan(rows, queries, q);
    const double slack = tolerance(rows, queries, q) * (1 + error * 0x1p22);
    for (std::size_t i = 0; i < k; ++i) {
      ASSERT_EQ(found.ids(q, i), exhaustive.ids(q, i)) << "query " << q << ", rank " << i;
      ASSERT_EQ(found.distances(q, i), exhaustive.distances(q, i));
      if (i >= expected.size()) {
        ASSERT_EQ(found.ids(q, i), kNoId);
        ASSERT_TRUE(std::isinf(found.distances(q, i)));
        continue;
      }
      ASSERT_NEAR(found.distances(q, i), expected[i].first, slack) << "query " << q;
      const auto own = std::find_if(expected.begin(), expected.end(),
                                    [&](const auto& hit) { return hit.second == found.ids(q, i); });
      ASSERT_NE(own, expected.end());
      ASSERT_NEAR(own->first, expected[i].first, 2 * slack);
    }
  }
}

class SparseFile : public testing::Test {
 protected:
  ~SparseFile() override { std::filesystem::remove(path_); }
  std::string read() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string saved(const SparseIndex& index) const {
    index.save(path_);
    return read();
  }
  const std::string path_ = test_path("sparse.kith");
};

TEST(Sparse, FindsWhatAScanOfEveryRowFinds) {
  const SparseRows rows = random_rows(3000, 300, 1), queries = random_rows(30, 300, 2);
  const SparseIndex index = SparseIndex::build(rows, {});
  for (const std::size_t k : {1u, 10u, 1000u}) expect_like_scan(index, rows, queries, k);
}

TEST(Sparse, FindsTheSameForQueriesOfOneTermAndOfThousands) {
  const SparseRows rows = random_rows(700, 2000, 3);
  SparseRows queries;
  for (Term t = 0; t < 20; ++t) {
    queries.add(t * 40, 1.5f);
    queries.end_row();
  }
  for (Term t = 0; t < 2000; ++t) queries.add(t, 1.0f + static_cast<float>(t % 7));
  queries.end_row();
  expect_like_scan(SparseIndex::build(rows, {}), rows, queries, 10);
}

TEST(Sparse, OrdersEqualScoresById) {
  const SparseRows rows = random_rows(2000, 12, 4, true), queries = random_rows(20, 12, 5, true);
  const Neighbours found = SparseIndex::build(rows, {}).search(queries, 50);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const auto expected = scan(rows, queries, q);  // small whole weights: sums are exact
    for (std::size_t i = 0; i < std::min<std::size_t>(50, expected.size()); ++i) {
      ASSERT_EQ(found.ids(q, i), expected[i].second) << "query " << q << ", rank " << i;
      ASSERT_EQ(found.distances(q, i), expected[i].first);
    }
  }
}

TEST(Sparse, RandomCollectionsAreSearchedExactly) {
  rc::check("index equals scan", [] {
    const auto rows = *rc::gen::inRange<std::size_t>(1, 900);
    const auto terms = *rc::gen::inRange<std::size_t>(1, 60);
    const auto k = *rc::gen::inRange<std::size_t>(1, 40);
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
    const SparseRows base = random_rows(rows, terms, seed);
    expect_like_scan(SparseIndex::build(base, {}), base, random_rows(3, terms + 5, seed + 1), k);
    RC_ASSERT(!testing::Test::HasFatalFailure());
  });
}

TEST(Sparse, SmallerWeightsStayWithinTheirBounds) {
  const SparseRows rows = random_rows(1500, 100, 6), queries = random_rows(10, 100, 7);
  expect_like_scan(SparseIndex::build(rows, {}, {.weights = "f16"}), rows, queries, 10, 0x1p-11);
  expect_like_scan(SparseIndex::build(rows, {}, {.weights = "u8"}), rows, queries, 10, 1.0 / 509);
}

TEST(Sparse, ThreadsDoNotChangeTheIndexOrTheAnswers) {
  const SparseRows rows = random_rows(2000, 100, 8), queries = random_rows(64, 100, 9);
  SparseOptions one, three;
  one.control.threads = 1;
  three.control.threads = 3;
  const SparseIndex a = SparseIndex::build(rows, {}, one), b = SparseIndex::build(rows, {}, three);
  SparseSearchOptions parallel;
  parallel.control.threads = 3;
  SparseSearchOptions alone;
  alone.control.threads = 1;
  const Neighbours x = a.search(queries, 10, alone), y = b.search(queries, 10, parallel);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    for (std::size_t i = 0; i < 10; ++i) {
      ASSERT_EQ(x.ids(q, i), y.ids(q, i));
      ASSERT_EQ(x.distances(q, i), y.distances(q, i));
    }
  }
}

TEST_F(SparseFile, AddingGivesTheFileThatBuildingAtOnceGives) {
  for (const char* weights : {"f32", "f16"}) {
    const SparseRows all = random_rows(1200, 80, 10);
    SparseIndex index = SparseIndex::build(all.view().slice(0, 300), {}, {.weights = weights});
    index.add(all.view().slice(300, 1), {});
    index.add(all.view().slice(301, 899), {});
    const std::string added = saved(index);
    EXPECT_EQ(added, saved(SparseIndex::build(all, {}, {.weights = weights})));
  }
}

TEST_F(SparseFile, AnOpenedIndexAnswersAsTheBuiltOneAndTakesMore) {
  const SparseRows rows = random_rows(1000, 80, 11), queries = random_rows(8, 80, 12);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    names.push_back(std::to_string(i).insert(0, "r"));
  }
  const SparseIndex built = SparseIndex::build(rows, Labels(names));
  built.save(path_);
  for (const bool in_memory : {false, true}) {
    SparseIndex opened = SparseIndex::open(path_, {.in_memory = in_memory});
    EXPECT_EQ(opened.labels().text(7), "r7");
    EXPECT_EQ(opened.info().postings, built.info().postings);
    const Neighbours a = built.search(queries, 5), b = opened.search(queries, 5);
    for (std::size_t q = 0; q < 8; ++q) {
      for (std::size_t i = 0; i < 5; ++i) ASSERT_EQ(a.ids(q, i), b.ids(q, i));
    }
    opened.add(queries, Labels());
    EXPECT_EQ(opened.size(), 1008u);
    const Neighbours after = opened.search(queries, 1);
    EXPECT_EQ(after.ids(0, 0) >= 1000 || after.distances(0, 0) <= a.distances(0, 0), true);
  }
}

TEST_F(SparseFile, EveryFlippedByteIsFoundOrHarmless) {
  const SparseRows rows = random_rows(600, 30, 13), queries = random_rows(2, 30, 14);
  const std::string good = saved(SparseIndex::build(rows, {}));
  std::size_t refused = 0, tried = 0;
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 300) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    std::ofstream(path_, std::ios::binary) << bad;
    ++tried;
    try {
      SparseIndex::open(path_);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, tried * 9 / 10);  // the rest lies between sections
  for (std::size_t size = 0; size < good.size(); size += 1 + good.size() / 50) {
    std::ofstream(path_, std::ios::binary) << good.substr(0, size);
    EXPECT_THROW(SparseIndex::open(path_), Error) << size;
  }
}

void expect_refused(const SparseRows& rows, const std::string& said,
                    const SparseOptions& options = {}) {
  try {
    SparseIndex::build(rows, {}, options);
    ADD_FAILURE() << "accepted: " << said;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr(said));
  }
}

SparseRows one_row(std::vector<std::pair<Term, float>> entries) {
  SparseRows rows;
  for (const auto& [term, weight] : entries) rows.add(term, weight);
  rows.end_row();
  return rows;
}

TEST(Sparse, RefusesWhatIsNoSparseVectorNamingIt) {
  expect_refused({}, "empty");
  expect_refused(one_row({{1, -0.5f}}), "base row 0, term 1: weight -0.5");
  expect_refused(one_row({{1, std::nanf("")}}), "weight nan");
  expect_refused(one_row({{1, INFINITY}}), "weight inf");
  expect_refused(one_row({{1u << 26, 1.0f}}), "term 67108864, expected one below");
  expect_refused(one_row({{3, 1.0f}, {4, 1.0f}, {3, 2.0f}}), "row 0: term 3 stands twice");
  expect_refused(one_row({{1, 1e5f}}), "expected a number from 0 to 65504", {.weights = "f16"});
  expect_refused(one_row({{1, 1.0f}}), "expected f32, f16 or u8", {.weights = "f8"});
  const SparseIndex index = SparseIndex::build(one_row({{1, 1.0f}}), {});
  EXPECT_THROW(index.search(one_row({{1, -1.0f}}), 1), Error);
  EXPECT_THROW(index.search(one_row({{1, 1.0f}, {1, 1.0f}}), 1), Error);
  EXPECT_THROW(index.search(one_row({{1, 1.0f}}), 0), Error);
  EXPECT_THROW(SparseIndex::build(one_row({{1, 1.0f}}), Labels(std::vector<std::uint64_t>{1, 2})),
               Error);
}

TEST(Sparse, RowsAndQueriesWithoutWeightFindNothing) {
  SparseRows rows = one_row({{5, 0.0f}});
  rows.end_row();
  rows.add(7, 1e-30f);
  rows.end_row();
  const SparseIndex index = SparseIndex::build(rows, {});
  SparseRows queries = one_row({{5, 1.0f}, {4000000, 1.0f}});
  queries.end_row();
  queries.add(7, 1e15f);
  queries.end_row();
  const Neighbours found = index.search(queries, 3);
  EXPECT_EQ(found.ids(0, 0), kNoId);
  EXPECT_EQ(found.ids(1, 0), kNoId);
  EXPECT_EQ(found.ids(2, 0), 2u);
  EXPECT_NEAR(found.distances(2, 0), -1e-15, 1e-21);
}

TEST(PostingLists, PackedListsReadBackAndBrokenOnesAreRefused) {
  rc::check("pack and unpack", [] {
    const auto gaps =
        *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 5000));
    std::vector<Id> docs;
    std::vector<float> counts;
    Id next = 0;
    for (const std::uint32_t gap : gaps) {
      docs.push_back(next += gap);
      counts.push_back(static_cast<float>(1 + gap % 255));
      ++next;
    }
    std::vector<std::byte> bytes;
    write_packed({docs, counts, Payload::counts, {}}, 1, bytes);
    std::vector<Id> read(docs.size());
    std::vector<std::byte> payload(docs.size());
    RC_ASSERT(read_packed(bytes, Payload::counts, next, read, payload.data()));
    RC_ASSERT(read == docs);
    for (std::size_t i = 0; i < docs.size(); ++i) {
      RC_ASSERT(static_cast<float>(payload[i]) == counts[i]);
    }
    if (docs.empty()) return;
    RC_ASSERT(!read_packed(bytes, Payload::counts, next - 1, read, payload.data()));
    bytes.pop_back();
    RC_ASSERT(!read_packed(bytes, Payload::counts, next, read, payload.data()) ||
              static_cast<int>(bytes[1]) == 0);
  });
}

}  // namespace
}  // namespace kith

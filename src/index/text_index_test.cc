#include "kith/text_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/random.h"
#include "base/test_path.h"
#include "kith/error.h"
#include "text/analyser.h"

namespace kith {
namespace {

// Zipfian words, so that some lists are windowed and most are packed; "w7" and so on.
std::vector<std::string> random_texts(std::size_t count, std::uint64_t seed) {
  std::vector<std::string> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, i);
    const std::size_t length = random.below(60);
    for (std::size_t j = 0; j < length; ++j) {
      const double rank = std::exp(random.uniform() * std::log(3000.0));
      texts[i].append("w").append(std::to_string(static_cast<int>(rank))).append(" ");
    }
  }
  return texts;
}

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

using Counts = std::map<std::string, double>;

Counts count(const std::string& text, double* length) {
  Counts counts;
  *length = 0;
  text::Analyser({}).terms(text, [&](std::string_view term) {
    ++counts[std::string(term)];
    ++*length;
  });
  return counts;
}

// The formula as the header has it, in double precision.
class Reference {
 public:
  explicit Reference(const std::vector<std::string>& texts) : lengths_(texts.size()) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      counts_.push_back(count(texts[i], &lengths_[i]));
      for (const auto& [word, times] : counts_.back()) ++holding_[word];
      mean_ += lengths_[i] / static_cast<double>(texts.size());
    }
  }

  // Best first, ties by id.
  std::vector<std::pair<double, Id>> search(const std::string& query, double k1, double b) const {
    double ignored = 0;
    const Counts wanted = count(query, &ignored);
    const double n = static_cast<double>(counts_.size());
    std::vector<std::pair<double, Id>> found;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      double score = 0;
      for (const auto& [word, times] : wanted) {
        const auto here = counts_[i].find(word);
        if (here == counts_[i].end()) continue;
        const double tf = std::min(here->second, 255.0), h = holding_.at(word);
        score += times * std::log(1 + (n - h + 0.5) / (h + 0.5)) * tf /
                 (tf + k1 * (1 - b + b * lengths_[i] / mean_));
      }
      if (score > 0) found.emplace_back(-score, static_cast<Id>(i));
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::vector<Counts> counts_;
  std::vector<double> lengths_;
  Counts holding_;
  double mean_ = 0;
};

class TextFile : public testing::Test {
 protected:
  ~TextFile() override { std::filesystem::remove(path_); }
  std::string saved(const TextIndex& index) const {
    index.save(path_);
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string path_ = test_path("text.kith");
};

void expect_like_reference(const std::vector<std::string>& texts, double k1, double b) {
  const Reference reference(texts);
  const TextIndex index = TextIndex::build(views(texts), {}, {.k1 = k1, .b = b});
  const std::vector<std::string> queries = random_texts(12, 77);
  const auto query_views = views(queries);
  constexpr std::size_t kK = 20;
  const Neighbours found = index.search(query_views, kK);
  const Neighbours exhaustive = index.search(query_views, kK, {.exhaustive = true});
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto expected = reference.search(queries[q], k1, b);
    for (std::size_t i = 0; i < kK; ++i) {
      ASSERT_EQ(found.ids(q, i), exhaustive.ids(q, i));
      ASSERT_EQ(found.distances(q, i), exhaustive.distances(q, i));
      if (i >= expected.size()) {
        ASSERT_EQ(found.ids(q, i), kNoId);
      } else {
        ASSERT_NEAR(found.distances(q, i), expected[i].first, 2e-5) << "query " << q;
      }
    }
  }
}

TEST(TextIndex, RanksByTheFormulaOfBm25) {
  const std::vector<std::string> texts = random_texts(1500, 1);
  expect_like_reference(texts, 1.2, 0.75);
  expect_like_reference(texts, 0.9, 0.4);
  expect_like_reference(texts, 0, 0.5);
  expect_like_reference(texts, 2, 1);
}

TEST(TextIndex, CutsCountsAt255) {
  std::string many;
  for (int i = 0; i < 300; ++i) many += "word ";
  expect_like_reference({many, "word w5", "w6"}, 1.2, 0.75);
  const TextIndex index = TextIndex::build(std::vector<std::string_view>{many, "other"}, {});
  EXPECT_EQ(index.info().postings, 2u);
  EXPECT_EQ(index.mean_length(), 150.5);
}

TEST(TextIndex, OrdersEqualTextsById) {
  const std::vector<std::string_view> texts(600, "the same words"), queries{"words"};
  const Neighbours found = TextIndex::build(texts, {}).search(queries, 300);
  for (std::size_t i = 0; i < 300; ++i) ASSERT_EQ(found.ids(0, i), i);
}

TEST_F(TextFile, AddingGivesTheFileThatBuildingAtOnceGives) {
  const std::vector<std::string> texts = random_texts(5000, 2);
  const auto all = views(texts);
  const TextOptions options{.keep_text = true};
  TextIndex index = TextIndex::build(std::span(all).first(3), {}, options);
  index.add(std::span(all).subspan(3, 2500), {});
  index.add(std::span(all).subspan(2503), {});
  const std::string added = saved(index);
  EXPECT_EQ(added, saved(TextIndex::build(all, {}, options)));
}

TEST_F(TextFile, ThreadsDoNotChangeTheFile) {
  const std::vector<std::string> texts = random_texts(9000, 3);
  TextOptions one, three;
  one.control.threads = 1;
  three.control.threads = 3;
  const std::string alone = saved(TextIndex::build(views(texts), {}, one));
  EXPECT_EQ(alone, saved(TextIndex::build(views(texts), {}, three)));
}

TEST_F(TextFile, AnOpenedIndexAnalysesQueriesAsItsTexts) {
  const std::vector<std::string_view> texts{"Connecting the operators", "A plain sentence",
                                            "the the the"};
  const TextIndex built = TextIndex::build(
      texts, Labels(std::vector<std::string>{"a", "b", "c"}),
      {.analyser = {.stop_words = true, .stem = true}, .k1 = 0.9, .b = 0.4, .keep_text = true});
  built.save(path_);
  const TextIndex opened = TextIndex::open(path_);
  EXPECT_TRUE(opened.options().analyser.stem);
  EXPECT_EQ(opened.options().k1, 0.9);
  EXPECT_EQ(opened.text(1), "A plain sentence");
  EXPECT_EQ(opened.labels().text(0), "a");
  const std::vector<std::string_view> queries{"the connection", "the", "unknown words"};
  const Neighbours found = opened.search(queries, 3);
  EXPECT_EQ(found.ids(0, 0), 0u);
  EXPECT_EQ(found.ids(0, 1), kNoId);
  EXPECT_EQ(found.ids(1, 0), kNoId);
  EXPECT_EQ(found.ids(2, 0), kNoId);
}

TEST_F(TextFile, EveryFlippedByteIsFoundOrHarmless) {
  const std::vector<std::string> texts = random_texts(300, 4);
  const std::string good = saved(TextIndex::build(views(texts), {}, {.keep_text = true}));
  const std::vector<std::string_view> queries{"w1 w2 w100"};
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 300) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    std::ofstream(path_, std::ios::binary) << bad;
    try {
      TextIndex::open(path_, {.verify = at % 2 == 0}).search(queries, 5);
    } catch (const Error&) {
    }
  }
  for (std::size_t size = 0; size < good.size(); size += 1 + good.size() / 50) {
    std::ofstream(path_, std::ios::binary) << good.substr(0, size);
    EXPECT_THROW(TextIndex::open(path_), Error) << size;
  }
}

TEST_F(TextFile, IndexesOfVectorsAndTextsAreToldApart) {
  const std::vector<std::string_view> texts{"one", "two"};
  TextIndex::build(texts, {}).save(path_);
  EXPECT_THROW(SparseIndex::open(path_), Error);
  try {
    Index::open(path_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("'bm25'"));
  }
}

TEST(TextIndex, RefusesWhatMakesNoSense) {
  const std::vector<std::string_view> none, one{"text"};
  EXPECT_THROW(TextIndex::build(none, {}), Error);
  EXPECT_THROW(TextIndex::build(one, {}, {.k1 = -1}), Error);
  EXPECT_THROW(TextIndex::build(one, {}, {.b = 1.5}), Error);
  EXPECT_THROW(TextIndex::build(one, Labels(std::vector<std::uint64_t>{1, 2})), Error);
  EXPECT_THROW(TextIndex::build(one, {}).search(one, 0), Error);
  const std::vector<std::string_view> empty{"", " "};
  EXPECT_EQ(TextIndex::build(empty, {}).search(one, 1).ids(0, 0), kNoId);
}

}  // namespace
}  // namespace kith

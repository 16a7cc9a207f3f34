// kith train codec --kind bebr and vq, and the verbs that take what they make.
#include <gmock/gmock.h>

#include "base/test_rows.h"
#include "cli/test_tool.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class TrainCodec : public ToolTest {
 protected:
  void SetUp() override {
    write_vectors(path("base.npy"), normal_rows(300, 8, 1).view(), Labels());
    write_vectors(path("queries.npy"), normal_rows(20, 8, 2).view(), Labels());
    write_vectors(path("new.npy"), normal_rows(300, 10, 3).view(), Labels());
    write_vectors(path("new-queries.npy"), normal_rows(20, 10, 4).view(), Labels());
  }
  Outcome train(const std::string& vectors, const std::string& output,
                std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"train", "codec",  "--kind", "bebr",         "--vectors",
                                      vectors, "--dims", "16",     "--bits",       "2",
                                      "-o",    output,   "--set",  "train.steps=3"};
    words.insert(words.end(), more.begin(), more.end());
    return kith(words);
  }
};

TEST_F(TrainCodec, MakesCodesThatANewModelsQueriesSearch) {
  ASSERT_EQ(train("base.npy", "codes", {"--queries", "queries.npy"}).exit, 0);
  const Outcome built =
      kith({"build", "base.npy", "--metric", "cosine", "--trained", "codes", "-o", "base.kith"});
  ASSERT_EQ(built.exit, 0) << built.err;
  EXPECT_EQ(kith({"search", "base.kith", "queries.npy"}).exit, 0);
  const std::string index = read_file(path("base.kith")),
                    codes = read_file(path("codes/binariser.kith"));

  ASSERT_EQ(train("new.npy", "apart").exit, 0);
  const Outcome refused = kith({"search", "base.kith", "new-queries.npy", "--trained", "apart"});
  EXPECT_NE(refused.exit, 0);
  EXPECT_THAT(refused.err, HasSubstr("wasn't trained to search these codes"));
  ASSERT_EQ(train("new.npy", "new",
                  {"--set", "data.compatible_with=codes", "--set", "data.old_vectors=base.npy"})
                .exit,
            0);
  const Outcome found = kith({"search", "base.kith", "new-queries.npy", "--trained", "new"});
  EXPECT_EQ(found.exit, 0) << found.err;
  EXPECT_EQ(read_file(path("base.kith")), index);
  EXPECT_EQ(read_file(path("codes/binariser.kith")), codes);
}

TEST_F(TrainCodec, LeavesNothingWhereSomethingDoesNotFit) {
  ASSERT_EQ(train("base.npy", "codes").exit, 0);
  const auto before = files();
  EXPECT_NE(train("base.npy", "wrong", {"--queries", "new.npy"}).exit, 0);
  EXPECT_NE(train("none.npy", "wrong").exit, 0);
  for (const char* const metric : {"l2", "ip"}) {
    const Outcome built =
        kith({"build", "base.npy", "--metric", metric, "--trained", "codes", "-o", "base.kith"});
    EXPECT_THAT(built.err, HasSubstr("cosine"));
  }
  const Outcome wider =
      kith({"build", "new.npy", "--metric", "cosine", "--trained", "codes", "-o", "base.kith"});
  EXPECT_THAT(wider.err, HasSubstr("8 dimensions for vectors of 10"));
  EXPECT_EQ(files(), before);
}

TEST_F(TrainCodec, MakesCodebooksThatEveryIndexTakes) {
  const Outcome trained =
      kith({"train", "codec", "--kind", "vq", "--vectors", "base.npy", "--parts", "4", "--bits",
            "4", "--quantiser", "simvq-trained", "-o", "books", "--set", "train.steps=5"});
  ASSERT_EQ(trained.exit, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("utilisation"));
  EXPECT_THAT(trained.out, HasSubstr("kmeans_error"));
  for (const char* const kind : {"flat", "graph", "ivf"}) {
    const Outcome built =
        kith({"build", "base.npy", "--index", kind, "--trained", "books", "-o", "base.kith"});
    ASSERT_EQ(built.exit, 0) << built.err;
    EXPECT_EQ(kith({"search", "base.kith", "queries.npy"}).exit, 0);
    EXPECT_THAT(kith({"info", "base.kith"}).out, HasSubstr("vq4x4"));
  }
  const auto before = files();
  const Outcome other =
      kith({"build", "base.npy", "--metric", "cosine", "--trained", "books", "-o", "other.kith"});
  EXPECT_THAT(other.err, HasSubstr("under l2, but the metric is cosine"));
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace kith::cli

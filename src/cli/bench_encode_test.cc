// kith bench encode and kith embed --precision, on a small random transformer.
#include <gmock/gmock.h>

#include "cli/test_tool.h"
#include "encode/test_models.h"

namespace kith::cli {
namespace {

class BenchEncode : public ToolTest {
 protected:
  BenchEncode() { encode::write_folder(path("model"), encode::tiny_bert("bert")); }
};

TEST_F(BenchEncode, PrintsRatesAndWhatEachPrecisionLoses) {
  const Outcome outcome =
      kith({"bench", "encode", "--model", "model", "--cache", "none", "--alone", "--most", "20",
            "--rounds", "2", "--batch", "1,8", "--threads", "2", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const auto rows = outcome.objects();
  ASSERT_EQ(rows.size(), 6u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i]["batch"], i < 3 ? 1 : 8);
    EXPECT_GT(rows[i]["tokens_per_second"], 0);
    EXPECT_TRUE(rows[i]["times_onnxruntime"].is_null());
    EXPECT_LE(rows[i]["worst_cosine"], rows[i]["mean_cosine"]);
    EXPECT_GT(rows[i]["worst_cosine"], 0.95);
  }
  EXPECT_EQ(rows[0]["system"], "kith f32");
  EXPECT_NEAR(rows[0]["worst_cosine"].get<double>(), 1, 1e-12);
  EXPECT_EQ(rows[1]["system"], "kith bf16");
  EXPECT_EQ(rows[2]["system"], "kith int8");
}

TEST_F(BenchEncode, WrongInputsAreNamed) {
  expect_error({"bench", "encode", "--model", "none", "--alone"}, 1, {"none"});
  expect_error({"bench", "encode", "--model", "model", "--alone", "--batch", "0"}, 2, {"--batch"});
  // Texts need a tokenizer.
  write_file(path("a.txt"), "one\ntwo\n");
  expect_error({"bench", "encode", "--model", "model", "--alone", "--texts", "a.txt"}, 1,
               {"tokenizer.json"});
}

TEST_F(BenchEncode, AStaticModelIsTheSameInEveryPrecision) {
  make_words("words.txt", 20, 8, 1);
  ASSERT_EQ(kith({"model", "import", "words.txt", "-o", "words"}).exit, 0);
  write_file(path("a.txt"), "w1 w2\nw3\n");
  for (const char* name : {"f32", "bf16", "int8"}) {
    const Outcome made = kith({"embed", "a.txt", "--model", "words", "-o",
                               std::string(name) + ".npy", "--precision", name});
    EXPECT_EQ(made.exit, 0) << made.err;
  }
  EXPECT_EQ(read_file(path("bf16.npy")), read_file(path("f32.npy")));
  EXPECT_EQ(read_file(path("int8.npy")), read_file(path("f32.npy")));
  expect_error({"embed", "a.txt", "--model", "words", "-o", "a.npy", "--precision", "f16"}, 2,
               {"--precision", "f16"});
}

}  // namespace
}  // namespace kith::cli

// kith model merge.
#include <gmock/gmock.h>

#include <deque>

#include "cli/test_tool.h"
#include "encode/model_folder.h"
#include "encode/tensor_store.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Static models of the words "w0", "w1" ... as folders "base", "a" and "b".
class MergeTool : public ToolTest {
 protected:
  void SetUp() override {
    make_words("words.txt", 50, 8, 1);
    const Outcome outcome = kith({"model", "import", "words.txt", "-o", "base"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    for (const char* name : {"a", "b"}) train(name);
  }

  // The base, with other vectors.
  void train(const std::string& name) const {
    std::filesystem::copy(path("base"), path(name), std::filesystem::copy_options::recursive);
    const auto store = encode::TensorStore::open_folder(path("base"));
    std::vector<Matrix<float>> values;
    std::vector<encode::NamedTensor> tensors;
    Random random(3, static_cast<std::uint64_t>(name[0]));
    for (const std::string& tensor : store.names()) {
      const auto& shape = store.shape(tensor);
      const std::size_t rows = shape.size() == 1 ? 1 : shape[0];
      values.push_back(store.read(tensor, rows, shape.back()));
      Matrix<float>& own = values.back();
      std::vector<float> flat;
      for (std::size_t i = 0; i < own.rows(); ++i) {
        for (std::size_t j = 0; j < own.cols(); ++j) {
          flat.push_back(own(i, j) + (rows == 1 ? 0 : static_cast<float>(random.normal())));
        }
      }
      flat_.push_back(std::move(flat));
      tensors.push_back({tensor, shape, flat_.back()});
    }
    encode::write_tensors(path(name) + "/model.safetensors", tensors);
  }

  // The first word's first value.
  double value(const std::string& folder) const {
    return encode::TensorStore::open_folder(path(folder)).read("words.vectors", 50, 8)(0, 0);
  }

  mutable std::deque<std::vector<float>> flat_;
};

TEST_F(MergeTool, WritesAModelThatEmbedRunsAtOnce) {
  const Outcome outcome = kith({"model", "merge", "a", "b", "-o", "soup"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_NEAR(value("soup"), (value("a") + value("b")) / 2, 1e-6);
  write_file(path("texts.txt"), "w1 w2\n");
  EXPECT_EQ(kith({"embed", "texts.txt", "--model", "soup", "-o", "v.npy"}).exit, 0);
}

TEST_F(MergeTool, WeighsAndScalesAsAsked) {
  const Outcome outcome =
      kith({"model", "merge", "a", "b", "--base", "base", "--method", "arithmetic", "--weights",
            "1,-0.5", "--scale", "0.2", "-o", "out", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  const double base = value("base");
  EXPECT_NEAR(value("out"), base + 0.2 * (value("a") - base) - 0.1 * (value("b") - base), 1e-6);
  const auto said = outcome.objects().at(0);
  EXPECT_EQ(said["method"], "arithmetic");
  EXPECT_EQ(said["base"], "base");
  EXPECT_EQ(said["models"][0]["coefficient"], 0.2);
  EXPECT_EQ(said["models"][1]["coefficient"], -0.1);
  EXPECT_NEAR(said["models"][0]["angles"][1].get<double>(), 90, 15);
  EXPECT_NEAR(said["models"][0]["norm"].get<double>(), 20, 3);
  const auto record = nlohmann::json::parse(read_file(path("out/merge.json")));
  EXPECT_EQ(record["base_hash"], said["base_hash"]);
}

TEST_F(MergeTool, PrintsATableThatLinesUp) {
  const Outcome outcome =
      kith({"model", "merge", "a", "b", "--base", "base", "--method", "slerp", "-o", "out"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string head, a, b;
  std::getline(lines, head);
  std::getline(lines, a);
  std::getline(lines, b);
  EXPECT_THAT(head, StartsWith("model"));
  EXPECT_THAT(head, HasSubstr("coefficient"));
  EXPECT_THAT(head, HasSubstr("to a"));
  EXPECT_THAT(a, StartsWith("a "));
  EXPECT_THAT(b, HasSubstr("°"));
  EXPECT_THAT(outcome.out, HasSubstr("norm of the change"));
}

TEST_F(MergeTool, HasTies) {
  const Outcome outcome = kith({"model", "merge", "a", "--base", "base", "--method", "ties",
                                "--top", "100", "--rescale", "-o", "out", "--json"});
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_NEAR(value("out"), value("a"), 1e-6);
  EXPECT_FALSE(outcome.objects().at(0)["models"][0].contains("coefficient"));
}

TEST_F(MergeTool, ErrorsSayWhatWasExpected) {
  const auto fails = [&](std::vector<std::string> arguments, int exit,
                         const std::vector<std::string>& said) {
    arguments.insert(arguments.begin(), {"model", "merge"});
    expect_error(arguments, exit, said);
  };
  fails({"a", "b", "--method", "slerp", "-o", "out"}, 2, {"slerp needs the base"});
  fails({"a", "b", "--method", "mean", "-o", "out"}, 2, {"'mean'", "average, arithmetic"});
  fails({"a", "b", "--weights", "1", "-o", "out"}, 2, {"1 weights", "2 models"});
  fails({"a", "b", "--weights", "1,x", "-o", "out"}, 2, {"--weights", "'x'"});
  fails({"a", "b", "--top", "0", "-o", "out"}, 2, {"--top", "'0'"});
  fails({"a", "b", "--scale", "nan", "-o", "out"}, 2, {"--scale"});
  fails({"a", "b", "-o", "a"}, 2, {"a: exists already"});
  fails({"a", "none", "-o", "out"}, 1, {"none: not a folder"});
  fails({"a", "base", "--base", "base", "--method", "slerp", "-o", "out"}, 2,
        {"base: its weights are the base's"});
}

}  // namespace
}  // namespace kith::cli

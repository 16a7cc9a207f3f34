// kith model and kith embed.
#include <gmock/gmock.h>

#include "cli/test_tool.h"
#include "encode/test_models.h"
#include "kith/vector_sets.h"

namespace kith::cli {
namespace {

using testing::HasSubstr;

class EmbedTool : public ToolTest {
 protected:
  // A static model whose words are "w0", "w1", ...
  void make_model() const {
    make_words("words.txt", 50, 8, 1);
    const Outcome outcome = kith({"model", "import", "words.txt", "-o", "model"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
  }
  static std::string lines(std::size_t count, std::size_t wrong = ~std::size_t{0}) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
      all += "w" + std::to_string(i % 50) + " and w" + std::to_string(i * 7 % 50) + "\n";
      if (i == wrong) all.insert(all.size() - 1, "\xff");
    }
    return all;
  }
};

TEST_F(EmbedTool, ModelInfoTellsWhatWasImported) {
  make_model();
  const auto info = kith({"model", "info", "model", "--json"}).objects()[0];
  EXPECT_EQ(info["architecture"], "sif");
  EXPECT_EQ(info["dim"], 8);
  EXPECT_EQ(info["vocabulary"], 51);
  EXPECT_EQ(info["max_tokens"], "any");
  EXPECT_GT(info["bytes"], 50 * 8 * 4);
  expect_error({"model", "import", "words.txt", "-o", "model"}, 2, {"model: exists already"});
  expect_error({"model", "export", "model", "-o", "m.onnx"}, 1, {"model_type: \"sif\""});
  expect_error({"model", "info", "none"}, 1, {"none/config.json"});
  expect_error({"model", "import", "model", "-o", "m", "--cased"}, 2, {"--cased"});
}

TEST_F(EmbedTool, EveryFormOfTextsGivesTheSameVectors) {
  make_model();
  write_file(path("a.txt"), "w1 w2\nw3\n");
  write_file(path("a.jsonl"),
             "{\"_id\": \"x\", \"text\": \"w1 w2\"}\n{\"_id\": 5, \"text\": \"w3\"}");
  write_file(path("a.csv"), "sku,body\nx,\"w1 w2\"\n5,w3\n");
  write_file(path("a.tsv"), "x\tw1 w2\n5\tw3\n");
  const std::vector<std::vector<std::string>> inputs = {
      {"a.txt"}, {"a.jsonl"}, {"a.csv", "--field", "body", "--id", "sku"}, {"a.tsv"}};
  std::string first;
  for (const auto& input : inputs) {
    std::vector<std::string> command = {"embed", "--model", "model", "-o", "a.npy", "--json"};
    command.insert(command.end(), input.begin(), input.end());
    const Outcome outcome = kith(command);
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_EQ(outcome.objects()[0]["texts"], 2);
    if (first.empty()) first = read_file(path("a.npy"));
    EXPECT_EQ(read_file(path("a.npy")), first);
    const bool labelled = input[0] != "a.txt";
    EXPECT_EQ(std::filesystem::exists(path("a.npy.labels")), labelled);
    if (labelled) {
      EXPECT_EQ(read_file(path("a.npy.labels")), "x\n5\n");
    }
  }
  const Vectors vectors = read_vectors(path("a.npy"));
  EXPECT_EQ(vectors.rows.rows(), 2u);
  EXPECT_EQ(vectors.rows.dim(), 8u);
}

TEST_F(EmbedTool, CountsAreOfEmptyAndMendedTexts) {
  make_model();
  write_file(path("a.txt"), "w1\n\nother words\nw2 \xff\n");
  const auto record =
      kith({"embed", "a.txt", "--model", "model", "-o", "a.npy", "--dim", "4", "--json"})
          .objects()[0];
  EXPECT_EQ(record["empty"], 2);
  EXPECT_EQ(record["mended"], 1);
  EXPECT_EQ(record["truncated"], 0);
  EXPECT_EQ(record["dim"], 4);
  expect_error({"embed", "a.txt", "--model", "model", "-o", "b.npy", "--strict"}, 1,
               {"a.txt: line 4: byte 3 of the text is no UTF-8"});
}

// A bad text behind the first part stops the run; mended, the same command goes on.
TEST_F(EmbedTool, AnInterruptedRunGoesOnAndGivesTheSameBytes) {
  make_model();
  const std::vector<std::string> command = {"embed", "a.txt",    "--model",   "model", "-o",
                                            "a.npy", "--strict", "--threads", "1",     "--json"};
  write_file(path("a.txt"), lines(3000, 2500));
  EXPECT_EQ(kith(command).exit, 1);
  EXPECT_TRUE(std::filesystem::exists(path("a.npy.partial.json")));
  EXPECT_FALSE(std::filesystem::exists(path("a.npy")));
  write_file(path("a.txt"), lines(3000));
  const Outcome second = kith(command);
  ASSERT_EQ(second.exit, 0) << second.err;
  EXPECT_EQ(second.objects()[0]["before"], 2304);
  EXPECT_EQ(second.objects()[0]["texts"], 3000);
  EXPECT_EQ(files(), (std::vector<std::string>{"a.npy", "a.txt", "model", "words.txt"}));
  const std::string resumed = read_file(path("a.npy"));
  ASSERT_EQ(kith(command).exit, 0);
  EXPECT_EQ(read_file(path("a.npy")), resumed);
}

TEST_F(EmbedTool, ARunIsNotContinuedWithOtherTextsOrOptions) {
  make_model();
  write_file(path("a.txt"), lines(2000, 1900));
  EXPECT_EQ(kith({"embed", "a.txt", "--model", "model", "-o", "a.npy", "--strict"}).exit, 1);
  write_file(path("a.txt"), "other " + lines(2000));
  expect_error({"embed", "a.txt", "--model", "model", "-o", "a.npy", "--strict"}, 2,
               {"not the texts that a.npy.partial was begun with"});
  expect_error({"embed", "a.txt", "--model", "model", "-o", "a.npy"}, 2,
               {"begun with another model, input or options"});
}

TEST_F(EmbedTool, WrongInputsAreNamed) {
  make_model();
  write_file(path("a.txt"), "w1\n");
  write_file(path("none.txt"), "");
  write_file(path("half.jsonl"), "{\"id\": 1, \"text\": \"w1\"}\n{\"text\": \"w2\"}\n");
  expect_error({"embed", "none.txt", "--model", "model", "-o", "a.npy"}, 1, {"none.txt: no texts"});
  expect_error({"embed", "missing.txt", "--model", "model", "-o", "a.npy"}, 1, {"missing.txt"});
  expect_error({"embed", "a.txt", "--model", "none", "-o", "a.npy"}, 1, {"none"});
  expect_error({"embed", "a.txt", "--model", "model", "-o", "a.xyz"}, 1, {"a.xyz"});
  expect_error({"embed", "a.txt", "--model", "model", "-o", "a.npy", "--dim", "9"}, 2, {"dim 9"});
  expect_error({"embed", "a.txt", "--model", "model", "-o", "a.npy", "--layer", "1"}, 2,
               {"layer 1"});
  expect_error({"embed", "a.txt", "--model", "model", "-o", "a.npy", "--prompt", "query"}, 2,
               {"--prompt query"});
  expect_error({"embed", "half.jsonl", "--model", "model", "-o", "a.npy"}, 1, {"text 1 has no id"});
}

TEST_F(EmbedTool, TokensAreSetsOfVectorsInEveryFormat) {
  make_model();
  write_file(path("a.tsv"), "x\tw1 w2\n5\tw3 and w4 w5\ny\tnone\n");
  std::vector<float> first;
  for (const std::string& format : {"npz", "safetensors", "jsonl"}) {
    const std::string file = "a." + format;
    const Outcome outcome =
        kith({"embed", "a.tsv", "--model", "model", "--tokens", "-o", file, "--json"});
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    const auto record = outcome.objects()[0];
    EXPECT_EQ(record["texts"], 3);
    EXPECT_EQ(record["dim"], 8);
    EXPECT_EQ(record["empty"], 1);
    const VectorSets sets = read_vector_sets(path(file));
    EXPECT_EQ(sets.format, format);
    ASSERT_EQ(sets.sets.size(), 3u);
    EXPECT_EQ(sets.sets.length(0), 2u);
    EXPECT_EQ(sets.sets.length(1), 3u);  // without the unknown word
    EXPECT_EQ(sets.labels.text(1), "5");
    std::vector<float> values(8 * sets.sets.total());
    for (std::size_t i = 0; i < sets.sets.total(); ++i) {
      sets.sets.vectors.copy_row(i, values.data() + 8 * i);
    }
    if (first.empty()) first = values;
    EXPECT_EQ(values, first);
  }
  EXPECT_EQ(files(), (std::vector<std::string>{"a.jsonl", "a.npz", "a.npz.labels", "a.safetensors",
                                               "a.tsv", "model", "words.txt"}));
}

TEST_F(EmbedTool, TokensThatWereInterruptedGoOn) {
  make_model();
  write_file(path("a.txt"), lines(20000));
  write_file(path("wrong.txt"), lines(20000, 15000));
  const std::vector<std::string> whole = {"embed", "a.txt", "--model",  "model",    "--strict",
                                          "-o",    "w.npz", "--tokens", "--queries"};
  ASSERT_EQ(kith(whole).exit, 0);
  // A text that is refused leaves what was made before it.
  const std::vector<std::string> command = {"embed", "x.txt", "--model",  "model",     "--strict",
                                            "-o",    "a.npz", "--tokens", "--queries", "--json"};
  std::filesystem::copy_file(path("wrong.txt"), path("x.txt"));
  EXPECT_NE(kith(command).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(path("a.npz.partial.json")));
  write_file(path("x.txt"), read_file(path("a.txt")));
  const Outcome outcome = kith(command);
  ASSERT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_GT(outcome.objects()[0]["before"], 1000);
  EXPECT_EQ(outcome.objects()[0]["texts"], 20000);
  EXPECT_EQ(read_file(path("a.npz")), read_file(path("w.npz")));
}

TEST_F(EmbedTool, TokensAreRefusedWhereTheyDontFit) {
  make_model();
  write_file(path("a.txt"), "w1\n");
  const auto fails = [&](std::vector<std::string> more, const std::vector<std::string>& said) {
    more.insert(more.begin(), {"embed", "a.txt", "--model", "model"});
    expect_error(more, 2, said);
  };
  fails({"--tokens", "-o", "a.npy"}, {"a.npy: sets of vectors are written as .npz"});
  fails({"--tokens", "-o", "a.npz", "--dim", "4"}, {"--dim"});
  fails({"--queries", "-o", "a.npy"}, {"--tokens"});
}

// A random small BERT of 420 positions whose tokens are words; its layers are weighed.
class EmbedLongTexts : public EmbedTool {
 protected:
  EmbedLongTexts() {
    using encode::write_json;
    using nlohmann::json;
    encode::write_folder(path("bert"), encode::tiny_bert("bert"));
    write_json(path("bert/tokenizer.json"),
               {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
                {"model",
                 {{"type", "WordLevel"},
                  {"unk_token", "no"},
                  {"vocab", {{"no", 2}, {"a", 3}, {"b", 4}, {"c", 5}}}}}});
    write_json(path("bert/modules.json"),
               json::array({{{"path", ""}, {"type", "x.Transformer"}},
                            {{"path", "1"}, {"type", "x.WeightedLayerPooling"}},
                            {{"path", "2"}, {"type", "x.Pooling"}}}));
    encode::Checkpoint weights;
    weights.config = {
        {"word_embedding_dimension", 36}, {"layer_start", 1}, {"num_hidden_layers", 3}};
    weights.add("layer_weights", {3}, 0.1, 1);
    encode::write_folder(path("bert/1"), weights);
    write_json(path("bert/2/config.json"), {{"pooling_mode_mean_tokens", true}});
    std::string text;
    for (int i = 0; i < 900; ++i) text += i % 3 == 0 ? "a " : i % 7 == 0 ? "b " : "c ";
    write_file(path("a.txt"), text + "\na b c\n");
  }
  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"embed", "a.txt", "--model", "bert", "-o", "a.npy", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(EmbedLongTexts, ModelInfoNamesTheModules) {
  const auto info = kith({"model", "info", "bert", "--json"}).objects()[0];
  EXPECT_EQ(info["modules"], "weighted mean of layers 1 to 3, mean pooling");
  expect_error({"model", "export", "bert", "-o", "m.onnx"}, 1,
               {"weighted mean of layers 1 to 3 in ONNX"});
}

TEST_F(EmbedLongTexts, AContextIsExtendedOrCutAndSaysWhatIsCut) {
  std::string last;
  for (const auto& [more, truncated] : std::vector<std::pair<std::vector<std::string>, int>>{
           {{}, 1},
           {{"--context", "100"}, 1},
           {{"--context", "600", "--extend", "gp"}, 1},
           {{"--context", "900", "--extend", "gp"}, 0},
           {{"--context", "900", "--extend", "gp", "--no-attention-scaling"}, 0},
           {{"--context", "900", "--extend", "pcw"}, 0}}) {
    const Outcome outcome = kith(command(more));
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_EQ(outcome.objects()[0]["truncated"], truncated);
    const std::string bytes = read_file(path("a.npy"));
    EXPECT_NE(bytes, last);
    last = bytes;
  }
}

TEST_F(EmbedLongTexts, WhatDoesNotFitIsNamed) {
  expect_error(command({"--context", "900"}), 2,
               {"a context of 900 tokens, but the model takes 420"});
  expect_error(command({"--extend", "gp"}), 2, {"--context"});
  expect_error(command({"--context", "900", "--extend", "ntk"}), 1, {"ntk: a model of type bert"});
  expect_error(command({"--context", "900", "--extend", "gp", "--group", "3"}), 2,
               {"gp: groups and a window are of selfextend alone"});
  expect_error(command({"--context", "900", "--extend", "more"}), 2, {"--extend"});
  make_model();
  expect_error({"embed", "a.txt", "--model", "model", "-o", "b.npy", "--context", "9"}, 1,
               {"model: a model of type sif takes texts of any length"});
}

}  // namespace
}  // namespace kith::cli

#include "learn/weights/merge_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "encode/tensor_store.h"
#include "encode/test_models.h"
#include "json/json.h"
#include "kith/encoder.h"
#include "learn/weights/model_weights.h"
#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

namespace fs = std::filesystem;
using encode::Checkpoint;
using testing::AllOf;
using testing::HasSubstr;

// A base and two models trained from it, as folders "base", "a" and "b".
class MergedFolders : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"base", "a", "b"}) write(name, checkpoint(name));
  }

  static Checkpoint checkpoint(const std::string& name) {
    Checkpoint c = encode::tiny_bert("bert");
    Random random(name == "base" ? 0 : name == "a" ? 1 : 2);
    for (auto& [tensor, content] : c.tensors) {
      for (float& value : content.values) {
        if (name != "base") value += static_cast<float>(0.05 * random.normal());
      }
    }
    return c;
  }

  void write(const std::string& name, const Checkpoint& c,
             ElementType type = ElementType::f32) const {
    encode::write_folder(path(name), c, type);
    formats::write_bytes(path(name) + "/tokenizer.json", R"({"model": {"vocab": {"a": 0}}})");
  }

  std::string path(const std::string& name) const { return folder_.file(name); }

  MergeRequest request(const std::string& method = "average") const {
    MergeRequest request;
    request.models = {path("a"), path("b")};
    request.base = path("base");
    request.method = method;
    request.output = path("merged");
    return request;
  }

  std::string said(const MergeRequest& request) const {
    const std::string message = refusal([&] { merge_folders(request); });
    EXPECT_FALSE(fs::exists(request.output)) << message;
    return message;
  }

  formats::TemporaryFolder folder_;
};

double difference(const Parameters& a, const Parameters& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (const Parameter& each : a) {
    most = std::max(most, (each.value - b[each.name]).abs().max().item<double>());
  }
  return most;
}

TEST_F(MergedFolders, OfAnAverageHoldTheMeanAndRunAtOnce) {
  const MergeSummary summary = merge_folders(request());
  const Parameters a = read_model_weights(path("a")).tensors;
  const Parameters b = read_model_weights(path("b")).tensors;
  const Parameters merged = read_model_weights(path("merged")).tensors;
  EXPECT_LT(difference(merged, combine({a, b}, std::vector<double>{0.5, 0.5})), 1e-6);
  EXPECT_EQ(summary.coefficients, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(summary.norms.size(), 2);
  EXPECT_NEAR(summary.angles[0][1], 90, 5);
  EXPECT_EQ(static_cast<std::size_t>(summary.tensors), merged.size());
  EXPECT_EQ(summary.parameters, merged.values());
  EXPECT_NO_THROW(Encoder::open(path("merged")));
}

TEST_F(MergedFolders, OfEveryMethodAreWhatTheMethodGives) {
  for (const char* method : {"average", "arithmetic", "slerp", "ties"}) {
    MergeRequest wanted = request(method);
    wanted.output = path(method);
    wanted.scale = 0;
    merge_folders(wanted);
    EXPECT_EQ(difference(read_model_weights(path(method)).tensors,
                         read_model_weights(path("base")).tensors),
              0)
        << method;
    wanted.output += "-one";
    wanted.models = {path("a")};
    wanted.scale = 1;
    if (std::string(method) == "ties") wanted.top = 100;
    const MergeSummary summary = merge_folders(wanted);
    EXPECT_LT(difference(read_model_weights(wanted.output).tensors,
                         read_model_weights(path("a")).tensors),
              1e-6)
        << method;
    EXPECT_NEAR(summary.norm, summary.norms[0], 1e-4);
  }
}

TEST_F(MergedFolders, WithoutABaseAveragePlainWeights) {
  MergeRequest plain = request();
  merge_folders(plain);
  plain.base.clear();
  plain.output = path("plain");
  const MergeSummary summary = merge_folders(plain);
  EXPECT_EQ(summary.base_hash, "");
  EXPECT_LT(difference(read_model_weights(path("plain")).tensors,
                       read_model_weights(path("merged")).tensors),
            1e-6);
}

TEST_F(MergedFolders, SayWhatTheyWereMadeOf) {
  const MergeSummary summary = merge_folders(request("slerp"));
  const Json record = Json::read(path("merged") + "/merge.json");
  EXPECT_EQ(record.text("method"), "slerp");
  EXPECT_EQ(record.text("base"), "base");
  EXPECT_EQ(record.text("base_hash"), summary.base_hash);
  EXPECT_EQ(record.texts("models"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read_model_weights(path("merged")).merged_from, summary.base_hash);
}

TEST_F(MergedFolders, MergeOnTheirOwnBaseAndAreRefusedOnAnother) {
  merge_folders(request());
  MergeRequest again = request();
  again.models = {path("merged"), path("a")};
  again.output = path("again");
  EXPECT_NO_THROW(merge_folders(again));
  again.base = path("b");
  again.output = path("other");
  EXPECT_THAT(said(again), AllOf(HasSubstr(path("merged") + ": merged on a base of hash"),
                                 HasSubstr(path("b") + " has ")));
}

TEST_F(MergedFolders, HaveTheirBasesHashInWhateverTypeAndShardsItIsStored) {
  Checkpoint c = checkpoint("base");
  encode::round_weights<BFloat16>(c);
  write("wide", c);
  write("narrow", c, ElementType::bf16);
  fs::create_directories(path("shards"));
  encode::write_json(path("shards") + "/config.json", c.config);
  nlohmann::json map = nlohmann::json::object();
  for (const auto& [name, tensor] : c.tensors) {
    map[name] = name < "encoder.layer.1" ? "one.safetensors" : "two.safetensors";
  }
  encode::write_json(path("shards") + "/model.safetensors.index.json", {{"weight_map", map}});
  for (const char* shard : {"one.safetensors", "two.safetensors"}) {
    encode::write_tensors(path("shards") + "/" + shard, c, ElementType::f32,
                          [&](const std::string& name) { return map[name] == shard; });
  }
  const std::string hash = hash_of(read_model_weights(path("wide")).tensors);
  EXPECT_EQ(hash_of(read_model_weights(path("narrow")).tensors), hash);
  EXPECT_EQ(hash_of(read_model_weights(path("shards")).tensors), hash);
  EXPECT_NE(hash_of(read_model_weights(path("base")).tensors), hash);

  formats::write_bytes(path("shards") + "/tokenizer.json", R"({"model": {"vocab": {"a": 0}}})");
  MergeRequest sharded = request();
  sharded.base = path("shards");
  merge_folders(sharded);
  EXPECT_TRUE(fs::exists(path("merged") + "/two.safetensors"));
  EXPECT_NO_THROW(Encoder::open(path("merged")));
}

TEST_F(MergedFolders, OfABaseWithAHeadAndAPrefixTakeModelsThatHaveNeither) {
  Checkpoint prefixed = checkpoint("base");
  std::map<std::string, Checkpoint::Tensor> tensors;
  for (const auto& [name, tensor] : prefixed.tensors) tensors["bert." + name] = tensor;
  tensors["cls.predictions.bias"] = {{3}, {1, 2, 3}};
  prefixed.tensors = tensors;
  write("base", prefixed);
  for (const char* name : {"a", "b"}) {
    Checkpoint own = checkpoint(name);
    own.tensors.erase("pooler.dense.weight");
    own.tensors.erase("pooler.dense.bias");
    write(name, own);
  }
  merge_folders(request());
  const auto store = encode::TensorStore::open_folder(path("merged"));
  const Matrix<float> bias = store.read("cls.predictions.bias", 1, 3);
  EXPECT_EQ(bias(0, 2), 3);
  const float first = store.read("bert.encoder.layer.0.output.dense.bias", 1, 36)(0, 0);
  const std::string name = "encoder.layer.0.output.dense.bias";
  EXPECT_NEAR(first, (checkpoint("a")[name][0] + checkpoint("b")[name][0]) / 2, 1e-6);
}

TEST_F(MergedFolders, ReplaceTheWeightsOfModulesToo) {
  for (const char* name : {"base", "a", "b"}) {
    encode::write_json(
        path(name) + "/modules.json",
        nlohmann::json::array(
            {{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
             {{"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}},
             {{"path", "2_Dense"}, {"type", "sentence_transformers.models.Dense"}}}));
    encode::write_json(path(name) + "/1_Pooling/config.json",
                       {{"word_embedding_dimension", 36}, {"pooling_mode_mean_tokens", true}});
    encode::write_json(path(name) + "/2_Dense/config.json",
                       {{"in_features", 36}, {"out_features", 4}, {"bias", false}});
    Checkpoint dense;
    dense.seed = name[0];
    dense.add("linear.weight", {4, 36}, 1);
    encode::write_tensors(path(name) + "/2_Dense/model.safetensors", dense, ElementType::f16,
                          [](const std::string&) { return true; });
  }
  merge_folders(request());
  const std::string name = "dense.0.weight";
  const Parameters merged = read_model_weights(path("merged")).tensors;
  const at::Tensor mean =
      (read_model_weights(path("a")).tensors[name] + read_model_weights(path("b")).tensors[name]) /
      2;
  EXPECT_LT((merged[name] - mean).abs().max().item<double>(), 1e-6);
  EXPECT_NO_THROW(Encoder::open(path("merged")));
}

TEST_F(MergedFolders, CopyTheBasesFilesButNoOtherWeightsAndNotWhatIsHidden) {
  formats::write_bytes(path("base") + "/vocab.txt", "a\n");
  formats::write_bytes(path("base") + "/pytorch_model.bin", "old");
  fs::create_directories(path("base") + "/onnx");
  formats::write_bytes(path("base") + "/onnx/model.onnx", "old");
  fs::create_directories(path("base") + "/.git");
  formats::write_bytes(path("base") + "/.git/config", "x");
  merge_folders(request());
  EXPECT_TRUE(fs::exists(path("merged") + "/vocab.txt"));
  EXPECT_TRUE(fs::exists(path("merged") + "/config.json"));
  EXPECT_FALSE(fs::exists(path("merged") + "/pytorch_model.bin"));
  EXPECT_FALSE(fs::exists(path("merged") + "/onnx"));
  EXPECT_FALSE(fs::exists(path("merged") + "/.git"));
}

TEST_F(MergedFolders, CountTiedWeightsOnce) {
  for (const char* name : {"base", "a", "b"}) {
    Checkpoint c = checkpoint(name);
    c.config = {{"model_type", "other"}};
    c.tensors["output.weight"] = c.tensors["embeddings.word_embeddings.weight"];
    write(name, c);
  }
  std::vector<ModelWeights> models;
  for (const char* name : {"base", "a", "b"}) models.push_back(read_model_weights(path(name)));
  const std::size_t before = models[0].tensors.size();
  tie_equal_weights(models);
  EXPECT_EQ(models[0].tensors.size(), before - 1);
  merge_folders(request());
  const Parameters merged = read_model_weights(path("merged")).tensors;
  EXPECT_TRUE(torch::equal(merged["transformer.output.weight"],
                           merged["transformer.embeddings.word_embeddings.weight"]));
}

TEST_F(MergedFolders, AreNotMadeOfModelsThatDiffer) {
  Checkpoint other = checkpoint("b");
  other.tensors.erase("encoder.layer.0.output.dense.bias");
  other.config = {{"model_type", "other"}};
  Checkpoint base = checkpoint("base");
  base.config = other.config;
  write("base", base);
  write("b", other);
  MergeRequest one = request();
  one.models = {path("b")};
  EXPECT_THAT(said(one), AllOf(HasSubstr(path("base") + " and " + path("b") + " differ"),
                               HasSubstr("transformer.encoder.layer.0.output.dense.bias (only in " +
                                         path("base") + ")")));
}

TEST_F(MergedFolders, AreNotMadeOfModelsWithOtherTokenizers) {
  formats::write_bytes(path("b") + "/tokenizer.json",
                       R"({"truncation": {"max_length": 4}, "model": {"vocab": {"a": 0}}})");
  EXPECT_EQ(refusal([&] { merge_folders(request()); }), "") << "truncation changes no id";
  fs::remove_all(path("merged"));
  formats::write_bytes(path("b") + "/tokenizer.json", R"({"model": {"vocab": {"b": 0}}})");
  EXPECT_THAT(said(request()),
              HasSubstr(path("base") + " and " + path("b") + " have different tokenizers"));
  fs::remove(path("b") + "/tokenizer.json");
  EXPECT_THAT(said(request()), HasSubstr("only one has a tokenizer.json"));
}

TEST_F(MergedFolders, AreNotMadeWithOptionsThatDoNotFit) {
  EXPECT_THAT(said(request("mean")), HasSubstr("method 'mean', expected average, arithmetic"));
  for (const char* method : {"arithmetic", "slerp", "ties"}) {
    MergeRequest no_base = request(method);
    no_base.base.clear();
    EXPECT_THAT(said(no_base), HasSubstr(std::string(method) + " needs the base"));
  }
  MergeRequest scaled = request();
  scaled.base.clear();
  scaled.scale = 2;
  EXPECT_THAT(said(scaled), HasSubstr("a scale needs the base"));
  MergeRequest weighted = request("ties");
  weighted.weights = {1, 2};
  EXPECT_THAT(said(weighted), HasSubstr("ties takes no weights"));
  MergeRequest top = request();
  top.top = 20;
  EXPECT_THAT(said(top), HasSubstr("top is an option of ties"));
  MergeRequest rescaled = request("slerp");
  rescaled.rescale = true;
  EXPECT_THAT(said(rescaled), HasSubstr("rescale is an option of ties"));
  MergeRequest infinite = request();
  infinite.scale = INFINITY;
  EXPECT_THAT(said(infinite), HasSubstr("scale inf"));
  MergeRequest none = request();
  none.models.clear();
  EXPECT_THAT(said(none), HasSubstr("no models"));
}

TEST_F(MergedFolders, AreNotMadeOfBrokenFilesNorOverOthers) {
  MergeRequest there = request();
  there.output = path("a");
  EXPECT_THAT(refusal([&] { merge_folders(there); }), HasSubstr("exists already"));
  MergeRequest missing = request();
  missing.models[1] = path("none");
  EXPECT_THAT(said(missing), HasSubstr("none/model.safetensors"));
  Checkpoint broken = checkpoint("b");
  broken.tensors["encoder.layer.0.output.dense.bias"].values[3] = NAN;
  write("b", broken);
  EXPECT_THAT(said(request()),
              AllOf(HasSubstr(path("b")), HasSubstr("has a value that is not finite")));
}

TEST_F(MergedFolders, StopWhenCancelled) {
  const std::atomic<bool> cancel = true;
  MergeRequest cancelled = request();
  cancelled.control.cancel = &cancel;
  EXPECT_THAT(said(cancelled), HasSubstr("cancelled"));
}

}  // namespace
}  // namespace kith::learn

#include "learn/weights/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/read_file.h"
#include "formats/test_files.h"
#include "json/json.h"
#include "kith/error.h"
#include "kith/text_encoder.h"
#include "learn/learn.h"
#include "learn/pretrain/test_texts.h"
#include "learn/torch.h"
#include "learn/train/recipe.h"
#include "learn/weights/merge_folders.h"
#include "learn/weights/model_weights.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

// A small base, and two models that it was trained to: "verbs" knows which verb belongs to a noun,
// "things" which thing.
class Merging : public SmallLanguage {
 protected:
  void SetUp() override {
    SmallLanguage::SetUp();
    constexpr const char* kNouns[] = {"reader",  "server", "compiler",
                                      "library", "viewer", "editor"};
    constexpr const char* kVerbs[] = {"shows",  "answers", "translates",
                                      "offers", "draws",   "changes"};
    constexpr const char* kThings[] = {"mails",     "requests", "programs",
                                       "functions", "pictures", "documents"};
    std::string verbs, things;
    for (std::size_t i = 0; i < 6; ++i) {
      const auto line = [&](const char* answer) {
        return std::string("{\"query\": \"the ") + kNouns[i] + "\", \"positive\": \"" + answer +
               "\"}\n";
      };
      verbs += line(kVerbs[i]);
      things += line(kThings[i]);
    }
    encode::write_text(file("verbs.jsonl"), verbs);
    encode::write_text(file("things.jsonl"), things);
    train("base", "", "verbs", 1);
    train("verbs", "base", "verbs", 30);
    train("things", "base", "things", 30);
    encode::write_text(file("probe.toml"), "[[data]]\nfiles = [\"" + file("verbs.jsonl") +
                                               "\"]\n[[data]]\nfiles = [\"" + file("things.jsonl") +
                                               "\"]\n[train]\nbatch = 6\n[search]\nsteps = 30\n"
                                               "learning_rate = 0.05\nweight_decay = 0.0\n");
  }

  void train(const std::string& output, const std::string& base, const std::string& pairs,
             int steps) const {
    const std::string model =
        base.empty() ? "[model.architecture]\ntype = \"bert\"\nlayers = 2\nwidth = 24\nheads = 2\n"
                       "max_tokens = 32\ntokenizer = \"" +
                           file("tokenizer.json") + "\"\n"
                     : "[model]\nbase = \"" + file(base) + "\"\n";
    encode::write_text(file(output + ".toml"),
                       "output = \"" + file(output) + "\"\n" + model + "[[data]]\nfiles = [\"" +
                           file(pairs + ".jsonl") +
                           "\"]\n[train]\nbatch = 6\nsteps = " + std::to_string(steps) +
                           "\nlearning_rate = 3e-3\ndropout = 0.0\n" + "attention_dropout = 0.0\n");
    learn::train(read_recipe(file(output + ".toml"), {}), false, {});
  }

  MergeSummary merge(const std::string& method, const std::string& output) const {
    MergeRequest request;
    request.models = {file("verbs"), file("things")};
    request.base = file("base");
    request.method = method;
    if (method == "fisher" || method == "atlas" || method == "self-positioning") {
      request.probe = file("probe.toml");
    }
    request.output = file(output);
    return merge_folders(request);
  }

  // The loss of a folder on both tasks.
  double loss(const std::string& folder) const {
    return Probe(file(folder), read_probe(file("probe.toml")), {}).step(0);
  }
};

TEST_F(Merging, SearchesFindLowerLossesThanTheAverageAndTheBase) {
  merge("average", "average");
  for (const char* method : {"self-positioning", "atlas"}) {
    const MergeSummary summary = merge(method, method);
    EXPECT_LT(summary.last_loss, summary.first_loss) << method;
    EXPECT_LT(loss(method), loss("average")) << method;
    EXPECT_LT(loss(method), loss("base")) << method;
    ASSERT_EQ(summary.coefficients.size(), 2u);
    EXPECT_EQ(TextEncoder::open(file(method)).info().dim, 24u);
  }
}

TEST_F(Merging, TheFolderSaysWhatWasFound) {
  const MergeSummary position = merge("self-positioning", "position");
  const Json record = Json::read(file("position") + "/merge.json");
  EXPECT_EQ(record.raw().at("coefficients").get<std::vector<double>>(), position.coefficients);
  EXPECT_EQ(record.raw().at("weights").size(), 2u);
  EXPECT_GT(record.raw().at("scale").get<double>(), 0);
  merge("atlas", "atlas");
  const Json tensors = Json::read(file("atlas") + "/merge.json");
  const std::size_t blocks = tensors.raw().at("blocks").size();
  EXPECT_GT(blocks, 10u);
  ASSERT_EQ(tensors.raw().at("coefficients").size(), 2u);
  EXPECT_EQ(tensors.raw().at("coefficients")[1].size(), blocks);
}

TEST_F(Merging, OfTheSameProbeIsTheSame) {
  for (const char* method : {"fisher", "self-positioning", "atlas"}) {
    merge(method, std::string(method) + "-1");
    merge(method, std::string(method) + "-2");
    EXPECT_EQ(read_file(file(std::string(method) + "-1") + "/model.safetensors"),
              read_file(file(std::string(method) + "-2") + "/model.safetensors"))
        << method;
  }
}

TEST_F(Merging, ForgetASourceWhoseLossIsToGrow) {
  const auto with_forgotten = [&](const std::string& names) {
    const std::string probe = read_file(file("probe.toml"));
    encode::write_text(file("forget.toml"), probe + "forget = [" + names + "]\n");
    return read_probe(file("forget.toml"));
  };
  const ProbeOptions options = with_forgotten("'" + file("verbs.jsonl") + "'");
  ProbeOptions kept = options, forgotten = options;
  kept.forget = forgotten.forget = {};
  std::swap(kept.sources[0], kept.sources[1]);
  kept.sources.pop_back();
  forgotten.sources.pop_back();
  const auto loss_of = [&](const std::string& folder, const ProbeOptions& probe) {
    return Probe(file(folder), probe, {}).step(0);
  };
  EXPECT_NEAR(loss_of("base", options), loss_of("base", kept) - loss_of("base", forgotten), 1e-5);

  MergeRequest request;
  request.models = {file("verbs"), file("things")};
  request.base = file("base");
  request.method = "atlas";
  request.probe = file("forget.toml");
  request.output = file("without");
  merge_folders(request);
  EXPECT_GT(loss_of("without", forgotten), loss_of("base", forgotten));
  EXPECT_LT(loss_of("without", kept), loss_of("base", kept));
  try {
    with_forgotten("'nouns'");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("forget"));
  }
}

TEST_F(Merging, FisherWeightsAreMeanSquaresOfSlopes) {
  std::vector<ModelWeights> folders;
  for (const char* name : {"base", "verbs"}) folders.push_back(read_model_weights(file(name)));
  const TaskVectors vectors = task_vectors_of(folders);
  const ProbeOptions options = read_probe(file("probe.toml"));
  Probe probe(file("base"), options, {});
  const std::vector<Parameters> fishers = fisher_weights(probe, vectors, 1);
  ASSERT_EQ(fishers.size(), 1u);
  Probe again(file("verbs"), options, {});
  const Parameters model = again.tensors(vectors.base);
  again.step(0);
  for (const Parameter& each : fishers[0]) {
    const at::Tensor gradient = model[each.name].grad();
    if (!gradient.defined()) {
      EXPECT_EQ(each.value.abs().max().item<double>(), 0) << each.name;
      continue;
    }
    EXPECT_TRUE(torch::allclose(gradient.square(), each.value, 1e-3, 1e-5)) << each.name;
  }
}

TEST_F(Merging, AProbeIsNeededWhereDataIsLookedAtAndOnlyThere) {
  const auto refused = [&](const std::string& method, bool probe, std::optional<double> scale) {
    MergeRequest request;
    request.models = {file("verbs"), file("things")};
    request.base = file("base");
    request.method = method;
    if (probe) request.probe = file("probe.toml");
    request.scale = scale;
    request.output = file("none");
    try {
      merge_folders(request);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  EXPECT_THAT(refused("atlas", false, {}), HasSubstr("atlas needs a probe"));
  EXPECT_THAT(refused("slerp", true, {}), HasSubstr("slerp looks at no data"));
  EXPECT_THAT(refused("self-positioning", true, 2), HasSubstr("takes no scale"));
  EXPECT_THAT(refused("best", true, {}), HasSubstr("'best'"));
}

}  // namespace
}  // namespace kith::learn

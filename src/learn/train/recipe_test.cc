#include "learn/train/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "formats/test_files.h"
#include "kith/error.h"

namespace kith::learn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Recipes : public testing::Test {
 protected:
  Recipe read(const std::string& text, const Overrides& settings = {}) const {
    formats::write_bytes(folder_.file("r.toml"), text);
    return read_recipe(folder_.file("r.toml"), settings);
  }
  std::string refused(const std::string& text, const Overrides& settings = {}) const {
    return error_of([&] { read(text, settings); });
  }

  formats::TemporaryFolder folder_;
};

constexpr char kLeast[] = R"(output = "out"
[model]
base = "folder"
[[data]]
files = "pairs.jsonl"
)";

TEST_F(Recipes, GiveWhatTheySay) {
  const Recipe recipe = read(R"(output = "out"
[model]
base = "folder"
attention = "bidirectional"
pooling = {kind = "latent", latents = 8}
lora = {rank = 4, layers = ["q_proj"]}
dim = 64
prompts = {query = "q: "}
[[data]]
files = ["a.jsonl", "b.jsonl"]
weight = 2
negatives_each = 3
[[data]]
files = "c.jsonl"
name = "pairs"
[data.loss]
kind = "cosent"
scale = 30
[loss]
temperature = 0.02
similarity = "dot"
[elastic]
kind = "starbucks"
layers = [2, 4]
dims = [32, 64]
[train]
steps = 7
average = 0.9
seed = 5
groups = [{match = "pooling", rate_factor = 10}]
[validation]
files = "d.jsonl"
patience = 3
keep_best = false
)");
  EXPECT_EQ(recipe.output, "out");
  EXPECT_EQ(recipe.model.base, "folder");
  EXPECT_EQ(recipe.model.causal, false);
  EXPECT_EQ(recipe.model.pooling->kind, "latent");
  EXPECT_EQ(recipe.model.pooling->latents, 8);
  EXPECT_EQ(recipe.model.lora->rank, 4);
  EXPECT_EQ(recipe.model.dim, 64);
  EXPECT_EQ(recipe.model.prompts.at("query"), "q: ");
  ASSERT_EQ(recipe.sources.size(), 2u);
  EXPECT_THAT(recipe.sources[0].options.files, ElementsAre("a.jsonl", "b.jsonl"));
  EXPECT_EQ(recipe.sources[0].options.name, "a.jsonl");
  EXPECT_EQ(recipe.sources[0].options.weight, 2);
  EXPECT_EQ(recipe.sources[0].options.negatives_each, 3);
  EXPECT_EQ(recipe.sources[0].loss.kind, "info_nce");
  EXPECT_EQ(recipe.sources[0].loss.info_nce.temperature, 0.02);
  EXPECT_EQ(recipe.sources[0].loss.info_nce.similarity, Similarity::dot);
  EXPECT_EQ(recipe.sources[1].options.name, "pairs");
  EXPECT_EQ(recipe.sources[1].loss.kind, "cosent");
  EXPECT_EQ(recipe.sources[1].loss.cosent.scale, 30);
  EXPECT_EQ(recipe.sources[1].loss.info_nce.temperature, 0.02);
  ASSERT_EQ(recipe.elastic.sizes.size(), 2u);
  EXPECT_EQ(recipe.elastic.sizes[1].layer, 4);
  EXPECT_EQ(recipe.elastic.sizes[1].width, 64);
  EXPECT_EQ(recipe.train.steps, 7);
  EXPECT_EQ(recipe.train.average, 0.9);
  EXPECT_EQ(recipe.train.seed, 5u);
  EXPECT_EQ(recipe.train.optimiser.groups.at(0).rate_factor, 10);
  EXPECT_EQ(recipe.validation.patience, 3);
  EXPECT_FALSE(recipe.validation.keep_best);
}

TEST_F(Recipes, SayHowNegativesAreMined) {
  const Recipe recipe = read(std::string(kLeast) + R"([data.mine]
by = ["bm25", "model", "folder"]
teacher = "judge"
corpus = "corpus.jsonl"
every = 100
first = 5
last = 20
count = 3
max_ratio = 0.9
pick = "random"
fill = false
scores = true
)");
  const MineOptions& mine = recipe.sources[0].mine;
  EXPECT_THAT(mine.by, ElementsAre("bm25", "model", "folder"));
  EXPECT_EQ(mine.teacher, "judge");
  EXPECT_THAT(mine.corpus, ElementsAre("corpus.jsonl"));
  EXPECT_EQ(mine.every, 100);
  EXPECT_EQ(mine.negatives.first, 5u);
  EXPECT_EQ(mine.negatives.last, 20u);
  EXPECT_EQ(mine.negatives.count, 3u);
  EXPECT_EQ(mine.negatives.max_ratio, 0.9);
  EXPECT_TRUE(mine.negatives.random);
  EXPECT_FALSE(mine.negatives.fill);
  EXPECT_TRUE(mine.scores);
  EXPECT_EQ(recipe.sources[0].options.negatives_each, 3);
  const auto refused_mine = [&](const std::string& text) {
    return refused(std::string(kLeast) + "[data.mine]\n" + text);
  };
  EXPECT_THAT(refused_mine(""),
              HasSubstr("data.0.mine.by is missing, expected bm25, model, codes"));
  EXPECT_THAT(refused_mine("by = \"bm25\"\nfirst = 9\nlast = 8\n"),
              HasSubstr("line 9: data.0.mine.last: 8, expected a whole number from 9"));
  EXPECT_THAT(refused_mine("by = \"bm25\"\nmax_ratio = 0.9\n"),
              HasSubstr("max_ratio: 0.9, expected a teacher"));
  EXPECT_THAT(refused_mine("by = \"folder\"\nevery = 9\n"), HasSubstr("every: 9, expected by or"));
  EXPECT_EQ(read(std::string(kLeast) + "batches = \"walk\"\n").sources[0].batches, "walk");
  EXPECT_THAT(refused(std::string(kLeast) + "batches = \"near\"\n"),
              HasSubstr("batches: 'near', expected one of random, drawn, walk, snowball"));
  EXPECT_THAT(refused(std::string(kLeast) + "batches = \"walk\"\n[data.mine]\nby = \"model\"\n" +
                      "every = 9\n"),
              HasSubstr("batches: 'walk', expected random where negatives are mined anew"));
  EXPECT_THAT(refused_mine("by = \"model\"\npick = \"best\"\n"),
              HasSubstr("pick: 'best', expected one of nearest, random"));
}

TEST_F(Recipes, SayWhichCodesAreLearnedAndWhoseDocumentsAreSought) {
  const std::string least = kLeast;
  const Recipe coded = read(least + R"([data.mine]
by = ["codes", "codes:stage1"]
[loss]
mask_answers = false
[codes]
parts = 32
bits = 4
weight = 2
dense_weight = 0
reconstruction = 1e-6
sample = 99
alone = true
)");
  ASSERT_TRUE(coded.codes);
  EXPECT_EQ(coded.codes->parts, 32u);
  EXPECT_EQ(coded.codes->bits, 4);
  EXPECT_EQ(coded.codes->weight, 2);
  EXPECT_EQ(coded.codes->dense_weight, 0);
  EXPECT_EQ(coded.codes->reconstruction, 1e-6);
  EXPECT_EQ(coded.codes->sample, 99);
  EXPECT_TRUE(coded.codes->alone);
  EXPECT_FALSE(coded.sources[0].loss.mask_answers);
  EXPECT_FALSE(read(least).codes);
  EXPECT_TRUE(read(least + "[codes]\n").codes);
  EXPECT_THAT(read(least + "[documents]\nmodels = [\"a\", \"b\"]\n").documents,
              ElementsAre("a", "b"));

  EXPECT_THAT(refused(least + "[codes]\nbits = 17\n"), HasSubstr("codes.bits: 17, expected"));
  EXPECT_THAT(refused(least + "[codes]\nweight = 0\n"),
              HasSubstr("weight: 0, expected a number above 0, or reconstruction"));
  EXPECT_THAT(refused(least + "[documents]\n"), HasSubstr("documents.models is missing"));
  EXPECT_THAT(refused(least + "[codes]\n[documents]\nmodels = \"a\"\n"),
              HasSubstr("expected no [codes] beside it"));
  EXPECT_THAT(refused(least + "[data.mine]\nby = \"codes\"\n"),
              HasSubstr("codes is missing, expected a table"));
  EXPECT_THAT(refused(least + "[data.mine]\nby = \"model\"\n[documents]\nmodels = \"a\"\n"),
              HasSubstr("expected no mining by \"model\""));
  EXPECT_THAT(refused(least + "[data.mine]\nby = \"codes:a\"\nscores = true\n"),
              HasSubstr("scores: true, expected a teacher that gives cosines, not codes"));
}

TEST_F(Recipes, AreOverruledBySettings) {
  const Recipe recipe = read(kLeast, {"train.steps=9", "output=other", "data.0.weight=0.5",
                                      "model.prompts.query=find: ", "loss.kind=cosent"});
  EXPECT_EQ(recipe.train.steps, 9);
  EXPECT_EQ(recipe.output, "other");
  EXPECT_EQ(recipe.sources[0].options.weight, 0.5);
  EXPECT_EQ(recipe.model.prompts.at("query"), "find: ");
  EXPECT_EQ(recipe.sources[0].loss.kind, "cosent");
  EXPECT_THAT(recipe.document, HasSubstr("steps = 9"));
  EXPECT_EQ(read(recipe.document).document, recipe.document);
}

TEST_F(Recipes, WithUnknownKeysAreRefusedWithThoseThereAre) {
  const std::string least = kLeast;
  EXPECT_THAT(refused(least + "[train]\nsteps = 3\nstep = 4\n"),
              AllOf(HasSubstr("r.toml: line 8: train.step: 4, expected no such key here; there "
                              "are accumulation"),
                    HasSubstr("steps")));
  EXPECT_THAT(refused(least + "file = 1\n"), HasSubstr("line 6: data.0.file: 1"));
  EXPECT_THAT(refused("speed = 1\n" + least), HasSubstr("line 1: speed: 1"));
  EXPECT_THAT(refused(least + "[loss]\nmargins = 1\n"), HasSubstr("line 7: loss.margins: 1"));
  EXPECT_THAT(refused(least, {"validation.files=a", "validation.limit=3"}),
              HasSubstr("validation.limit: 3"));
}

TEST_F(Recipes, WithValuesThatCantBeAreRefusedWithWhatCan) {
  const std::string least = kLeast;
  EXPECT_THAT(refused(least + "[train]\nsteps = \"many\"\n"),
              HasSubstr("r.toml: line 7: train.steps: 'many', expected a whole number from 0"));
  EXPECT_THAT(refused(least + "[train]\nsteps = -1\n"), HasSubstr("train.steps: -1, expected"));
  EXPECT_THAT(refused(least + "[train]\nsteps = 1.5\n"), HasSubstr("train.steps: 1.5, expected"));
  EXPECT_THAT(refused(least + "[train]\nbatch = 0\n"), HasSubstr("train.batch: 0, expected"));
  EXPECT_THAT(refused(least + "[train]\nlearning_rate = nan\n"),
              HasSubstr("train.learning_rate: nan, expected a number from 0"));
  EXPECT_THAT(refused(least + "[train]\nschedule = \"steps\"\n"),
              HasSubstr("train.schedule: 'steps', expected one of linear, cosine, constant"));
  EXPECT_THAT(refused(least + "[loss]\ntemperature = 0\n"),
              HasSubstr("loss.temperature: 0, expected a number from 0.0001"));
  EXPECT_THAT(refused(least + "[loss]\nkind = \"nce\"\n"),
              HasSubstr("loss.kind: 'nce', expected one of info_nce"));
  EXPECT_THAT(refused(least + "[elastic]\nkind = \"starbucks\"\ndims = [8]\n"),
              HasSubstr("elastic.layers is missing, expected as many as dims"));
  EXPECT_THAT(refused(least + "[data.loss]\nin_batch = 1\n"),
              HasSubstr("data.0.loss.in_batch: 1, expected true or false"));
}

TEST_F(Recipes, WithoutWhatTheyNeedAreRefused) {
  EXPECT_THAT(refused(""), HasSubstr("output is missing"));
  EXPECT_THAT(refused("output = \"o\""), HasSubstr("model is missing"));
  EXPECT_THAT(refused("output = \"o\"\n[model]\ndim = 3\n"), HasSubstr("model.base is missing"));
  EXPECT_THAT(refused("output = \"o\"\n[model]\nbase = \"f\"\n"), HasSubstr("data is missing"));
  EXPECT_THAT(refused("output = \"o\"\n[model]\nbase = \"f\"\n[[data]]\nweight = 1\n"),
              HasSubstr("data.0.files is missing"));
  EXPECT_THAT(refused("output = \"o\"\n[model]\nbase = \"f\"\narchitecture = {layers = 2}\n"),
              HasSubstr("model.architecture"));
  EXPECT_THAT(refused("output = \"o\"\noutput = \"p\"\n"), HasSubstr("r.toml: line 2"));
  EXPECT_THAT(refused("output = \n"), HasSubstr("r.toml: line 1"));
  EXPECT_THAT(error_of([&] { read_recipe(folder_.file("none.toml"), {}); }),
              HasSubstr("none.toml"));
  EXPECT_THAT(refused(kLeast, {"train.steps"}),
              HasSubstr("setting 'train.steps', expected KEY=VALUE"));
  EXPECT_THAT(refused(kLeast, {"data.1.weight=2"}), HasSubstr("'1', expected a number below 1"));
}

}  // namespace
}  // namespace kith::learn

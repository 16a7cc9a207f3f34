// What tests of the trainer share: a folder with a tokenizer, examples, and a recipe of a tiny
// model.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "encode/model_folder.h"
#include "formats/test_files.h"
#include "kith/train_tokenizer.h"
#include "learn/threads.h"
#include "learn/train/recipe.h"

namespace kith::learn {

class TinyTrainings : public testing::Test {
 protected:
  static constexpr std::size_t kExamples = 40;

  void SetUp() override {
    set_threads(2);
    write_examples();
    TokenizerTrainer trainer({.vocabulary = 200, .min_frequency = 1});
    const std::string text = formats::file_bytes(file("pairs.jsonl"));
    const std::string_view all[] = {text};
    trainer.add(all);
    encode::write_text(file("tokenizer.json"), trainer.train().json);
  }

  static void set_threads(std::size_t threads) {
    learn::set_threads({.threads = threads, .cancel = nullptr, .progress = {}});
  }

  std::string file(const std::string& name) const { return folder_.file(name); }

  // A query shares its words with its positive, and one of them with its negative.
  void write_examples() const {
    std::string lines;
    Random random(5);
    const auto word = [&] { return std::string(kWords[random.below(std::size(kWords))]) + " "; };
    for (std::size_t i = 0; i < kExamples; ++i) {
      const std::string own = "number" + std::to_string(i) + " ", first = word(), second = word();
      lines += nlohmann::json({{"query", first + second + own},
                               {"positive", second + word() + own + first},
                               {"negatives", {first + word() + word(), word() + word()}},
                               {"score", random.uniform()},
                               {"scores", {0.9, 0.4, 0.1 * random.uniform()}}})
                   .dump() +
               "\n";
    }
    formats::write_bytes(file("pairs.jsonl"), lines);
  }

  ArchitectureOptions architecture() const {
    return {.type = "bert",
            .layers = 2,
            .width = 16,
            .heads = 2,
            .hidden = 24,
            .max_tokens = 24,
            .tokenizer = file("tokenizer.json")};
  }

  // `settings` overrule a recipe of 12 steps that writes `output`.
  Recipe recipe(const std::string& output, const Overrides& settings = {}) const {
    const std::string text = "output = \"" + file(output) + R"("
[model.architecture]
type = "bert"
layers = 2
width = 16
heads = 2
hidden = 24
max_tokens = 24
tokenizer = ")" + file("tokenizer.json") +
                             R"("
[[data]]
files = [")" + file("pairs.jsonl") +
                             R"("]
negatives_each = 1
[train]
steps = 12
batch = 8
learning_rate = 3e-3
)";
    formats::write_bytes(file("recipe.toml"), text);
    return read_recipe(file("recipe.toml"), settings);
  }

  static Control two_threads(const std::atomic<bool>* cancel = nullptr) {
    return {.threads = 2, .cancel = cancel, .progress = {}};
  }

  // A trained folder's weights, log and curves.
  std::vector<std::string> bytes_of(const std::string& output) const {
    std::vector<std::string> bytes;
    for (const char* name : {"/model.safetensors", "/training/log.jsonl", "/training/curves.svg"}) {
      bytes.push_back(formats::file_bytes(file(output) + name));
      EXPECT_NE(bytes.back(), "") << name;
    }
    return bytes;
  }

 private:
  static constexpr const char* kWords[] = {"mail",    "reader", "picture", "viewer",
                                           "chess",   "game",   "sound",   "library",
                                           "network", "tool",   "text",    "editor"};
  formats::TemporaryFolder folder_;
};

}  // namespace kith::learn

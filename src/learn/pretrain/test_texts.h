// Texts, tokenizers and small models for tests of pretraining.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "encode/model_folder.h"
#include "formats/test_files.h"
#include "kith/train_tokenizer.h"
#include "learn/nn/text_model.h"

namespace kith::learn {

// A language of a few words with an order: every noun has verbs of its own.
inline std::vector<std::string> small_language(std::size_t texts, std::uint64_t seed) {
  constexpr const char* kNouns[] = {"reader", "server", "compiler", "library", "viewer", "editor"};
  constexpr const char* kVerbs[] = {"shows", "answers", "translates", "offers", "draws", "changes"};
  constexpr const char* kThings[] = {"mails",     "requests", "programs",
                                     "functions", "pictures", "documents"};
  std::vector<std::string> all;
  for (std::size_t t = 0; t < texts; ++t) {
    Random random(seed, t);
    std::string text;
    for (std::size_t clause = 0; clause < 3; ++clause) {
      const std::size_t n = random.below(6), adverb = random.below(2);
      text += std::string(text.empty() ? "the " : " and the ") + kNouns[n] +
              (adverb == 0 ? " often " : " never ") + kVerbs[n] + " " + kThings[n];
    }
    all.push_back(text);
  }
  return all;
}

class SmallLanguage : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> texts = small_language(300, 1);
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    TokenizerTrainer trainer({.vocabulary = 90, .min_frequency = 1});
    trainer.add(views);
    encode::write_text(file("tokenizer.json"), trainer.train().json);
    std::string lines;
    for (const std::string& each : texts) lines += each + "\n";
    encode::write_text(file("texts.txt"), lines);
  }

  std::string file(const std::string& name) const { return folder_.file(name); }

  TextModelOptions small(const std::string& type) const {
    TextModelOptions options;
    options.architecture = {.type = type,
                            .layers = 2,
                            .width = 24,
                            .heads = 2,
                            .hidden = 48,
                            .max_tokens = 64,
                            .tokenizer = file("tokenizer.json")};
    return options;
  }

 private:
  formats::TemporaryFolder folder_;
};

}  // namespace kith::learn

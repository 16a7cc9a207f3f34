// A small BERT whose texts are words "w2" to "w90".
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "encode/model_folder.h"
#include "encode/test_models.h"
#include "formats/test_files.h"

namespace kith::encode {

// The words' ids are their numbers; they stand between [CLS] and [SEP].
inline nlohmann::json word_tokenizer() {
  nlohmann::json vocabulary = {{"[UNK]", 91}, {"[CLS]", 92}, {"[SEP]", 93}};
  for (int i = 2; i <= 90; ++i) vocabulary[std::string("w").append(std::to_string(i))] = i;
  return {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"post_processor",
           {{"type", "BertProcessing"}, {"sep", {"[SEP]", 93}}, {"cls", {"[CLS]", 92}}}},
          {"model", {{"type", "WordLevel"}, {"unk_token", "[UNK]"}, {"vocab", vocabulary}}}};
}

class WordModel : public testing::Test {
 protected:
  void SetUp() override {
    write_folder(path(), tiny_bert("bert"));
    write("/tokenizer.json", tokenizer());
  }
  virtual nlohmann::json tokenizer() const { return word_tokenizer(); }
  std::string path(const std::string& name = "") const { return folder_.file("model") + name; }
  void write(const std::string& name, const nlohmann::json& content) const {
    write_json(path(name), content);
  }

  formats::TemporaryFolder folder_;
};

}  // namespace kith::encode

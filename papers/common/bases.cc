#include "papers/common/bases.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/atomic_file.h"
#include "base/random.h"
#include "kith/train_tokenizer.h"
#include "papers/common/made_up_texts.h"
#include "papers/common/trained_models.h"
#include "papers/common/training_data.h"

namespace kith::papers {
namespace {

namespace fs = std::filesystem;

constexpr std::array kBaseSets = {"texts", "wordnet"};

std::vector<std::string> texts_of(const Trial& trial) {
  std::vector<std::string> texts;
  if (trial.quick) {
    Random random(1);
    for (std::size_t i = 0; i < 400; ++i) texts.push_back(made_up_text(i % 12, 20, random));
    return texts;
  }
  texts = read_training_texts("texts", "debian", trial);
  for (TrainingPair& pair : read_pairs("wordnet", "wordnet-gloss", trial)) {
    texts.push_back(std::move(pair.positive));
  }
  return texts;
}

std::string tokenizer(const std::string& name, TokenizerTraining training, const Trial& trial) {
  constexpr std::size_t kEntries = 8192, kFewEntries = 1000;
  training.vocabulary = trial.quick ? kFewEntries : kEntries;
  training.control = trial.control;
  std::string path = data_path(trial, name, {kBaseSets.begin(), kBaseSets.end()}, ".json");
  if (fs::exists(path)) return path;
  const std::vector<std::string> texts = texts_of(trial);
  TokenizerTrainer trainer(training);
  trainer.add(std::vector<std::string_view>(texts.begin(), texts.end()));
  AtomicFile file(path);
  file.write(trainer.train().json);
  file.commit();
  return path;
}

// What both bases' recipes share; `steps` take three to four CPU minutes.
std::string recipe(const Trial& trial, const std::string& objective, std::size_t steps) {
  return fmt::format(R"(
[objective]
{}
[[data]]
files = ["{}"]
[train]
steps = {}
batch = {}
tokens = 64
learning_rate = 2e-3
warmup = 0.1
dropout = 0.0
attention_dropout = 0.0
seed = 1
)",
                     objective, base_texts(trial), trial.quick ? 4 : steps, trial.quick ? 8 : 64);
}

std::string architecture(const Trial& trial, const std::string& type, std::size_t kv_heads,
                         std::size_t hidden, const std::string& tokenizer) {
  const BaseSizes sizes = base_sizes(trial);
  return fmt::format(
      "[model]\n[model.architecture]\ntype = \"{}\"\nlayers = {}\nwidth = {}\nheads = {}\n"
      "kv_heads = {}\nhidden = {}\nmax_tokens = 128\ntokenizer = \"{}\"\n",
      type, sizes.layers, sizes.width, sizes.heads, kv_heads, hidden, tokenizer);
}

}  // namespace

BaseSizes base_sizes(const Trial& trial) {
  return trial.quick ? BaseSizes{.layers = 3, .width = 16, .heads = 4} : BaseSizes{};
}

std::string base_texts(const Trial& trial) {
  std::string path = data_path(trial, "base-texts", {kBaseSets.begin(), kBaseSets.end()}, ".jsonl");
  if (!fs::exists(path)) write_training_texts(path, texts_of(trial));
  return path;
}

std::string wordpiece_tokenizer(const Trial& trial) {
  return tokenizer("wordpiece", {.type = TokenizerType::wordpiece}, trial);
}

std::string byte_tokenizer(const Trial& trial) {
  return tokenizer("bytes", {.type = TokenizerType::bpe, .ends = true}, trial);
}

std::string tiny_bert(const Trial& trial) {
  constexpr std::size_t kSteps = 700;
  return pretrained(
      trial, "tiny-bert",
      architecture(trial, "bert", 0, 4 * base_sizes(trial).width, wordpiece_tokenizer(trial)) +
          recipe(trial, "kind = \"mlm\"\nmask_rate = 0.2", kSteps));
}

std::string tiny_lm(const Trial& trial) {
  constexpr std::size_t kSteps = 450;
  return pretrained(
      trial, "tiny-lm",
      architecture(trial, "llama", 2, base_sizes(trial).width * 43 / 16, byte_tokenizer(trial)) +
          recipe(trial, "kind = \"clm\"", kSteps));
}

}  // namespace kith::papers

#include "learn/codec/binariser_trainer.h"
#include "learn/codec/codebook_trainer.h"
#include "learn/codec/list_trainer.h"
#include "learn/learn.h"
#include "learn/pretrain/pretrainer.h"
#include "learn/relevance/relevance_trainer.h"
#include "learn/train/recipe.h"
#include "learn/weights/merge_folders.h"

namespace kith::learn {
namespace {

TrainSummary train_recipe(const TrainRequest& request) {
  const auto processes = std::make_shared<Processes>(request.place);
  const Recipe recipe = read_recipe(request.recipe, request.settings);
  return train(recipe, request.restart, request.control, processes);
}

TrainSummary pretrain_recipe(const TrainRequest& request) {
  const auto processes = std::make_shared<Processes>(request.place);
  const PretrainRecipe recipe = read_pretrain_recipe(request.recipe, request.settings);
  return pretrain(recipe, request.restart, request.control, processes);
}

TrainSummary train_relevance_recipe(const TrainRequest& request) {
  const RelevanceRecipe recipe = read_relevance_recipe(request.recipe, request.settings);
  return train_relevance(recipe, request.restart, request.control);
}

TrainSummary train_codec_recipe(const TrainRequest& request) {
  const std::string kind = read_codec_kind(request.recipe, request.settings);
  if (kind == "vq") {
    const CodebookRecipe recipe = read_codebook_recipe(request.recipe, request.settings);
    return train_codebooks(recipe, request.restart, request.control);
  }
  if (kind == "bebr") {
    const BinariserRecipe recipe = read_binariser_recipe(request.recipe, request.settings);
    return train_binariser(recipe, request.restart, request.control);
  }
  const ListRecipe recipe = read_list_recipe(request.recipe, request.settings);
  return train_lists(recipe, request.restart, request.control);
}

}  // namespace
}  // namespace kith::learn

extern "C" void kith_learn_register(kith::learn::Registry& registry) {
  registry.train = kith::learn::train_recipe;
  registry.pretrain = kith::learn::pretrain_recipe;
  registry.train_relevance = kith::learn::train_relevance_recipe;
  registry.train_codec = kith::learn::train_codec_recipe;
  registry.merge = kith::learn::merge_folders;
}

#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "kith/judge.h"
#include "kith/text_encoder.h"

namespace kith {
namespace {

std::optional<std::string> prompt_for(const TextEncoder& model, std::string_view part) {
  const auto first_of =
      [&](std::initializer_list<const char*> names) -> std::optional<std::string> {
    for (const char* name : names) {
      const auto found = model.prompts().find(name);
      if (found != model.prompts().end()) return found->second;
    }
    return std::nullopt;
  };
  if (part == "queries") return first_of({"query"});
  if (part == "corpus" || part == "documents") return first_of({"document", "passage"});
  return std::nullopt;
}

}  // namespace

ModelVectors::ModelVectors(const std::string& folder, const ModelOptions& options)
    : name_(std::filesystem::weakly_canonical(folder).filename().string()),
      model_(std::make_unique<TextEncoder>(TextEncoder::open(folder, options))) {}

ModelVectors::~ModelVectors() = default;

Matrix<float> ModelVectors::embed(const TextPart& part, std::span<const std::uint32_t> which,
                                  const Control& control) {
  std::vector<std::string_view> texts;
  texts.reserve(which.size());
  for (const std::uint32_t text : which) texts.emplace_back(part.texts[text]);
  TextEncodeOptions options;
  options.prompt = prompt_for(*model_, part.name);
  options.control = control;
  return std::move(model_->encode(texts, options).vectors);
}

}  // namespace kith

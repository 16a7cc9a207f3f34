#include "encode/prompted_texts.h"

#include <filesystem>

#include "base/progress.h"
#include "json/json.h"

namespace kith::encode {

Prompts read_prompts(const std::string& folder) {
  Prompts prompts;
  const std::string path = folder + "/config_sentence_transformers.json";
  if (!std::filesystem::exists(path)) return prompts;
  const Json json = Json::read(path);
  if (json.has("prompts")) {
    const Json all = json.object("prompts");
    for (const auto& [name, text] : all.raw().items()) prompts.by_name[name] = all.text(name);
  }
  prompts.usual = json.text("default_prompt_name", "");
  if (!prompts.usual.empty() && !prompts.by_name.contains(prompts.usual)) {
    json.refuse("default_prompt_name", "the name of one of the prompts");
  }
  return prompts;
}

std::size_t prompt_tokens(const Tokenizer& tokenizer, const std::string& prompt, bool special) {
  if (prompt.empty()) return 0;
  const Encoding alone = tokenizer.encode(prompt, {.special_tokens = special, .use_file = false});
  std::size_t count = alone.ids.size();
  while (count > 0 && alone.special[count - 1] != 0) --count;
  return count;
}

std::vector<Encoding> tokenize(const Tokenizer& tokenizer, std::span<const std::string_view> texts,
                               const std::string& prompt, const std::string& end,
                               const std::optional<Truncation>& truncation, bool special,
                               const Control& control) {
  TokenizeOptions options;
  options.special_tokens = special;
  options.truncation = truncation;
  options.use_file = false;  // its padding is of no use
  options.control = without_progress(control);
  if (prompt.empty() && end.empty()) return tokenizer.encode(texts, options);
  std::vector<std::string> prompted;
  for (const std::string_view text : texts) prompted.emplace_back(prompt).append(text).append(end);
  const std::vector<std::string_view> views(prompted.begin(), prompted.end());
  return tokenizer.encode(views, options);
}

}  // namespace kith::encode

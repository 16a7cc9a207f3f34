// Texts of a file or of standard input to vectors by a model, in bounded memory and on from where
// an earlier run was interrupted: what `kith embed` and `kith ingest` share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "cli/partial_rows.h"
#include "cli/table.h"
#include "formats/text_stream.h"
#include "kith/passages.h"
#include "kith/text_encoder.h"

namespace kith::cli {

struct EmbedOptions : CommonOptions {
  std::string input, model, fields, prompt;
  bool has_prompt = false;
  std::optional<std::size_t> layer;
  std::size_t dim = 0;
  bool strict = false;
  Precision precision = Precision::f32;
  ContextOptions context;  // this and the next: of verbs that add their options themselves
  std::optional<ThinkOptions> think;
  bool tokens = false, queries = false;  // a vector for each token; the texts are queries
  formats::TextStreamOptions read;
};

// FILE, --model, --prompt, --layer, --dim, --precision, --format, --field, --id, --strict and the
// common ones.
// `use_options` puts into `options` what needs more than a look, once they are parsed.
void add_embed_options(CLI::App& verb, EmbedOptions& options);
void use_options(const CLI::App& verb, EmbedOptions& options);

// A word is the name of one of the model's prompts; what has a space or a colon is the prompt
// itself.
std::string prompt_text(const TextEncoder& model, const std::string& given);

// A text of the input as it is embedded: in one piece, or in several.
struct EmbedItem {
  formats::TextRecord record;  // its text is UTF-8 throughout
  std::uint64_t line = 0;      // where it began in the input
  std::vector<TextRange> pieces;
};

class EmbedRun {
 public:
  // How a text is cut; at least one piece. Unset: it is one.
  using Cut = std::function<std::vector<TextRange>(std::string_view)>;
  // Told of each text in order, those of an earlier run included, before it is embedded.
  using Visit = std::function<void(const EmbedItem&)>;

  struct How {
    // Unless the person gives a prompt, the first of these that the model has.
    std::vector<std::string> prompts = {};
    bool labels = true;  // whether the texts' ids are kept beside the vectors
    Cut cut = {};
    // What else the vectors depend on, kept to be compared when a run goes on.
    nlohmann::json settings = nlohmann::json::object();
  };

  // Opens the model and the texts, and what an earlier run left beside `output`. Throws for wrong
  // options before any work.
  EmbedRun(const EmbedOptions& options, const std::string& output, const How& how);

  // Embeds all that isn't yet. `kept` says where vectors stay when it is cancelled.
  void run(const std::string& kept, const Visit& visit = {});

  PartialRows& rows() { return rows_; }
  const TextEncodeOptions& encoding() const { return encode_; }
  // Writes the output, by its extension, and removes what was beside it.
  void finish();
  const formats::TextStream& stream() const { return stream_; }
  std::uint64_t model_sum() const { return model_sum_; }
  std::size_t dim() const { return dim_; }
  std::size_t texts() const { return counts_.texts; }
  // What happened to the texts, as members of a JSON object, and as a verb's record says it.
  nlohmann::json counts() const;
  void add_counts(Record& record) const;
  // Texts of an earlier run, and those embedded a second by this one.
  void add_rate(Record& record, double seconds) const;

 private:
  // What is known of the texts so far, and stays known over an interruption.
  struct Counts {
    std::uint64_t input = 0;  // a checksum over all texts and ids
    std::size_t texts = 0, truncated = 0, mended = 0, empty = 0;
    bool ids = false;

    void take(const std::string& name, const formats::TextRecord& record);
    nlohmann::json state() const;
    void restore(const nlohmann::json& state);
  };
  struct Part {
    std::vector<EmbedItem> items;
    std::size_t pieces = 0, bytes = 0;
  };

  nlohmann::json settings(const How& how) const;
  TokenEncodeOptions token_options() const;
  std::size_t kept() const;
  bool next_item(EmbedItem& item);
  void skip(const Visit& visit);
  Part next_part(const Visit& visit);
  void embed(const Part& part);
  void embed_tokens(const std::vector<std::string_view>& texts,
                    const std::vector<std::string>& labels);
  Control control_of_part() const;

  const EmbedOptions& options_;
  const Control control_;
  const TextEncoder model_;
  const std::uint64_t model_sum_;
  formats::TextStream stream_;
  TextEncodeOptions encode_;
  std::size_t dim_;
  Cut cut_;
  bool labels_;
  PartialRows rows_;
  std::size_t before_;
  Counts counts_;
  std::uint64_t size_ = 0, done_ = 0;  // bytes of the input, and how many are embedded
};

}  // namespace kith::cli

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "kith/error.h"
#include "kith/train_tokenizer.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/learn_merges.h"
#include "text/tokenizer/learn_pieces.h"
#include "text/tokenizer/model.h"
#include "text/utf8.h"

namespace kith {
namespace {

using namespace tokenizer;  // NOLINT(google-build-using-namespace): all of this file is about it
using nlohmann::ordered_json;

constexpr std::size_t kMostWordLetters = 100;  // BERT's; a longer word is unknown
constexpr char kInside[] = "##";
constexpr char kSpace[] = "\u2581";

std::vector<std::string> special_tokens(const TokenizerTraining& training) {
  std::vector<std::string> all = {"<|endoftext|>"};
  if (training.ends) all = {"<s>", "</s>"};
  if (training.type == TokenizerType::wordpiece) {
    all = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  } else if (training.type == TokenizerType::unigram) {
    all = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
  }
  all.insert(all.end(), training.special_tokens.begin(), training.special_tokens.end());
  if (training.ends && training.type != TokenizerType::bpe) {
    throw Error(ErrorCode::invalid_argument,
                "ends: wordpiece and unigram put theirs about texts anyhow, expected bpe");
  }
  std::unordered_set<std::string_view> seen;
  for (const std::string& token : all) {
    if (token.empty()) {
      throw Error(ErrorCode::invalid_argument, "special token '': expected at least one character");
    }
    if (text::first_wrong_byte(token) != token.size()) {
      throw Error(ErrorCode::invalid_argument, "a special token whose bytes are no UTF-8");
    }
    if (!seen.insert(token).second) {
      throw Error(ErrorCode::invalid_argument,
                  "special token '" + token + "': there already, expected each once");
    }
  }
  return all;
}

ordered_json added_tokens(const std::vector<std::string>& special) {
  ordered_json all = ordered_json::array();
  for (std::size_t id = 0; id < special.size(); ++id) {
    all.push_back({{"id", id},
                   {"content", special[id]},
                   {"single_word", false},
                   {"lstrip", false},
                   {"rstrip", false},
                   {"normalized", false},
                   {"special", true}});
  }
  return all;
}

std::size_t id_of(const std::vector<std::string>& tokens, std::string_view token) {
  return static_cast<std::size_t>(std::find(tokens.begin(), tokens.end(), token) - tokens.begin());
}

void frame_word_piece(const TokenizerTraining& training, const std::vector<std::string>& special,
                      ordered_json& document) {
  document["normalizer"] = {{"type", "BertNormalizer"},
                            {"clean_text", true},
                            {"handle_chinese_chars", true},
                            {"strip_accents", nullptr},
                            {"lowercase", training.lower_case}};
  document["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  document["post_processor"] = {{"type", "BertProcessing"},
                                {"sep", ordered_json::array({"[SEP]", id_of(special, "[SEP]")})},
                                {"cls", ordered_json::array({"[CLS]", id_of(special, "[CLS]")})}};
  document["decoder"] = {{"type", "WordPiece"}, {"prefix", kInside}, {"cleanup", true}};
  document["model"] = {{"type", "WordPiece"},
                       {"unk_token", "[UNK]"},
                       {"continuing_subword_prefix", kInside},
                       {"max_input_chars_per_word", kMostWordLetters}};
}

// <s> text </s>, and of two texts both so, one after the other.
ordered_json between_ends(const std::vector<std::string>& special) {
  ordered_json tokens = ordered_json::object(), single = ordered_json::array(),
               pair = ordered_json::array();
  const auto add = [&](const char* token, int type) {
    const ordered_json piece = {{"SpecialToken", {{"id", token}, {"type_id", type}}}};
    if (type == 0) single.push_back(piece);
    pair.push_back(piece);
    tokens[token] = {{"id", token},
                     {"ids", ordered_json::array({id_of(special, token)})},
                     {"tokens", ordered_json::array({token})}};
  };
  for (const int type : {0, 1}) {
    const ordered_json text = {{"Sequence", {{"id", type == 0 ? "A" : "B"}, {"type_id", type}}}};
    add("<s>", type);
    if (type == 0) single.push_back(text);
    pair.push_back(text);
    add("</s>", type);
  }
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", tokens}};
}

void frame_bpe(const TokenizerTraining& training, const std::vector<std::string>& special,
               ordered_json& document) {
  document["normalizer"] = nullptr;
  document["pre_tokenizer"] = {{"type", "ByteLevel"},
                               {"add_prefix_space", false},
                               {"trim_offsets", true},
                               {"use_regex", true}};
  document["post_processor"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}};
  if (training.ends) document["post_processor"] = between_ends(special);
  document["decoder"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}};
  document["model"] = {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", ""},
                       {"end_of_word_suffix", ""},
                       {"fuse_unk", false},
                       {"byte_fallback", false}};
}

void frame_unigram(const std::vector<std::string>& special, ordered_json& document) {
  const auto replace = [](const char* expression, const char* content) {
    return ordered_json{{"type", "Replace"},
                        {"pattern", ordered_json::object({{"Regex", expression}})},
                        {"content", content}};
  };
  // Characters that all readers of such files agree on; NFKC makes spaces of most others.
  document["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers", ordered_json::array({ordered_json::object({{"type", "NFKC"}}),
                                           replace("[ \\t\\r\\n]+", " "), replace("^ | $", "")})}};
  const ordered_json metaspace = {{"type", "Metaspace"},
                                  {"replacement", kSpace},
                                  {"prepend_scheme", "always"},
                                  {"split", true}};
  document["pre_tokenizer"] = metaspace;
  document["post_processor"] = {{"type", "RobertaProcessing"},
                                {"sep", ordered_json::array({"</s>", id_of(special, "</s>")})},
                                {"cls", ordered_json::array({"<s>", id_of(special, "<s>")})},
                                {"trim_offsets", true},
                                {"add_prefix_space", false}};
  document["decoder"] = metaspace;
  document["model"] = {
      {"type", "Unigram"}, {"unk_id", id_of(special, "<unk>")}, {"byte_fallback", false}};
}

// The document but for its vocabulary and merges.
ordered_json frame(const TokenizerTraining& training, const std::vector<std::string>& special) {
  ordered_json document = {{"version", "1.0"},
                           {"truncation", nullptr},
                           {"padding", nullptr},
                           {"added_tokens", added_tokens(special)}};
  switch (training.type) {
    case TokenizerType::wordpiece:
      frame_word_piece(training, special, document);
      break;
    case TokenizerType::bpe:
      frame_bpe(training, special, document);
      break;
    case TokenizerType::unigram:
      frame_unigram(special, document);
      break;
  }
  return document;
}

std::vector<std::string> byte_alphabet() {
  std::vector<std::string> letters;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    append_byte_letters({&c, 1}, letters.emplace_back());
  }
  return letters;
}

ordered_json vocabulary_of(const std::vector<std::string>& tokens) {
  ordered_json vocabulary = ordered_json::object();
  // (The object's own operators would look for the name among all before it.)
  auto& members = vocabulary.get_ref<ordered_json::object_t&>();
  members.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) members.emplace_back(tokens[id], id);
  return vocabulary;
}

ordered_json merges_of(const LearnedMerges& learned) {
  ordered_json merges = ordered_json::array();
  for (const auto& [left, right] : learned.merges) {
    merges.push_back(learned.tokens[left] + " " + learned.tokens[right]);
  }
  return merges;
}

}  // namespace

class TokenizerTrainer::Implementation {
 public:
  explicit Implementation(TokenizerTraining training)
      : training_(std::move(training)),
        special_(special_tokens(training_)),
        frame_(frame(training_, special_)),
        normaliser_(read_normaliser(part("normalizer"))),
        pre_tokeniser_(read_pre_tokeniser(part("pre_tokenizer"))),
        counts_(normaliser_.get(), pre_tokeniser_.get(), training_.control) {}

  void add(std::span<const std::string_view> texts) { counts_.add(texts); }

  TrainedTokenizer train() const {
    const std::vector<CountedWord> words = counts_.sorted();
    if (words.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  std::to_string(counts_.texts()) + " texts without a word, expected at least one");
    }
    TrainedTokenizer trained;
    ordered_json document = frame_;
    if (training_.type == TokenizerType::unigram) {
      learn_unigram(words, document, trained);
    } else {
      learn_pairs(words, document, trained);
    }
    trained.json = document.dump(2) + "\n";
    trained.texts = counts_.texts();
    trained.mended = counts_.mended();
    trained.distinct_words = words.size();
    count_tokens(words, trained);
    return trained;
  }

 private:
  Json part(const char* name) const {
    return Json(nlohmann::json::parse(frame_.dump()), "tokenizer.json").member(name);
  }

  void learn_pairs(std::span<const CountedWord> words, ordered_json& document,
                   TrainedTokenizer& trained) const {
    const LearnedMerges learned = learn_merges(words, merge_options());
    document["model"]["vocab"] = vocabulary_of(learned.tokens);
    if (training_.type == TokenizerType::bpe) document["model"]["merges"] = merges_of(learned);
    trained.vocabulary = learned.tokens.size();
    trained.letters = learned.letters;
  }

  void learn_unigram(std::span<const CountedWord> words, ordered_json& document,
                     TrainedTokenizer& trained) const {
    if (training_.vocabulary < special_.size()) {
      throw Error(ErrorCode::invalid_argument,
                  "a vocabulary of " + std::to_string(training_.vocabulary) +
                      " tokens, expected at least the " + std::to_string(special_.size()) +
                      " special ones");
    }
    PieceOptions options{.vocabulary = training_.vocabulary - special_.size(),
                         .min_frequency = training_.min_frequency,
                         .most_letters = training_.most_letters,
                         .control = training_.control};
    const std::vector<ScoredPiece> pieces = learn_pieces(words, options);
    ordered_json vocabulary = ordered_json::array();
    for (const std::string& token : special_) {
      vocabulary.push_back(ordered_json::array({token, 0.0}));
    }
    for (const ScoredPiece& piece : pieces) {
      vocabulary.push_back(ordered_json::array({piece.text, piece.score}));
      std::size_t end = 0;
      text::next_code_point(piece.text, end);
      trained.letters += end == piece.text.size() ? 1 : 0;
    }
    document["model"]["vocab"] = std::move(vocabulary);
    trained.vocabulary = special_.size() + pieces.size();
  }

  MergeOptions merge_options() const {
    MergeOptions options{.vocabulary = training_.vocabulary,
                         .min_frequency = training_.min_frequency,
                         .reserved = special_,
                         .control = training_.control};
    if (training_.type == TokenizerType::wordpiece) {
      options.most_letters = training_.most_letters;
      options.prefix = kInside;
    } else {
      options.alphabet = byte_alphabet();
    }
    return options;
  }

  // Encodes each distinct word once by what was written.
  void count_tokens(const std::vector<CountedWord>& words, TrainedTokenizer& trained) const {
    const Json written = Json::parse(trained.json, "tokenizer.json");
    const std::unique_ptr<Model> model = read_model(written.required("model"));
    const auto unknown =
        model->vocabulary().find(training_.type == TokenizerType::unigram ? "<unk>" : "[UNK]");
    std::vector<TokenId> ids;
    for (const CountedWord& word : words) {
      ids.clear();
      model->encode(word.text, ids);
      trained.words += word.count;
      trained.tokens += ids.size() * word.count;
      if (!unknown) continue;
      const auto times = std::count(ids.begin(), ids.end(), *unknown);
      trained.unknown_tokens += static_cast<std::uint64_t>(times) * word.count;
    }
  }

  TokenizerTraining training_;
  std::vector<std::string> special_;
  ordered_json frame_;
  std::unique_ptr<Normaliser> normaliser_;
  std::unique_ptr<PreTokeniser> pre_tokeniser_;
  WordCounts counts_;
};

TokenizerTrainer::TokenizerTrainer(TokenizerTraining training)
    : implementation_(std::make_unique<Implementation>(std::move(training))) {}
TokenizerTrainer::~TokenizerTrainer() = default;

void TokenizerTrainer::add(std::span<const std::string_view> texts) { implementation_->add(texts); }

TrainedTokenizer TokenizerTrainer::train() const { return implementation_->train(); }

}  // namespace kith

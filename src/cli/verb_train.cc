// kith train: embedders by a recipe, tokenizers from texts.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/text_options.h"
#include "cli/times.h"
#include "cli/train_codec.h"
#include "cli/train_recipe.h"
#include "cli/train_relevance.h"
#include "formats/text_stream.h"
#include "kith/error.h"
#include "kith/train_tokenizer.h"
#include "text/utf8.h"

namespace kith::cli {
namespace {

// Texts whose words are counted together: enough to fill threads, little memory.
constexpr std::size_t kBatchTexts = 4096, kBatchBytes = std::size_t{4} << 20;

struct Options : CommonOptions {
  std::vector<std::string> inputs;
  std::string output, type = "wordpiece", fields, special, format;
  bool strict = false, cased = false;
  TokenizerTraining training;
};

TokenizerTraining training_of(const Options& options) {
  TokenizerTraining training = options.training;
  if (options.type == "bpe") {
    training.type = TokenizerType::bpe;
  } else if (options.type == "unigram") {
    training.type = TokenizerType::unigram;
  } else if (options.type != "wordpiece") {
    throw Error(ErrorCode::invalid_argument,
                "--type: '" + printable(options.type) + "', expected wordpiece, bpe or unigram");
  }
  training.lower_case = !options.cased;
  training.special_tokens = split_names(options.special);
  training.control = options.control();
  return training;
}

std::uint64_t size_of(const std::vector<std::string>& paths) {
  std::uint64_t bytes = 0;
  for (const std::string& path : paths) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    if (!none) bytes += size;
  }
  return bytes;
}

// Reads all texts in batches and has their words counted.
class Reader {
 public:
  Reader(const Options& options, const Control& control, TokenizerTrainer& trainer)
      : options_(options),
        control_(control),
        progress_(control_, "words", size_of(options.inputs)),
        trainer_(trainer) {}

  void read(const std::string& path) {
    formats::TextStream stream(path,
                               {.format = options_.format, .fields = split_names(options_.fields)});
    formats::TextRecord record;
    std::uint64_t before = 0;
    while (stream.next(record)) {
      const bool whole = text::first_wrong_byte(record.text) == record.text.size();
      if (options_.strict && !whole) refuse_bytes(path, stream.line(), record.text);
      bytes_ += record.text.size();
      texts_.push_back(std::move(record.text));
      if (texts_.size() < kBatchTexts && bytes_ < kBatchBytes) continue;
      count();
      progress_.add(stream.bytes() - before);
      before = stream.bytes();
    }
    count();
    progress_.add(stream.bytes() - before);
  }

 private:
  void count() {
    const std::vector<std::string_view> views(texts_.begin(), texts_.end());
    trainer_.add(views);
    texts_.clear();
    bytes_ = 0;
  }

  const Options& options_;
  const Control& control_;
  Progress progress_;
  TokenizerTrainer& trainer_;
  std::vector<std::string> texts_;
  std::size_t bytes_ = 0;
};

Cell ratio(std::uint64_t part, std::size_t whole) {
  constexpr int kDigits = 4;
  const double value = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  return {value, significant_text(value, kDigits)};
}

void train_tokenizer(const Options& options) {
  const TokenizerTraining training = training_of(options);
  check_writable(options.output);
  for (const std::string& input : options.inputs) check_distinct(options.output, input);
  const Stopwatch watch;
  TokenizerTrainer trainer(training);
  {
    Reader reader(options, training.control, trainer);
    for (const std::string& input : options.inputs) reader.read(input);
  }
  const TrainedTokenizer trained = trainer.train();
  write_text(options.output, trained.json);
  const Times times(watch);
  Record record;
  record.add("output", options.output);
  record.add("type", options.type);
  record.add("vocabulary", trained.vocabulary);
  record.add("letters", "of these single letters", trained.letters);
  record.add("texts", trained.texts);
  record.add("mended", "with bytes that are no UTF-8", trained.mended);
  record.add("words", trained.words);
  record.add("distinct_words", "distinct words", trained.distinct_words);
  record.add("tokens_per_text", "tokens a text", ratio(trained.tokens, trained.texts));
  record.add("tokens_per_word", "tokens a word", ratio(trained.tokens, trained.words));
  record.add("unknown_rate", "unknown share of tokens",
             ratio(trained.unknown_tokens, trained.tokens));
  add_times(record, times);
  record.print(stdout, options.json);
}

void add_tokenizer(CLI::App& train) {
  constexpr std::size_t kMostTokens = 10'000'000;
  auto options = std::make_shared<Options>();
  CLI::App* verb = train.add_subcommand("tokenizer", "Learn a tokenizer.json from texts");
  verb->add_option("FILE", options->inputs,
                   "Texts: JSON lines, CSV, TSV or plain lines; - is standard input")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "File to write")
      ->required()
      ->type_name("tokenizer.json");
  verb->add_option("--type", options->type,
                   "wordpiece (BERT's), bpe (GPT-2's, over bytes) or unigram (SentencePiece's) "
                   "(default: wordpiece)")
      ->type_name("NAME");
  verb->add_option("--vocab", options->training.vocabulary,
                   "Tokens at most, special ones and letters included (default: 30000)")
      ->check(whole_number(1, kMostTokens))
      ->type_name("N");
  verb->add_option("--min-frequency", options->training.min_frequency,
                   "How often a pair or substring must occur to become a token (default: 2)")
      ->check(whole_number(1))
      ->type_name("N");
  verb->add_option("--letters", options->training.most_letters,
                   "Of wordpiece and unigram, the most frequent letters that are kept; 0: all "
                   "(default: 1000)")
      ->check(whole_number(0))
      ->type_name("N");
  verb->add_option("--special", options->special, "Further special tokens, with commas between")
      ->type_name("TOKENS");
  verb->add_flag("--ends", options->training.ends,
                 "Of bpe: <s> before each text and </s> behind it, for decoders");
  verb->add_flag("--cased", options->cased,
                 "Of wordpiece: case and accents stay (default: lower case, no accents)");
  add_text_options(*verb, options->format, options->fields, options->strict);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith train tokenizer texts.txt --vocab 8000 -o tokenizer.json\n"
               "kith train tokenizer .cache/data/debian/corpus.jsonl --type bpe -o tokenizer.json\n"
               "kith train tokenizer en.csv de.csv --field body --cased -o tokenizer.json --json");
  verb->callback([options] { train_tokenizer(*options); });
}

}  // namespace

void add_train(CLI::App& root) {
  CLI::App* train =
      root.add_subcommand("train", "Learn embedders from examples, tokenizers from texts");
  train->require_subcommand(0, 1);
  add_train_recipe(*train);
  add_tokenizer(*train);
  add_train_relevance(*train);
  add_train_codec(*train);
}

}  // namespace kith::cli

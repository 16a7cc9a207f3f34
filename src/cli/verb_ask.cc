// kith ask: what a collection holds on a question in plain words.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/answer_reasons.h"
#include "cli/cli.h"
#include "cli/collection_path.h"
#include "cli/embed_run.h"
#include "cli/format.h"
#include "cli/fusion_choices.h"
#include "cli/interrupt.h"
#include "cli/inverted.h"
#include "cli/options.h"
#include "cli/precision_option.h"
#include "cli/progress_bar.h"
#include "cli/relevance_option.h"
#include "cli/stopwatch.h"
#include "cli/text_options.h"
#include "encode/model_files.h"
#include "kith/error.h"
#include "kith/texts.h"
#include "store/collection.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using store::Answer;
using store::Answers;
using store::AskBy;
using store::Collection;

constexpr std::size_t kQuestionsAtOnce = 1024;

struct Options : CommonOptions {
  std::string name, questions, model, prompt, fields, like;
  std::vector<std::string> words;
  bool hybrid = false, bm25 = false, brief = false, has_prompt = false, explain = false;
  std::size_t k = 10;
  FusionChoices fusion;
  RelevanceChoices relevance;

  AskBy by() const { return bm25 ? AskBy::words : hybrid ? AskBy::both : AskBy::vectors; }
};

// The model that the collection was made by, wherever it is now, in the precision it was made in.
TextEncoder open_model(const Collection& collection, const std::string& moved) {
  const Json made = collection.items().manifest().object("model");
  const std::string folder = moved.empty() ? made.text("folder") : moved;
  if (!fs::is_directory(folder)) {
    throw Error(ErrorCode::not_found,
                folder + ": no such folder, but the model of " + collection.folder() +
                    (moved.empty() ? " was there; --model says where it is now" : " is needed"));
  }
  const std::string sum = encode::checksum_text(encode::model_checksum(folder));
  if (sum != made.text("checksum")) {
    throw Error(ErrorCode::invalid_argument,
                folder + ": not the model that " + collection.folder() +
                    " was made by (its checksum is " + sum + ", expected " + made.text("checksum") +
                    "); kith ingest again, or give that one with --model");
  }
  return TextEncoder::open(folder, {.precision = precision_named(made.text("precision"))});
}

// ---- Answers as people and programs want them ---------------------------------------------------

ordered_json parse_record(const Collection& collection, Id item) {
  ordered_json record = ordered_json::parse(collection.items().record(item), nullptr, false);
  if (record.is_object()) return record;
  throw Error(ErrorCode::corrupt, collection.folder() + "/" + store::kItemsFile +
                                      ": the record of '" + printable(collection.items().id(item)) +
                                      "' is no JSON object");
}

std::string member_text(const ordered_json& record, const std::string& name) {
  const auto found = record.find(name);
  if (found == record.end() || found->is_null()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

class Printer {
 public:
  Printer(const Collection& collection, const Options& options)
      : collection_(collection), options_(options), shown_(split_names(options.fields)) {
    made_of_ = collection.items().manifest().texts("fields");
    if (made_of_.empty()) made_of_ = {"title", "text"};
  }

  // What is said of the answers beside their scores, each of which may be none.
  struct Remarks {
    std::vector<double> relevances = {};
    std::vector<Reasons> reasons = {};
  };
  void print(const std::string& question, const Answers& answers, const Remarks& remarks,
             bool heading) const {
    if (options_.json) return print_json(question, answers, remarks);
    if (heading) std::printf("%s\n", printable(question).c_str());
    if (answers.empty()) {
      const bool filtered = !options_.relevance.adapter.empty();
      std::fprintf(stderr, "kith: note: nothing %sfound\n", filtered ? "relevant " : "");
    }
    print_lines(answers, remarks);
    if (heading) std::printf("\n");
  }

 private:
  void print_json(const std::string& question, const Answers& answers,
                  const Remarks& remarks) const {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const Answer& answer = answers[i];
      ordered_json record = parse_record(collection_, answer.item);
      ordered_json line = {{"question", question},
                           {"rank", i + 1},
                           {"score", answer.score},
                           {"id", std::string(collection_.items().id(answer.item))}};
      if (!remarks.relevances.empty()) line["relevance"] = remarks.relevances[i];
      if (!remarks.reasons.empty()) line["explanation"] = reasons_json(remarks.reasons[i]);
      if (collection_.items().has_passages()) line["passage"] = passage(answer);
      if (!shown_.empty()) {
        ordered_json chosen = ordered_json::object();
        for (const std::string& name : shown_) {
          if (record.contains(name)) chosen[name] = record[name];
        }
        record = std::move(chosen);
      }
      line["record"] = std::move(record);
      std::printf("%s\n",
                  line.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
    }
  }

  // Rank, score and perhaps relevance, id and title, and below the title the text and reasons.
  void print_lines(const Answers& answers, const Remarks& remarks) const {
    constexpr std::size_t kGap = 2, kWidestId = 28, kLeastText = 20;
    std::vector<std::string> ranks, scores, ids;
    std::size_t rank_width = 0, score_width = 0, id_width = 0;
    for (const Answer& answer : answers) {
      ranks.push_back(std::to_string(ranks.size() + 1));
      scores.push_back(score_text(answer.score));
      if (!remarks.relevances.empty()) {
        scores.back() += "  " + fixed_text(remarks.relevances[scores.size() - 1], 2);
      }
      ids.push_back(snippet(collection_.items().id(answer.item), kWidestId));
      rank_width = std::max(rank_width, ranks.back().size());
      score_width = std::max(score_width, scores.back().size());
      id_width = std::max(id_width, display_width(ids.back()));
    }
    const std::size_t left = rank_width + score_width + id_width + 3 * kGap;
    const std::size_t columns = std::max(terminal_columns(stdout), left + kLeastText) - left;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto [title, text] = title_and_text(answers[i], columns);
      std::string line = std::string(rank_width - ranks[i].size(), ' ') + ranks[i];
      line.append(kGap + score_width - scores[i].size(), ' ').append(scores[i]);
      line.append(kGap, ' ').append(ids[i]).append(id_width - display_width(ids[i]) + kGap, ' ');
      std::printf("%s%s\n", line.c_str(), title.empty() ? text.c_str() : title.c_str());
      const std::string indent(left, ' ');
      if (!title.empty() && !text.empty()) std::printf("%s%s\n", indent.c_str(), text.c_str());
      if (remarks.reasons.empty()) continue;
      for (const std::string& reason : reason_lines(remarks.reasons[i])) {
        std::printf("%s%s\n", indent.c_str(), reason.c_str());
      }
    }
  }

  std::string score_text(double score) const {
    constexpr int kDigits = 4;
    return options_.by() == AskBy::vectors || !options_.like.empty()
               ? fixed_text(score, kDigits)
               : significant_text(score, kDigits);
  }

  std::string passage(const Answer& answer) const {
    return std::string(collection_.items().passage(answer.row, collection_.text(answer.item)));
  }

  // The first of the fields that the text was made of, and the others or the person's choice; each
  // in so many columns. Of one field there is no title.
  std::pair<std::string, std::string> title_and_text(const Answer& answer,
                                                     std::size_t columns) const {
    const ordered_json record = parse_record(collection_, answer.item);
    std::string title, text;
    if (made_of_.size() > 1) title = member_text(record, made_of_.front());
    if (!shown_.empty()) {
      for (const std::string& name : shown_) {
        text += (text.empty() ? "" : "  ") + name + ": " + member_text(record, name);
      }
    } else if (collection_.items().has_passages()) {
      text = passage(answer);
    } else {
      for (std::size_t i = made_of_.size() > 1 ? 1 : 0; i < made_of_.size(); ++i) {
        text += (text.empty() ? "" : " ") + member_text(record, made_of_[i]);
      }
    }
    if (options_.brief && !title.empty()) text.clear();
    return {snippet(title, columns), snippet(text, columns)};
  }

  const Collection& collection_;
  const Options& options_;
  std::vector<std::string> shown_, made_of_;
};

// ---- Questions ----------------------------------------------------------------------------------

class Asker {
 public:
  explicit Asker(const Options& options)
      : options_(options),
        collection_(Collection::open(collection_path(options.name))),
        printer_(collection_, options) {
    ask_.by = options.by();
    ask_.k = options.k;
    ask_.fusion = options.fusion.options(2);
    ask_.control = options.control();
    if (ask_.by != AskBy::words && options.like.empty()) open_questions();
    if (!options.explain) return;
    reasons_.emplace(collection_, model_ ? &*model_ : nullptr, ask_.by, ask_.control);
    if (!options.json && model_ && !model_->concepts().empty()) {
      std::fprintf(stderr, "kith: note: %s\n", kReasonsNote);
    }
  }

  // What makes vectors of them.
  void open_questions() {
    const Options& options = options_;
    model_.emplace(open_model(collection_, options.model));
    std::optional<std::string> prompt;
    if (options.has_prompt) prompt = prompt_text(*model_, options.prompt);
    encoding_ = collection_.question_encoding(*model_, prompt);
    encoding_.control = ask_.control;
    if (options.relevance.adapter.empty()) return;
    relevance_.emplace(options.relevance, collection_.folder(), collection_.vectors().dim(),
                       collection_.items().manifest().object("model").text("checksum"));
  }

  void like(const std::string& id) const {
    const std::optional<Id> item = collection_.items().find(id);
    if (!item) {
      throw Error(ErrorCode::not_found,
                  collection_.folder() + ": no item has the id '" + printable(id) + "'");
    }
    printer_.print(id, collection_.like(*item, ask_), {}, false);
  }

  // With a heading for each of several.
  void ask(const std::vector<std::string>& questions, bool headings) const {
    for (std::size_t first = 0; first < questions.size(); first += kQuestionsAtOnce) {
      const std::size_t count = std::min(kQuestionsAtOnce, questions.size() - first);
      const std::vector<std::string_view> some(questions.begin() + first,
                                               questions.begin() + first + count);
      Matrix<float> vectors;
      if (model_) vectors = std::move(model_->encode(some, encoding_).vectors);
      std::vector<Answers> answers = collection_.ask(some, vectors.view(), ask_);
      for (std::size_t q = 0; q < count; ++q) {
        const std::string& question = questions[first + q];
        const float* vector = model_ ? vectors.row(q) : nullptr;
        Printer::Remarks remarks;
        if (relevance_) remarks.relevances = keep_relevant(vector, answers[q]);
        if (reasons_) remarks.reasons = reasons_->of(question, vector, answers[q]);
        printer_.print(question, answers[q], remarks, headings);
      }
    }
  }

  // The relevances of the answers that stay.
  std::vector<double> keep_relevant(const float* question, Answers& answers) const {
    std::vector<double> cosines;
    for (const Answer& answer : answers) cosines.push_back(answer.score);
    const RelevanceFilter::Kept kept = relevance_->keep(question, cosines);
    Answers staying;
    for (const std::size_t place : kept.places) staying.push_back(answers[place]);
    answers = std::move(staying);
    return kept.relevances;
  }

  // Line by line from standard input, to its end.
  void converse() const {
    const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    if (terminal) {
      std::printf("%s: %s items. Ask in plain words; Ctrl-D ends.\n", options_.name.c_str(),
                  count_text(collection_.items().size()).c_str());
    }
    for (std::string line; next_line(line, terminal);) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const Stopwatch watch;
      ask({line}, !terminal);
      if (terminal) std::printf("%s\n\n", seconds_text(watch.wall_seconds()).c_str());
      std::fflush(stdout);
    }
    if (terminal) std::printf("\n");
  }

 private:
  // False at the end, or after Ctrl-C: reading goes on after a signal, but waiting does not.
  static bool next_line(std::string& line, bool terminal) {
    if (terminal) {
      std::fputs("> ", stdout);
      std::fflush(stdout);
      pollfd input{STDIN_FILENO, POLLIN, 0};
      while (::poll(&input, 1, -1) < 0) {
        if (errno != EINTR || interrupt_flag()) return false;
      }
    }
    return static_cast<bool>(std::getline(std::cin, line));
  }

  const Options& options_;
  Collection collection_;
  Printer printer_;
  std::optional<TextEncoder> model_;
  std::optional<RelevanceFilter> relevance_;
  std::optional<AnswerReasons> reasons_;
  TextEncodeOptions encoding_;
  store::AskOptions ask_;
};

void check(const Options& options) {
  const int sources = !options.words.empty() + !options.questions.empty() + !options.like.empty();
  if (sources > 1) {
    throw Error(ErrorCode::invalid_argument,
                "ask: too much at once, expected words, --questions or --like");
  }
  if (options.hybrid && options.bm25) {
    throw Error(ErrorCode::invalid_argument, "ask: --hybrid and --bm25, expected one of them");
  }
  if (!options.relevance.adapter.empty() &&
      (options.hybrid || options.bm25 || !options.like.empty())) {
    throw Error(ErrorCode::invalid_argument,
                "--relevance: goes by questions' vectors alone, expected none of --hybrid, --bm25 "
                "and --like");
  }
  if (!options.like.empty() && (options.hybrid || options.bm25)) {
    throw Error(ErrorCode::invalid_argument,
                "--like: goes by vectors alone, expected neither --hybrid nor --bm25");
  }
  if (!options.like.empty() && options.explain) {
    throw Error(ErrorCode::invalid_argument,
                "--explain: says why a question finds its answers, expected no --like");
  }
}

void run(const Options& options) {
  check(options);
  const Asker asker(options);
  if (!options.like.empty()) return asker.like(options.like);
  if (!options.questions.empty()) {
    const Texts texts = read_texts(options.questions);
    return asker.ask({texts.texts.begin(), texts.texts.end()}, true);
  }
  if (options.words.empty()) return asker.converse();
  std::string question;
  for (const std::string& word : options.words) question += (question.empty() ? "" : " ") + word;
  asker.ask({question}, false);
}

}  // namespace

void add_ask(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("ask", "Ask a collection in plain words");
  verb->add_option("NAME", options->name, "Collection, as kith ingest -o was told")
      ->required()
      ->type_name("");
  verb->add_option("WORDS", options->words, "The question (default: a prompt for many)")
      ->type_name("");
  verb->add_option("-k", options->k, "Answers (default: 10)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_flag("--hybrid", options->hybrid, "By vectors and by words (BM25), fused");
  verb->add_flag("--bm25", options->bm25, "By words alone, without the model");
  add_fusion_choices(*verb, options->fusion, "--fusion", "ranking");
  verb->get_option("--weights")
      ->description("What the vectors' ranking counts, and the words' (default: 1 each)");
  verb->add_option("--questions", options->questions,
                   "File of questions, one a line (.tsv: ID and question; .jsonl)")
      ->type_name("FILE");
  verb->add_option("--like", options->like, "What is nearest to an item, by its id")
      ->type_name("ID");
  verb->add_option("--fields", options->fields,
                   "Members of the records to show in place of the text, with commas between")
      ->type_name("NAMES");
  verb->add_flag("--explain", options->explain,
                 "Below each answer the concepts that it shares with the question, of a model\n"
                 "whose dimensions have names, and with --bm25 or --hybrid its words");
  verb->add_flag("--brief", options->brief, "Titles alone, where items have some");
  verb->add_option("--model", options->model, "Where the collection's model is, if it moved")
      ->type_name("FOLDER");
  const CLI::Option* prompt =
      verb->add_option("--prompt", options->prompt,
                       "What stands before each question: the name of one of the model's prompts, "
                       "or a text with a space or a colon (default: its query, else its own "
                       "default)")
          ->type_name("NAME|TEXT");
  add_relevance_options(*verb, options->relevance);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith ask debian \"play music from the command line\"\n"
               "kith ask debian recover deleted photos -k 3 --hybrid\n"
               "kith ask debian --like mpg123 --fields section,tags\n"
               "kith ask debian \"play music\" --explain -k 3\n"
               "kith ask ./mails --questions questions.txt --json\n"
               "kith ask debian   # a prompt");
  verb->callback([options, prompt, verb] {
    options->has_prompt = prompt->count() > 0;
    options->fusion.expect_hybrid(*verb);
    run(*options);
  });
}

}  // namespace kith::cli

#include "cli/data_mine.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "formats/text_stream.h"
#include "json/json.h"
#include "kith/error.h"
#include "mine/named_rankings.h"
#include "mine/negatives.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> inputs, by = {"bm25"}, corpus;
  std::string output, teacher, query = "query", positive = "positive";
  mine::NegativeOptions negatives;
  bool scores = false;
};

// Lines as they were read, and the texts of their pairs.
struct Pairs {
  std::vector<std::string> lines;
  mine::PairTexts texts;
};

std::string text_of(const Json& json, const std::string& key) {
  std::string text = json.text(key);
  if (text.empty()) json.refuse(key, "a text that isn't empty");
  return text;
}

Pairs read_pairs(const Options& options) {
  Pairs pairs;
  for (const std::string& path : options.inputs) {
    formats::TextStream stream(path, {.format = "jsonl", .fields = {options.query}, .id = {}});
    formats::TextRecord record;
    while (stream.next(record)) {
      const Json json = Json::parse(record.line, path + ": line " + std::to_string(stream.line()));
      pairs.texts.add_pair(text_of(json, options.query), text_of(json, options.positive));
      pairs.lines.push_back(std::move(record.line));
    }
  }
  if (pairs.lines.empty()) {
    throw Error(ErrorCode::invalid_argument, options.inputs.front() + ": no pair");
  }
  for (const std::string& path : options.corpus) pairs.texts.add_documents(path);
  return pairs;
}

mine::Negatives mine_pairs(const Options& options, const mine::PairTexts& texts) {
  if (options.scores && !mine::gives_cosines(options.by, options.teacher)) {
    throw Error(ErrorCode::invalid_argument,
                "--scores: BM25 and codes give none, expected --teacher FOLDER");
  }
  const mine::NamedRankings by(options.by, options.teacher);
  mine::NegativeOptions negatives = options.negatives;
  negatives.seed = options.seed;
  negatives.control = options.control();
  return mine::mine_negatives(texts, by.rankings(), by.teacher(), negatives);
}

void write_lines(const Options& options, const Pairs& pairs, const mine::Negatives& mined) {
  AtomicFile file(options.output);
  for (std::size_t i = 0; i < pairs.lines.size(); ++i) {
    auto line = nlohmann::ordered_json::parse(pairs.lines[i]);
    line.erase("scores");  // of other negatives
    auto& negatives = line["negatives"] = nlohmann::ordered_json::array();
    for (const std::uint32_t document : mined.documents[i]) {
      negatives.push_back(pairs.texts.documents().texts[document]);
    }
    if (options.scores) line["scores"] = mined.scores[i];
    file.write(line.dump() + "\n");
  }
  file.commit();
}

void mine(const Options& options) {
  check_writable(options.output);
  for (const std::string& input : options.inputs) check_distinct(options.output, input);
  const Stopwatch watch;
  const Pairs pairs = read_pairs(options);
  const mine::Negatives mined = mine_pairs(options, pairs.texts);
  write_lines(options, pairs, mined);
  std::size_t all = 0, none = 0, fewer = 0;
  for (const auto& own : mined.documents) {
    all += own.size();
    none += own.empty() ? 1 : 0;
    fewer += own.size() < options.negatives.count ? 1 : 0;
  }
  const Times times(watch);
  Record record;
  record.add("output", options.output);
  record.add("pairs", pairs.lines.size());
  record.add("queries", "distinct queries", pairs.texts.queries().texts.size());
  record.add("documents", "distinct documents", pairs.texts.documents().texts.size());
  record.add("negatives", all);
  record.add("fewer", "pairs with fewer than asked", fewer);
  record.add("none", "pairs without any", none);
  add_times(record, times);
  record.print(stdout, options.json);
}

void add_ranks(CLI::App& verb, Options& options) {
  constexpr std::size_t kMostRanks = 100'000, kMostNegatives = 1024;
  mine::NegativeOptions& negatives = options.negatives;
  verb.add_option("--first", negatives.first,
                  "Rank that candidates begin with, counted from 1 behind what answers the query "
                  "(default: 10)")
      ->check(whole_number(1, kMostRanks))
      ->type_name("N");
  verb.add_option("--last", negatives.last, "Rank that they end with (default: 60)")
      ->check(whole_number(1, kMostRanks))
      ->type_name("N");
  verb.add_option("--count", negatives.count, "Negatives of a pair at most (default: 7)")
      ->check(whole_number(1, kMostNegatives))
      ->type_name("N");
  verb.add_option("--max-ratio", negatives.max_ratio,
                  "Leaves out what the teacher finds nearer than this share of the positive's "
                  "cosine (default: 0.95)")
      ->check(number_above(0, 1e6))
      ->type_name("X");
  verb.add_flag("--random", negatives.random,
                "Draw them from those ranks (default: the nearest of them)");
  verb.add_flag("--fill", negatives.fill,
                "Where there are fewer, fill up with documents drawn from all others");
}

}  // namespace

void add_data_mine(CLI::App& data) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = data.add_subcommand("mine", "Hard negatives for pairs to train on");
  verb->add_option("PAIRS", options->inputs, "JSON lines with \"query\" and \"positive\"")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output,
                   "The same lines with \"negatives\", in place of those they have")
      ->required()
      ->type_name("FILE.jsonl");
  verb->add_option(
          "--by", options->by,
          "What ranks candidates: bm25, a model's folder, or codes:FOLDER, its queries against "
          "its documents' codes; several take turns (default: bm25)")
      ->type_name("NAME");
  verb->add_option("--teacher", options->teacher,
                   "A model's folder that judges candidates (default: the first one of --by)")
      ->type_name("FOLDER");
  verb->add_option("--corpus", options->corpus,
                   "Texts that are candidates too, beside all positives")
      ->type_name("FILE");
  add_ranks(*verb, *options);
  verb->add_flag("--scores", options->scores,
                 "Add the teacher's cosines of the positive and the negatives as \"scores\"");
  verb->add_option("--query", options->query, "Member that is the query (default: query)")
      ->type_name("KEY");
  verb->add_option("--positive", options->positive, "Member that answers it (default: positive)")
      ->type_name("KEY");
  add_common_options(*verb, *options);
  add_examples(
      *verb,
      "kith data mine pairs.jsonl -o mined.jsonl\n"
      "kith data mine pairs.jsonl --by e5 --count 4 --max-ratio 0.9 -o mined.jsonl\n"
      "kith data mine pairs.jsonl --by bm25 --by e5 --corpus corpus.jsonl --random --scores "
      "-o mined.jsonl");
  verb->callback([options] { mine(*options); });
}

}  // namespace kith::cli

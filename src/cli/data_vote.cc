#include "cli/data_vote.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "formats/text_stream.h"
#include "json/json.h"
#include "kith/error.h"
#include "mine/vote.h"

namespace kith::cli {
namespace {

constexpr char kBm25[] = "bm25";

struct Options : CommonOptions {
  std::string input, output, positive = "positive", candidates = "thoughts", chosen = "thought";
  std::vector<std::string> by = {kBm25};
  bool majority = false;
};

struct Lines {
  std::vector<std::string> lines;
  std::vector<mine::Ballot> ballots;
};

Lines read_lines(const Options& options) {
  Lines read;
  formats::TextStream stream(options.input,
                             {.format = "jsonl", .fields = {options.positive}, .id = {}});
  formats::TextRecord record;
  while (stream.next(record)) {
    const Json json =
        Json::parse(record.line, options.input + ": line " + std::to_string(stream.line()));
    mine::Ballot ballot{json.text(options.positive), json.texts(options.candidates)};
    if (ballot.candidates.empty()) json.refuse(options.candidates, "one text at least");
    read.ballots.push_back(std::move(ballot));
    read.lines.push_back(std::move(record.line));
  }
  if (read.lines.empty()) {
    throw Error(ErrorCode::invalid_argument, options.input + ": no line");
  }
  return read;
}

void vote(const Options& options) {
  check_writable(options.output);
  check_distinct(options.output, options.input);
  const Stopwatch watch;
  const Lines read = read_lines(options);
  std::vector<std::unique_ptr<ModelVectors>> models;
  std::vector<Embedder*> members;
  for (const std::string& name : options.by) {
    if (name != kBm25) models.push_back(std::make_unique<ModelVectors>(name));
    members.push_back(name == kBm25 ? nullptr : models.back().get());
  }
  mine::VoteOptions how;
  how.majority = options.majority;
  how.control = options.control();
  const std::vector<std::uint32_t> chosen = mine::vote(read.ballots, members, how);
  std::vector<std::size_t> wins;
  AtomicFile file(options.output);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    auto line = nlohmann::ordered_json::parse(read.lines[i]);
    line[options.chosen] = read.ballots[i].candidates[chosen[i]];
    file.write(line.dump() + "\n");
    wins.resize(std::max<std::size_t>(wins.size(), chosen[i] + 1));
    ++wins[chosen[i]];
  }
  file.commit();
  const Times times(watch);
  Record record;
  record.add("output", options.output);
  record.add("lines", read.lines.size());
  for (std::size_t k = 0; k < wins.size(); ++k) {
    const std::string number = std::to_string(k + 1);
    record.add("chosen_" + number, "candidate " + number + " chosen", wins[k]);
  }
  add_times(record, times);
  record.print(stdout, options.json);
}

}  // namespace

void add_data_vote(CLI::App& data) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      data.add_subcommand("vote", "Of several thoughts about a query the one to learn to write");
  verb->add_option("FILE", options->input, "JSON lines with \"positive\" and \"thoughts\", a list")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "The same lines with the chosen \"thought\"")
      ->required()
      ->type_name("FILE.jsonl");
  verb->add_option("--by", options->by,
                   "Who votes for what is nearest to the positive: bm25 or a model's folder; may\n"
                   "come again (default: bm25)")
      ->type_name("NAME");
  verb->add_flag("--majority", options->majority,
                 "Each member has one vote (default: its softmax over the candidates counts)");
  verb->add_option("--positive", options->positive, "Member that answers (default: positive)")
      ->type_name("KEY");
  verb->add_option("--candidates", options->candidates, "Member with the list (default: thoughts)")
      ->type_name("KEY");
  verb->add_option("--chosen", options->chosen, "Member to write (default: thought)")
      ->type_name("KEY");
  add_common_options(*verb, *options);
  add_examples(
      *verb,
      "kith data vote thoughts.jsonl -o chosen.jsonl\n"
      "kith data vote thoughts.jsonl --by bm25 --by e5 --by gte --majority -o chosen.jsonl");
  verb->callback([options] { vote(*options); });
}

}  // namespace kith::cli

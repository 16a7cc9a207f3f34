// kith papers: reproductions of published methods, which a module beside the tool holds.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/load_learn.h"
#include "cli/module.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/papers_report.h"
#include "cli/results_page.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

using papers::Paper;
using papers::PapersModule;

struct Options : CommonOptions {
  std::string slug, markdown, cache = ".cache";
  std::size_t seeds = 0;
  bool one_seed = false, quick = false;
};

const PapersModule& load_papers() {
  return *load_module<papers::PapersEntry>(
      "libkith-papers.so", papers::kPapersEntry,
      "cmake --build --preset release --target kith-papers builds it; it needs libfaiss-dev, "
      "libhnswlib-dev, libeigen3-dev and libopenblas-dev")();
}

const Paper& find_paper(const PapersModule& module, const std::string& slug) {
  for (const Paper& paper : module.papers()) {
    if (paper.slug == slug) return paper;
  }
  throw Error(ErrorCode::not_found,
              "paper '" + slug + "': expected one that `kith papers list` has");
}

void list_papers(const Options& options) {
  const PapersModule& module = load_papers();
  for (const Paper& paper : module.papers()) {
    const std::string missing = module.missing(paper, options.cache);
    if (options.json) {
      nlohmann::ordered_json claims = nlohmann::ordered_json::array();
      for (const papers::Claim& claim : paper.claims) claims.push_back(claim.text);
      const nlohmann::ordered_json object = {
          {"paper", paper.slug},  {"title", paper.title},     {"authors", paper.authors},
          {"year", paper.year},   {"source", paper.source},   {"claims", claims},
          {"seeds", paper.seeds}, {"ready", missing.empty()}, {"missing", missing}};
      std::printf("%s\n", object.dump().c_str());
      continue;
    }
    std::printf("%s (%d)  %s\n  %s\n", paper.slug.c_str(), paper.year,
                missing.empty() ? "ready" : missing.c_str(), paper.title.c_str());
    for (const papers::Claim& claim : paper.claims) std::printf("  - %s\n", claim.text.c_str());
  }
}

// --seed alone is that one seed; --seeds counts from it, by default from 1.
std::vector<std::uint64_t> seeds_of(const Options& options, const Paper& paper) {
  const std::size_t count =
      options.seeds != 0 ? options.seeds : (options.one_seed || options.quick ? 1 : paper.seeds);
  std::vector<std::uint64_t> seeds(count);
  for (std::size_t i = 0; i < count; ++i) seeds[i] = options.seed + i;
  return seeds;
}

void run_paper(const Options& options) {
  if (options.quick && !options.markdown.empty()) {
    throw Error(ErrorCode::invalid_argument, "--markdown: a quick run's figures aren't results");
  }
  if (!options.markdown.empty()) check_writable(options.markdown);
  const PapersModule& module = load_papers();
  const Paper& paper = find_paper(module, options.slug);
  if (const std::string missing = module.missing(paper, options.cache);
      !missing.empty() && !options.quick) {
    throw Error(ErrorCode::not_found, missing);
  }
  papers::RunOptions run;
  run.seeds = seeds_of(options, paper);
  run.quick = options.quick;
  run.cache = options.cache;
  run.control = options.control();
  run.learn = load_learn;
  const papers::Report report = module.run(paper, run);
  const std::string shown =
      options.json ? papers_json(paper, report) : papers_text(paper, report, run);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  if (options.markdown.empty()) return;
  if (const std::string drawing = papers_drawing(paper, report); !drawing.empty()) {
    const std::filesystem::path page(options.markdown);
    write_text((page.parent_path() / papers_drawing_name(paper)).string(), drawing);
  }
  const std::string page = put_section(read_results_page(options.markdown), paper.slug,
                                       papers_markdown(paper, report, run));
  write_text(options.markdown, put_row(page, paper.slug, papers_row(paper, report, run)));
}

void add_list(CLI::App& papers) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = papers.add_subcommand("list", "What can be run, with its claims");
  verb->add_option("--cache", options->cache, "Folder of data sets (default: .cache)");
  add_common_options(*verb, *options);
  add_examples(*verb, "kith papers list\nkith papers list --json");
  verb->callback([options] { list_papers(*options); });
}

void add_run(CLI::App& papers) {
  constexpr std::size_t kMostSeeds = 1000;
  auto options = std::make_shared<Options>();
  CLI::App* verb = papers.add_subcommand("run", "A method beside its baselines, over seeds");
  verb->add_option("SLUG", options->slug, "The paper's name in `kith papers list`")
      ->required()
      ->type_name("");
  verb->add_option("--seeds", options->seeds, "How many seeds (default: the paper's choice)")
      ->check(whole_number(1, kMostSeeds))
      ->type_name("N");
  verb->add_flag("--quick", options->quick, "A small trial on made-up data, to see that all works");
  verb->add_option("--markdown", options->markdown, "Put the result into this page, by its name")
      ->type_name("FILE");
  verb->add_option("--cache", options->cache, "Folder of data sets (default: .cache)");
  add_common_options(*verb, *options);
  CLI::Option* seed = verb->get_option("--seed");
  seed->description("This seed only; with --seeds, the first one (default: 1)");
  add_examples(*verb,
               "kith papers run hnsw-ordering\n"
               "kith papers run hnsw-ordering --seed 7 --json\n"
               "kith papers run hnsw-ordering --seeds 5 --markdown docs/results.md");
  verb->callback([options, seed] {
    options->one_seed = seed->count() > 0;
    run_paper(*options);
  });
}

}  // namespace

void add_papers(CLI::App& root) {
  CLI::App* papers = root.add_subcommand("papers", "Reproduce what papers claim");
  papers->require_subcommand(1);
  add_list(*papers);
  add_run(*papers);
}

}  // namespace kith::cli

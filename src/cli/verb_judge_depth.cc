// kith judge depth: which vectors are central among a corpus, and whether two corpora lie apart.
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/hits.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/table.h"
#include "kith/depth.h"
#include "kith/error.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

constexpr int kDigits = 4;
constexpr double kWeakCentre = 0.1;  // mean directions shorter than this are noted
constexpr std::size_t kFew = 20;     // vectors a side, below which the test is rough

struct Options : CommonOptions {
  std::string vectors, other, distance = "cosine";
  std::size_t k = 10, sample = 0;
  bool per_label = false, pooled = false, outliers = false;
  ReadOptions read;
};

DepthOptions depth_options(const Options& options) {
  DepthOptions depth;
  if (options.distance == "chord") {
    depth.distance = DepthDistance::chord;
  } else if (options.distance != "cosine") {
    throw Error(ErrorCode::invalid_argument,
                "--distance: '" + printable(options.distance) + "', expected cosine or chord");
  }
  depth.sample = options.sample;
  depth.seed = options.seed;
  depth.control = options.control();
  return depth;
}

Vectors read(const Options& options, const std::string& path) {
  ReadOptions how = options.read;
  how.control = options.control();
  return read_vectors(path, how);
}

void note_weak_centre(const std::string& path, const AnyMatrixView& rows) {
  const double length = mean_resultant_length(rows);
  if (length >= kWeakCentre) return;
  std::fprintf(stderr,
               "kith: note: %s: the mean direction has length %s: there is hardly a centre\n",
               path.c_str(), significant_text(length, 3).c_str());
}

Cell depth_cell(double depth) { return {depth, fixed_text(depth, kDigits)}; }

void rank(const Options& options) {
  const Vectors corpus = read(options, options.vectors);
  const std::vector<double> found = naming(
      "corpus", options.vectors, [&] { return depths(corpus.rows, depth_options(options)); });
  std::vector<std::uint32_t> order(found.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return options.outliers ? found[a] < found[b] : found[a] > found[b];
  });
  note_weak_centre(options.vectors, corpus.rows);
  Table table({"rank", "label", "depth"});
  for (std::size_t i = 0; i < std::min(options.k, order.size()); ++i) {
    table.add({i + 1, label_cell(corpus.labels, order[i]), depth_cell(found[order[i]])});
  }
  table.print(stdout, options.json);
}

void test(const Options& options) {
  const Vectors f = read(options, options.vectors), g = read(options, options.other);
  if (f.rows.dim() != g.rows.dim()) {
    throw Error(ErrorCode::invalid_argument, options.other + ": " + std::to_string(g.rows.dim()) +
                                                 " dimensions, but " + options.vectors + " has " +
                                                 std::to_string(f.rows.dim()));
  }
  const DepthTest found = naming("corpus", options.vectors, [&] {
    return naming("other", options.other,
                  [&] { return depth_test(f.rows, g.rows, depth_options(options)); });
  });
  note_weak_centre(options.vectors, f.rows);
  if (std::min(found.f, found.g) < kFew) {
    std::fprintf(stderr, "kith: note: fewer than %zu vectors on a side: the p-value is rough\n",
                 kFew);
  }
  Record record;
  record.add("corpus", options.vectors);
  record.add("other", options.other);
  record.add("corpus_vectors", "vectors of the corpus", found.f);
  record.add("other_vectors", "vectors of the other", found.g);
  const double q = options.pooled ? found.q_pooled : found.q;
  record.add("q", "Q (0.5: alike)", Cell(q, fixed_text(q, kDigits)));
  record.add("z", Cell(found.test.z, significant_text(found.test.z, kDigits)));
  record.add("p", Cell(found.test.p_value, significant_text(found.test.p_value, 3)));
  record.print(stdout, options.json);
}

// Label "sport/0012" is of "sport": what stands before the first "/".
std::vector<std::uint32_t> categories(const Labels& labels, std::vector<std::string>& names) {
  std::vector<std::uint32_t> numbers;
  std::map<std::string, std::uint32_t> known;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string label = labels.text(i);
    const std::string name = label.substr(0, label.find('/'));
    const auto [at, fresh] = known.emplace(name, static_cast<std::uint32_t>(names.size()));
    if (fresh) names.push_back(name);
    numbers.push_back(at->second);
  }
  return numbers;
}

void select(const Options& options) {
  const Vectors corpus = read(options, options.vectors);
  std::vector<std::string> names;
  std::vector<std::uint32_t> labels;
  if (options.per_label) {
    if (corpus.labels.kind() == Labels::Kind::none) {
      throw Error(ErrorCode::invalid_argument,
                  options.vectors + ": no labels, which --per-label needs");
    }
    labels = categories(corpus.labels, names);
  }
  const std::vector<std::uint32_t> chosen = naming("corpus", options.vectors, [&] {
    return deepest(corpus.rows, options.k, labels, depth_options(options));
  });
  Table table({"category", "row", "label"});
  for (const std::uint32_t row : chosen) {
    table.add(
        {labels.empty() ? Cell() : Cell(names[labels[row]]), row, label_cell(corpus.labels, row)});
  }
  table.print(stdout, options.json);
}

void add_options(CLI::App& verb, Options& options) {
  verb.add_option(
          "--distance", options.distance,
          "cosine, or chord (the straight line between directions: slower) (default: cosine)")
      ->type_name("NAME");
  verb.add_option("--sample", options.sample,
                  "chord: distances to so many random vectors of the corpus (default: all)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  add_read_options(verb, options.read);
  add_common_options(verb, options);
}

void add_rank(CLI::App& depth) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = depth.add_subcommand("rank", "The most central vectors, or outliers");
  verb->add_option("VECTORS", options->vectors, "File of vectors")->required()->type_name("");
  verb->add_option("-k", options->k, "How many to print (default: 10)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_flag("--outliers", options->outliers, "The least central ones first");
  add_options(*verb, *options);
  add_examples(*verb,
               "kith judge depth rank words.fbin\n"
               "kith judge depth rank reviews.npy --outliers -k 20 --json");
  verb->callback([options] { rank(*options); });
}

void add_test(CLI::App& depth) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = depth.add_subcommand("test", "Does another corpus lie apart from this one?");
  verb->add_option("CORPUS", options->vectors, "File of vectors")->required()->type_name("");
  verb->add_option("OTHER", options->other, "File of vectors")->required()->type_name("");
  verb->add_flag("--pooled", options->pooled,
                 "Q counted among both corpora together, as the paper's package does");
  add_options(*verb, *options);
  add_examples(*verb,
               "kith judge depth test human.npy generated.npy\n"
               "kith judge depth test monday.fbin tuesday.fbin --distance chord --json");
  verb->callback([options] { test(*options); });
}

void add_select(CLI::App& depth) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = depth.add_subcommand("select", "Representative vectors: the deepest");
  verb->add_option("VECTORS", options->vectors, "File of vectors")->required()->type_name("");
  verb->add_option("-k", options->k, "How many, of each category with --per-label (default: 10)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_flag("--per-label", options->per_label, "By categories: labels up to their first '/'");
  add_options(*verb, *options);
  add_examples(*verb,
               "kith judge depth select reviews.npy -k 5\n"
               "kith judge depth select news.npy --per-label -k 3");
  verb->callback([options] { select(*options); });
}

}  // namespace

void add_judge_depth(CLI::App& judge) {
  CLI::App* depth = judge.add_subcommand("depth", "Statistical depth of vectors");
  depth->require_subcommand(1);
  add_rank(*depth);
  add_test(*depth);
  add_select(*depth);
}

}  // namespace kith::cli

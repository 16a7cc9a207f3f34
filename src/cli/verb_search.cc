// kith search: the neighbours of vectors from a file, of stored ones, or of one typed in.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/build_choices.h"
#include "cli/cli.h"
#include "cli/disk_options.h"
#include "cli/format.h"
#include "cli/hits.h"
#include "cli/inputs.h"
#include "cli/inverted.h"
#include "cli/labelled.h"
#include "cli/multi.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/relevance_option.h"
#include "cli/run_file.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/verify_options.h"
#include "kith/error.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string index, queries, output, only, without, match, trained;
  std::vector<std::string> like, vectors, words;
  std::size_t k = 10, beam = 0, rerank = 0, candidates = 0;
  std::optional<float> radius, carve;
  RelevanceChoices relevance;
  VerifyChoices verify;
  DiskChoices disk;
  ReadOptions read;
};

// What is searched for, and what it is called.
struct Queries {
  AnyMatrixView rows;
  std::vector<std::string> names;  // empty: numbers
  std::vector<Id> self;            // the stored vector that a query is; empty: none is
  Vectors file;                    // keeps `rows` alive, or
  Matrix<float> typed;             // this does
};

Queries from_file(const Options& options, const Index& index, const Control& control) {
  Queries queries;
  ReadOptions read = options.read;
  read.control = control;
  queries.file = read_vectors(options.queries, read);
  check_dimension(options.index, index, options.queries, queries.file.rows);
  queries.rows = queries.file.rows;
  if (queries.file.labels.kind() != Labels::Kind::none) {
    for (std::size_t q = 0; q < queries.rows.rows(); ++q) {
      queries.names.push_back(queries.file.labels.text(q));
    }
  }
  return queries;
}

Queries from_labels(const Options& options, const Index& index) {
  Queries queries;
  queries.typed = Matrix<float>(options.like.size(), index.dim());
  queries.names = options.like;
  for (const std::string& label : options.like) {
    const std::optional<Id> id = index.find(label);
    if (!id) {
      throw Error(ErrorCode::not_found,
                  options.index + ": no vector is labelled '" + printable(label) + "'");
    }
    index.vector(*id, queries.typed.row(queries.self.size()));
    queries.self.push_back(*id);
  }
  queries.rows = queries.typed.view();
  return queries;
}

Queries from_text(const Options& options, const Index& index) {
  Queries queries;
  const std::size_t dim = index.query_dim();
  queries.typed = Matrix<float>(options.vectors.size(), dim);
  for (std::size_t q = 0; q < options.vectors.size(); ++q) {
    const std::vector<float> components = parse_components("--vector", options.vectors[q]);
    if (components.size() != dim) {
      throw Error(ErrorCode::invalid_argument, "--vector: " + std::to_string(components.size()) +
                                                   " components, but " + options.index + " has " +
                                                   std::to_string(dim) + " dimensions");
    }
    std::copy(components.begin(), components.end(), queries.typed.row(q));
  }
  queries.rows = queries.typed.view();
  return queries;
}

void check_usage(const Options& options) {
  const int sources = !options.queries.empty() + !options.like.empty() + !options.vectors.empty();
  if (sources != 1) {
    throw Error(ErrorCode::invalid_argument,
                std::string("search: ") + (sources == 0 ? "nothing" : "too much") +
                    " to search for, expected one of QUERIES, --like and --vector");
  }
  if (options.radius && !options.output.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--radius: finds differing numbers of hits, which --output can't hold; use --json");
  }
  if (!options.output.empty()) {
    check_distinct(options.output, options.index);
    if (!options.queries.empty()) check_distinct(options.output, options.queries);
    check_writable(options.output);
  }
}

// What --only, --without and --match leave.
Filter filter_of(const Options& options, const Index& index) {
  if (!options.match.empty()) return Filter::ids(ids_matching(index, options.match));
  if (!options.only.empty()) {
    return Filter::ids(ids_of_labels(index, options.index, read_lines(options.only)));
  }
  if (options.without.empty()) return Filter();
  std::vector<std::uint64_t> words((index.id_limit() + 63) / 64, ~std::uint64_t{0});
  for (Id id : ids_of_labels(index, options.index, read_lines(options.without))) {
    words[id / 64] &= ~(std::uint64_t{1} << (id % 64));
  }
  return Filter::bits(std::move(words));
}

// What ranks the index's candidates; nothing where it does so itself.
std::optional<VerifiedIndex> open_verified(const Options& options, const Index& index,
                                           const Queries& queries, const Control& control) {
  std::optional<VerifiedIndex> verified;
  if (options.verify.file.empty()) return verified;
  verified.emplace(index, options.index, options.verify, options.disk);
  if (!queries.self.empty()) {
    verified->take_stored(queries.self);
  } else {
    ReadOptions read = options.read;
    read.control = control;
    verified->take_queries(queries.rows, options.queries.empty() ? "--vector" : options.queries,
                           read);
  }
  return verified;
}

RangeNeighbours search(const Options& options, const Index& index, const Queries& queries,
                       const VerifiedIndex* verified, const Control& control) {
  SearchOptions search{options.beam, options.rerank, control};
  search.filter = filter_of(options, index);
  if (options.radius) return trim(index.range(queries.rows, *options.radius, search), queries.self);
  const std::size_t self = queries.self.empty() ? 0 : 1;  // itself is no hit
  const std::size_t k = options.k + self;
  if (verified != nullptr) {
    const std::size_t candidates =
        options.candidates != 0 ? options.candidates : std::max(kDefaultCandidates, options.k);
    return trim(verified->search(queries.rows, 0, k, candidates + self, search), queries.self,
                options.k);
  }
  return trim(index.search(queries.rows, k, search), queries.self, options.k);
}

// Leaves out what isn't relevant; the relevances of what stays, and how many queries have none.
std::vector<double> filter_by_relevance(const Options& options, const Index& index,
                                        const Queries& queries, RangeNeighbours& hits) {
  if (options.relevance.adapter.empty()) return {};
  if (index.metric() != Metric::cosine) {
    throw Error(ErrorCode::invalid_argument,
                "--relevance: goes by cosines, but " + options.index + " is of another metric");
  }
  const RelevanceFilter filter(options.relevance, options.index, index.dim());
  RangeNeighbours kept;
  std::vector<double> relevances;
  std::vector<float> query(index.dim());
  std::size_t none = 0;
  for (std::size_t q = 0; q + 1 < hits.offsets.size(); ++q) {
    const std::size_t first = hits.offsets[q];
    std::vector<double> cosines;
    for (std::size_t i = first; i < hits.offsets[q + 1]; ++i) {
      cosines.push_back(customary(Metric::cosine, hits.distances[i]));
    }
    queries.rows.copy_row(q, query.data());
    const RelevanceFilter::Kept own = filter.keep(query.data(), cosines);
    for (const std::size_t place : own.places) {
      kept.ids.push_back(hits.ids[first + place]);
      kept.distances.push_back(hits.distances[first + place]);
    }
    relevances.insert(relevances.end(), own.relevances.begin(), own.relevances.end());
    kept.offsets.push_back(kept.ids.size());
    none += own.places.empty() ? 1 : 0;
  }
  if (none > 0) {
    std::fprintf(stderr, "kith: note: %zu of %zu queries have no hit of relevance %s or more\n",
                 none, hits.offsets.size() - 1, significant_text(filter.least(), 3).c_str());
  }
  hits = std::move(kept);
  return relevances;
}

void note_if_short(const Options& options, const RangeNeighbours& hits, std::size_t size) {
  std::size_t least = options.k;
  for (std::size_t q = 0; q + 1 < hits.offsets.size(); ++q) {
    least = std::min(least, hits.offsets[q + 1] - hits.offsets[q]);
  }
  if (least == options.k) return;
  const bool filters = !(options.only + options.without + options.match).empty();
  std::fprintf(stderr, "kith: note: k = %zu, but %s holds %zu vectors%s: %zu hits\n", options.k,
               options.index.c_str(), size, filters ? " and not all may be hits" : "", least);
}

// Queries are of another model than the index' vectors are.
void read_queries_by(const Options& options, Index& index) {
  const std::pair<const char*, bool> others[] = {
      {"--like", !options.like.empty()}, {"--relevance", !options.relevance.adapter.empty()}};
  for (const auto& [name, given] : others) {
    if (!given) continue;
    throw Error(ErrorCode::invalid_argument,
                std::string(name) +
                    ": goes by the index's own vectors, but --trained says that "
                    "queries are of another model");
  }
  try {
    index.read_queries_by(TrainedBinariser::open(trained_file(options.trained)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    throw Error(error.code(), options.trained + ", " + options.index + ": " + error.what());
  }
}

void search_vectors(const Options& options) {
  check_usage(options);
  const Control control = options.control();
  Index index = Index::open(options.index, open_options(options.disk));
  if (!options.trained.empty()) read_queries_by(options, index);
  Queries queries = !options.queries.empty() ? from_file(options, index, control)
                    : !options.like.empty()  ? from_labels(options, index)
                                             : from_text(options, index);
  const std::optional<VerifiedIndex> verified = open_verified(options, index, queries, control);
  const Metric metric = verified ? verified->metric() : index.metric();
  const std::size_t all = queries.rows.rows();
  const bool for_people = options.output.empty() && !options.json;
  if (for_people && all > kMostShown) queries.rows = queries.rows.slice(0, kMostShown);

  const Stopwatch watch;
  RangeNeighbours hits = naming("query", options.queries.empty() ? "query" : options.queries, [&] {
    return search(options, index, queries, verified ? &*verified : nullptr, control);
  });
  const std::vector<double> relevances = filter_by_relevance(options, index, queries, hits);
  if (!options.output.empty()) {
    const double wall = watch.wall_seconds();
    write_hits(options.output, to_matrix(hits, options.k, metric), metric, queries.names,
               index.labels(), wall, options);
  } else {
    hits_table(hits, queries.names, index.labels(), metric, options.json, relevances)
        .print(stdout, options.json);
  }
  if (!options.radius && options.relevance.adapter.empty()) {
    note_if_short(options, hits, index.size());
  }
  if (for_people) note_if_more(all);
}

// Throws for the first of the options that was given; `why` follows its name.
using Given = std::vector<std::pair<const char*, bool>>;
void refuse_given(const Given& given, const std::string& why) {
  for (const auto& [name, is_given] : given) {
    if (is_given) throw Error(ErrorCode::invalid_argument, std::string(name) + ": " + why);
  }
}

Given of_vectors(const Options& options) {
  return {{"--like", !options.like.empty()},
          {"--vector", !options.vectors.empty()},
          {"--radius", options.radius.has_value()},
          {"--rerank", options.rerank != 0},
          {"--only", !options.only.empty()},
          {"--without", !options.without.empty()},
          {"--match", !options.match.empty()},
          {"--relevance", !options.relevance.adapter.empty()},
          {"--trained", !options.trained.empty()},
          {"--verify", !options.verify.file.empty()},
          {"--disk-file", !options.disk.open.disk_file.empty()}};
}

Given of_sets(const Options& options) {
  return {{"--candidates", options.candidates != 0}, {"--carve", options.carve.has_value()}};
}

// What goes with --verify, and what doesn't.
void check_verified(const Options& options) {
  check_verify_options(options.verify);
  if (options.verify.file.empty()) return;
  refuse_given({{"--radius", options.radius.has_value()},
                {"--relevance", !options.relevance.adapter.empty()}},
               "goes by the index's own values, but --verify ranks by others");
  if (options.candidates != 0 && options.candidates < options.k) {
    throw Error(ErrorCode::invalid_argument, "--candidates: " + std::to_string(options.candidates) +
                                                 ", expected at least as many as hits, " +
                                                 std::to_string(options.k));
  }
  if (!options.output.empty()) {
    check_distinct(options.output, options.verify.file);
    if (!options.verify.queries.empty()) check_distinct(options.output, options.verify.queries);
  }
}

void search_inverted(const Options& options, bool texts) {
  const InvertedQuery query{options.index,       options.queries, options.output,
                            options.read.format, options.words,   options.k};
  if (texts) {
    search_texts(query, options);
  } else {
    search_sparse(query, options);
  }
}

void run(const Options& options) {
  const IndexKind kind = kind_of_index(options.index);
  if (kind != IndexKind::vectors) {
    refuse_given(of_vectors(options), options.index + " is no index of dense vectors");
  }
  check_verified(options);
  if (kind == IndexKind::vectors && !options.verify.file.empty()) {
    refuse_given({{"--carve", options.carve.has_value()}},
                 options.index + " is no index of sets of vectors");
  } else if (kind != IndexKind::sets) {
    refuse_given(of_sets(options), options.index + " is no index of sets of vectors");
  }
  if (kind == IndexKind::sparse || kind == IndexKind::texts) {
    refuse_given({{"--beam", options.beam != 0}}, options.index + " is no index of dense vectors");
    return search_inverted(options, kind == IndexKind::texts);
  }
  refuse_given({{"--query", !options.words.empty()}},
               "takes words, but " + options.index + " holds dense vectors");
  if (kind == IndexKind::vectors) return search_vectors(options);
  search_sets({options.index, options.queries, options.output, options.k, options.candidates,
               options.beam, options.carve, options.read},
              options);
}

void add_sources(CLI::App& verb, Options& options) {
  verb.add_option("INDEX", options.index, "Index file")->required()->type_name("");
  verb.add_option("QUERIES", options.queries,
                  "File of vectors, sets of them or texts to search for")
      ->type_name("");
  verb.add_option("--like", options.like, "Search for what is like a stored vector; repeatable")
      ->allow_extra_args(false)
      ->type_name("LABEL");
  verb.add_option("--query", options.words, "Search texts for words; repeatable")
      ->allow_extra_args(false)
      ->type_name("WORDS");
  verb.add_option("--vector", options.vectors, "Search for a vector typed in; repeatable")
      ->allow_extra_args(false)
      ->type_name("X,Y,Z");
}

}  // namespace

void add_search(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      root.add_subcommand("search", "Find the nearest vectors, or the best texts, in an index");
  add_sources(*verb, *options);
  CLI::Option* k = verb->add_option("-k", options->k, "Hits a query (default: 10)")
                       ->check(whole_number(1, kMaxVectors))
                       ->type_name("N");
  verb->add_option("--radius", options->radius,
                   "All hits within: at most this squared distance, at least this similarity")
      ->check(finite_number())
      ->type_name("R")
      ->excludes(k);
  verb->add_option("--beam", options->beam, "Breadth: larger finds more and costs more")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("--rerank", options->rerank,
                   "Candidates re-scored by the best codes (default: as many as can matter)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option(
          "--candidates", options->candidates,
          "Of an index of sets: how many MaxSim ranks (default: 10 times k, at least 100);\n"
          "with --verify: how many are read (default: 1000)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb->add_option("--carve", options->carve,
                   "Of an index of sets: rank by sums of query vectors whose inner product is at\n"
                   "least this, e.g. 0.7: quicker, slightly different")
      ->check(finite_number())
      ->type_name("X");
  CLI::Option* only = verb->add_option("--only", options->only,
                                       "Hits are the vectors labelled in this file, one a line")
                          ->type_name("FILE");
  CLI::Option* without = verb->add_option("--without", options->without,
                                          "Hits are none of the vectors labelled in this file")
                             ->type_name("FILE")
                             ->excludes(only);
  verb->add_option("--match", options->match,
                   "Hits are vectors in whose label this regular expression finds something")
      ->type_name("REGEX")
      ->excludes(only)
      ->excludes(without);
  verb->add_option("--trained", options->trained,
                   "A binariser by which QUERIES of a new model search the codes of an old one")
      ->type_name("FOLDER");
  add_relevance_options(*verb, options->relevance);
  add_verify_options(*verb, options->verify);
  add_disk_options(*verb, options->disk);
  verb->add_option(
          "-o,--output", options->output,
          "Write ids and values, e.g. to found.ibin; names and scores\nto a TREC run: found.run")
      ->type_name("FILE");
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(
      *verb,
      "kith search words.kith --like paris\n"
      "kith search words.kith --like paris --like blue -k 5 --json\n"
      "kith search points.kith --vector 0.1,-0.2,0.3 --radius 0.5\n"
      "kith search words.kith --like paris --match '^[a-z]+$'\n"
      "kith search base.kith queries.fvecs -k 100 --beam 200 -o found.ibin\n"
      "kith search shop.kith queries.npy -k 100 --relevance relevance --min-relevance 0.5\n"
      "kith search x.kith queries.npy --verify x.kith.verify --verify-queries large.npy\n"
      "kith search tokens.kith questions.npz -k 10 --candidates 200 --json\n"
      "kith search texts.kith --query \"kernel modules\"");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

#include "cli/multi.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "cli/format.h"
#include "cli/hits.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/run_file.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "kith/error.h"
#include "kith/vector_sets.h"

namespace kith::cli {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

// "20,5,16": repetitions, planes, inner dimension.
void parse_fde(const std::string& text, FdeOptions& options) {
  const std::vector<std::size_t> numbers = parse_counts("--fde", text, 0, kMaxDim);
  if (numbers.size() != 3) {
    refuse("--fde: '" + text + "', expected repetitions, planes and inner dimension: 20,5,16");
  }
  options.repetitions = numbers[0];
  options.planes = numbers[1];
  options.inner_dim = numbers[2];
}

std::optional<bool> parse_fill(const std::string& text) {
  if (text == "auto") return std::nullopt;
  if (text != "on" && text != "off") refuse("--fill: '" + text + "', expected auto, on or off");
  return text == "on";
}

Record facts(const std::string& path, const SetIndex& index) {
  const SetInfo info = index.info();
  const auto mean = static_cast<double>(info.vectors) / static_cast<double>(info.sets);
  Record record;
  record.add("file", path);
  record.add("kind", "sets");
  record.add("sets", info.sets);
  record.add("vectors", info.vectors);
  record.add("mean_vectors", "vectors a set", Cell(mean, significant_text(mean, 3)));
  record.add("dim", "dimension", info.dim);
  record.add("tokens", "vectors' codec", info.tokens);
  record.add("encoding", info.encoding);
  record.add("fill", "empty cells", info.fill ? "filled" : "zero");
  record.add("encoding_dim", "its dimension", info.candidates.dim);
  record.add("index", "its index", info.candidates.kind);
  record.add("codec", "its codec", info.candidates.codec);
  if (info.candidates.degree > 0) record.add("degree", info.candidates.degree);
  if (info.candidates.lists > 0) record.add("lists", info.candidates.lists);
  if (info.candidates.default_beam > 0) record.add("beam", info.candidates.default_beam);
  record.add_sizes("bytes", "size", info.bytes, 0);  // of a vector or a set: neither fits all parts
  return record;
}

void check_usage(const SetQuery& query) {
  if (query.queries.empty()) {
    refuse("search: nothing to search for, expected QUERIES, a file of sets of vectors");
  }
  if (query.output.empty()) return;
  check_distinct(query.output, query.index);
  check_distinct(query.output, query.queries);
  check_writable(query.output);
}

// The options of `kith build` that only sets take, and those that they don't take.
constexpr const char* kOfSets[] = {"--fde",  "--fde-projection", "--fde-final",
                                   "--fill", "--tokens",         "--centroids"};
constexpr const char* kNotOfSets[] = {"--metric", "--train-queries", "--leanvec"};

}  // namespace

void add_multi_choices(CLI::App& verb, MultiChoices& choices) {
  verb.add_flag(
      "--multi", choices.multi,
      "BASE holds sets of vectors (.npz, .safetensors, .jsonl), such as a text's tokens,\n"
      "to be found by MaxSim; --index, --codec and so on are then those of encodings");
  verb.add_option(
          "--fde", choices.fde,
          "multi: an encoding's repetitions, planes (2^N cells) and inner dimension, 0 for\n"
          "the vectors' own (default: 20,5,16)")
      ->type_name("R,N,D");
  verb.add_option("--fde-projection", choices.options.fde.projection,
                  "multi: how vectors are projected to it, dense or sparse (default: dense)")
      ->type_name("NAME");
  verb.add_option("--fde-final", choices.options.fde.final_dim,
                  "multi: dimensions that the whole encoding is projected to (default: as it is)")
      ->check(whole_number(1, kMaxDim))
      ->type_name("N");
  verb.add_option(
          "--fill", choices.fill,
          "multi: fill a document's empty cells: on, off or auto (where sets have a vector\n"
          "for each cell on average; default)")
      ->type_name("WHEN");
  verb.add_option("--tokens", choices.options.tokens,
                  "multi: how vectors are stored: f32, f16, lvq8, lvq4, residual4 or residual2\n"
                  "(default: f16)")
      ->type_name("NAME");
  verb.add_option("--centroids", choices.options.centroids,
                  "multi: centroids of residual codes (default: about 4 times the square root of\n"
                  "the number of vectors)")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
}

void check_multi_choices(const CLI::App& verb, const MultiChoices& choices,
                         const std::string& index) {
  if (choices.multi && (index == "bm25" || index == "sparse")) {
    refuse("--multi: sets of vectors, but --index is " + index);
  }
  for (const char* name : kOfSets) {
    if (!choices.multi && verb.count(name) != 0) {
      refuse(std::string(name) + ": an option of sets of vectors, expected --multi beside it");
    }
  }
  for (const char* name : kNotOfSets) {
    if (choices.multi && verb.count(name) != 0) {
      refuse(std::string(name) + ": sets of vectors are compared by MaxSim and don't take it");
    }
  }
}

void build_sets(const std::string& input, const std::string& output, const BuildOptions& candidates,
                const MultiChoices& choices, const ReadOptions& read_options,
                const CommonOptions& common) {
  SetBuildOptions options = choices.options;
  parse_fde(choices.fde, options.fde);
  options.fill = parse_fill(choices.fill);
  options.candidates = candidates;
  options.seed = common.seed;
  options.control = common.control();
  const Stopwatch watch;
  ReadOptions read = read_options;
  read.control = options.control;
  read.check_finite = false;  // the build checks, too
  const VectorSets base = read_vector_sets(input, read);
  const SetIndex index =
      naming("base", input, [&] { return SetIndex::build(base.sets, base.labels, options); });
  index.save(output, options.control);
  const Times times(watch);
  Record record = facts(output, index);
  add_times(record, times);
  record.print(stdout, common.json);
}

VectorSets read_query_sets(const std::string& path, const SetIndex& index,
                           const std::string& index_path, const ReadOptions& read_options,
                           const Control& control) {
  ReadOptions read = read_options;
  read.control = control;
  VectorSets queries = read_vector_sets(path, read);
  if (queries.sets.dim() != index.dim()) {
    refuse(path + ": " + std::to_string(queries.sets.dim()) + " dimensions, but " + index_path +
           " has " + std::to_string(index.dim()));
  }
  return queries;
}

void search_sets(const SetQuery& query, const CommonOptions& common) {
  check_usage(query);
  SetSearchOptions options{query.candidates, query.beam, query.carve, common.control()};
  const SetIndex index = SetIndex::open(query.index);
  const VectorSets file =
      read_query_sets(query.queries, index, query.index, query.read, options.control);
  std::vector<std::string> names;
  for (std::size_t q = 0; q < file.labels.size(); ++q) names.push_back(file.labels.text(q));
  const bool for_people = query.output.empty() && !common.json;
  const std::size_t all = file.sets.size();
  const VectorSetsView queries = file.sets.slice(0, for_people ? std::min(all, kMostShown) : all);
  const Stopwatch watch;
  Neighbours found =
      naming("query", query.queries, [&] { return index.search(queries, query.k, options); });
  const double wall = watch.wall_seconds();
  if (!query.output.empty()) {
    swap_customary(found, Metric::ip);
    return write_hits(query.output, found, Metric::ip, names, index.labels(), wall, common);
  }
  hits_table(trim(found, {}, query.k), names, index.labels(), Metric::ip, common.json, {}, "maxsim")
      .print(stdout, common.json);
  if (for_people) note_if_more(all);
}

std::string summary(const SetInfo& info) {
  return count_text(info.sets) + " sets of " + count_text(info.vectors) + " vectors of dimension " +
         std::to_string(info.dim) + ", " + info.tokens + "; " + info.candidates.kind + ", " +
         info.candidates.codec + ", of encodings of dimension " +
         std::to_string(info.candidates.dim);
}

Record sets_record(const std::string& path) {
  return facts(path, SetIndex::open(path));  // verifies every checksum
}

Record set_file_record(const std::string& path, const ReadOptions& read) {
  const VectorSets file = read_vector_sets(path, read);
  const VectorSetsView& sets = file.sets;
  std::size_t fewest = sets.length(0), most = fewest;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    fewest = std::min(fewest, sets.length(i));
    most = std::max(most, sets.length(i));
  }
  const auto mean = static_cast<double>(sets.total()) / static_cast<double>(sets.size());
  const std::size_t bytes = sets.total() * sets.dim() * size_of(sets.vectors.type());
  Record record;
  record.add("file", path);
  record.add("format", file.format);
  record.add("sets", sets.size());
  record.add("vectors", sets.total());
  record.add("mean_vectors", "vectors a set", Cell(mean, significant_text(mean, 3)));
  record.add("fewest", fewest);
  record.add("most", most);
  record.add("dim", "dimension", sets.dim());
  record.add("element", name(sets.vectors.type()));
  record.add("labels", file.labels.size() > 0);
  record.add("bytes", "size", Cell(bytes, bytes_text(static_cast<double>(bytes))));
  return record;
}

}  // namespace kith::cli

// kith convert: vectors or neighbour lists from one file format to another, with their labels.
#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/sample_rows.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "formats/cast.h"
#include "formats/format.h"
#include "kith/error.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

struct ConvertOptions {
  CommonOptions common;
  std::string in, out, rest, from, to, dataset, out_dataset, type;
  std::size_t skip = 0;
  std::optional<std::size_t> first, sample;
  bool neighbours = false;
};

struct Converted {
  std::string format, type;
  std::size_t rows = 0, dim = 0, labels = 0;
};

ElementType parse_type(const std::string& text) {
  for (ElementType type :
       {ElementType::f32, ElementType::f16, ElementType::bf16, ElementType::i8, ElementType::u8}) {
    if (text == name(type)) return type;
  }
  throw Error(ErrorCode::invalid_argument,
              "--type " + text + ": expected f32, f16, bf16, i8 or u8");
}

// The rows that --skip and --first leave.
struct Range {
  std::size_t begin, count;
};
Range chosen_rows(const ConvertOptions& options, std::size_t rows) {
  if (options.skip >= rows) {
    throw Error(ErrorCode::invalid_argument, options.in + ": " + std::to_string(rows) +
                                                 " rows, but --skip " +
                                                 std::to_string(options.skip) + " leaves none");
  }
  const std::size_t rest = rows - options.skip;
  return {options.skip, std::min(rest, options.first.value_or(rest))};
}

Labels chosen_labels(const Labels& labels, const Range& range) {
  if (labels.kind() == Labels::Kind::none) return labels;
  if (range.begin == 0 && range.count == labels.size()) return labels;
  std::vector<std::uint32_t> rows(range.count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(range.begin));
  return labels.select(rows);
}

// The type to write: the one asked for, else the file's own, else float32, which holds every value
// of the smaller types.
ElementType type_to_write(const ConvertOptions& options, ElementType own,
                          const formats::Format& format) {
  if (!options.type.empty()) return parse_type(options.type);
  const bool holds_own = (format.elements & formats::bit(own)) != 0;
  const bool holds_floats = (format.elements & formats::bit(ElementType::f32)) != 0;
  return holds_own || !holds_floats ? own : ElementType::f32;
}

// Writes in the type that suits the format, and says which that was.
ElementType write_cast(const ConvertOptions& options, const std::string& path,
                       const formats::Format& format, const Vectors& vectors,
                       const Control& control) {
  const ElementType type = type_to_write(options, vectors.rows.type(), format);
  const Vectors cast = formats::cast_rows(vectors, type, options.in, control);
  write_vectors(path, cast.rows, cast.labels,
                {.format = options.to, .dataset = options.out_dataset, .control = control});
  return type;
}

// The sample goes to OUT, all other rows to --rest.
Vectors hold_out(const ConvertOptions& options, const Vectors& vectors, const Control& control) {
  if (*options.sample >= vectors.rows.rows()) {
    throw Error(ErrorCode::invalid_argument,
                options.in + ": " + std::to_string(vectors.rows.rows()) +
                    " rows, expected more than the --sample of " + std::to_string(*options.sample));
  }
  const SampledRows rows = sample_rows(vectors.rows.rows(), *options.sample, options.common.seed);
  if (!options.rest.empty()) {
    write_cast(options, options.rest,
               formats::format_to_write(options.rest, options.to, formats::Content::vectors),
               select_rows(vectors, rows.rest), control);
  }
  return select_rows(vectors, rows.sample);
}

Converted convert_vectors(const ConvertOptions& options, const formats::Format& target) {
  const Control control = options.common.control();
  Vectors vectors = read_vectors(
      options.in, {.format = options.from, .dataset = options.dataset, .control = control});
  const Range range = chosen_rows(options, vectors.rows.rows());
  vectors.rows = vectors.rows.slice(range.begin, range.count);
  vectors.labels = chosen_labels(vectors.labels, range);
  if (options.sample) vectors = hold_out(options, vectors, control);
  const ElementType type = write_cast(options, options.out, target, vectors, control);
  return {vectors.format, std::string(name(type)), vectors.rows.rows(), vectors.rows.dim(),
          vectors.labels.size()};
}

Neighbours slice(const Neighbours& all, const Range& range) {
  Neighbours part;
  part.ids = Matrix<Id>(range.count, all.k());
  const bool distances = all.distances.rows() != 0;
  if (distances) part.distances = Matrix<float>(range.count, all.k());
  for (std::size_t i = 0; i < range.count; ++i) {
    std::copy_n(all.ids.row(range.begin + i), all.k(), part.ids.row(i));
    if (!distances) continue;
    std::copy_n(all.distances.row(range.begin + i), all.k(), part.distances.row(i));
  }
  return part;
}

Converted convert_neighbours(const ConvertOptions& options, const std::string& format) {
  if (!options.type.empty()) {
    throw Error(ErrorCode::invalid_argument, "--type: neighbour lists hold row numbers only");
  }
  const Control control = options.common.control();
  const Neighbours all = read_neighbours(
      options.in, {.format = options.from, .dataset = options.dataset, .control = control});
  const Neighbours part = slice(all, chosen_rows(options, all.queries()));
  write_neighbours(options.out, part, {.format = options.to, .dataset = "", .control = control});
  return {format, "id", part.queries(), part.k(), 0};
}

// Lists of neighbours when one side can hold nothing else, or when told.
bool is_neighbours(const ConvertOptions& options, const formats::Format& source) {
  if (options.neighbours || source.read_vectors == nullptr) return true;
  for (const formats::Format* format : formats::all_formats()) {
    if (format->write_vectors != nullptr || format->write_neighbours == nullptr) continue;
    const bool named = options.to.empty() ? options.out.ends_with(format->extensions[0])
                                          : options.to == format->name;
    if (named) return true;
  }
  return false;
}

const formats::Format& source_format(const ConvertOptions& options) {
  const auto file = MappedFile::open(options.in);
  formats::Input input;
  input.name = options.in;
  input.bytes = file->bytes();
  return formats::format_to_read(input, options.from, formats::Content::any);
}

void report(const ConvertOptions& options, const std::string& target, const Converted& done,
            const Stopwatch& watch) {
  Record record;
  record.add("from", done.format);
  record.add("to", target);
  record.add("rows", done.rows);
  record.add("dim", done.dim);
  record.add("type", done.type);
  record.add("labels", done.labels);
  record.add("seconds", Cell(watch.wall_seconds(), seconds_text(watch.wall_seconds())));
  record.print(stdout, options.common.json);
}

void check_sampling(const ConvertOptions& options, bool lists) {
  if (lists && options.sample) {
    throw Error(ErrorCode::invalid_argument,
                "--sample: " + options.in + " holds neighbour lists, expected vectors");
  }
  if (!options.sample && !options.rest.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--rest " + options.rest + ": expected --sample beside it");
  }
  if (options.rest == options.out) {
    throw Error(ErrorCode::invalid_argument,
                "--rest " + options.rest + ": expected another file than OUT");
  }
}

void convert(const ConvertOptions& options) {
  const Stopwatch watch;
  const formats::Format& source = source_format(options);
  const bool lists = is_neighbours(options, source);
  const formats::Format& target = formats::format_to_write(
      options.out, options.to, lists ? formats::Content::neighbours : formats::Content::vectors);
  check_sampling(options, lists);
  check_writable(options.out);
  if (!options.rest.empty()) check_writable(options.rest);
  const Converted done = lists ? convert_neighbours(options, std::string(source.name))
                               : convert_vectors(options, target);
  report(options, std::string(target.name), done, watch);
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

void add_convert(CLI::App& root) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* verb = root.add_subcommand("convert", "Change the format or type of vectors");
  verb->add_option("IN", options->in, "File of vectors or neighbour lists")->required();
  verb->add_option("OUT", options->out, "File to write; its extension names the format")
      ->required();
  verb->add_option("--from", options->from,
                   "IN's format (default: found by content, then extension), one of: " +
                       list(readable_formats()));
  verb->add_option("--to", options->to,
                   "OUT's format (default: by extension), one of: " + list(writable_formats()));
  verb->add_option("--dataset", options->dataset,
                   "Array of IN to read (default: train in HDF5, vectors in safetensors)");
  verb->add_option("--out-dataset", options->out_dataset,
                   "Name of the array in OUT (default: as for --dataset)");
  verb->add_option("--type", options->type,
                   "Element type f32, f16, bf16, i8 or u8 (default: IN's, or f32 where OUT can't "
                   "hold that); rounds to nearest, refuses what doesn't fit");
  verb->add_option("--skip", options->skip, "Rows to leave out at the start (default: 0)");
  verb->add_option("--first", options->first, "Rows to keep after those (default: all)")
      ->check(CLI::Range(std::size_t{1}, kMaxVectors));
  verb->add_option("--sample", options->sample,
                   "Rows to draw at random (see --seed), in IN's order; they go to OUT")
      ->check(CLI::Range(std::size_t{1}, kMaxVectors));
  verb->add_option("--rest", options->rest, "File for the rows that --sample didn't draw");
  verb->add_flag("--neighbours", options->neighbours,
                 "IN holds neighbour lists (default: when .ivecs or .ibin is involved)");
  add_common_options(*verb, options->common);
  add_examples(
      *verb,
      "kith convert glove.6B.100d.txt words.safetensors\n"
      "kith convert words.safetensors words.fbin --type f32   # words go to words.fbin.labels\n"
      "kith convert sift-128-euclidean.hdf5 queries.fvecs --dataset test --first 1000\n"
      "kith convert words.safetensors queries.fbin --sample 1000 --rest base.fbin\n"
      "kith convert truth.ivecs truth.ibin");
  verb->callback([options] { convert(*options); });
}

}  // namespace kith::cli

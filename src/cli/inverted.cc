#include "cli/inverted.h"

#include <algorithm>
#include <memory>

#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "formats/kith_file.h"
#include "kith/error.h"
#include "kith/sparse.h"
#include "kith/texts.h"
#include "text/utf8.h"

namespace kith::cli {
namespace {

void add_analyser(Record& record, const TextOptions& options) {
  const AnalyserOptions& analyser = options.analyser;
  record.add("stop_words", "stop words", analyser.stop_words ? "English, left out" : "kept");
  record.add("stems", analyser.stem ? "English (Porter)" : "none");
  record.add("k1", Cell(options.k1, significant_text(options.k1, 3)));
  record.add("b", Cell(options.b, significant_text(options.b, 3)));
}

void add_lists(Record& record, const SparseInfo& info) {
  record.add("terms", info.terms);
  record.add("postings", info.postings);
  std::size_t bytes = 0;
  for (const auto& [part, size] : info.bytes) {
    if (part == "postings" || part == "terms") bytes += size;
  }
  const double each =
      static_cast<double>(bytes) / static_cast<double>(std::max<std::size_t>(info.postings, 1));
  record.add("bytes_per_posting", "bytes a posting", Cell(each, significant_text(each, 3)));
}

Record texts_facts(const std::string& path, const TextIndex& index) {
  const SparseInfo info = index.info();
  Record record;
  record.add("file", path);
  record.add("kind", "bm25");
  record.add("texts", info.rows);
  record.add("mean_words", "words a text",
             Cell(index.mean_length(), significant_text(index.mean_length(), 3)));
  add_analyser(record, index.options());
  add_lists(record, info);
  record.add_sizes("bytes", "size", info.bytes, info.rows);
  return record;
}

Record sparse_facts(const std::string& path, const SparseIndex& index) {
  const SparseInfo info = index.info();
  Record record;
  record.add("file", path);
  record.add("kind", "sparse");
  record.add("weights", info.weights);
  record.add("vectors", info.rows);
  add_lists(record, info);
  record.add_sizes("bytes", "size", info.bytes, info.rows);
  return record;
}

void added(const std::string& output, std::size_t before, std::size_t now, const Stopwatch& watch,
           bool json) {
  const Times times(watch);
  Record record;
  record.add("file", output);
  record.add("before", "before", before);
  record.add("added", now - before);
  record.add("now", now);
  add_times(record, times);
  record.print(stdout, json);
}

// The options of `kith build` that each kind of index takes besides those of every verb.
constexpr const char* kOfVectors[] = {"--metric",        "--codec",   "--degree",     "--lists",
                                      "--balance",       "--recall",  "--build-beam", "--order",
                                      "--train-queries", "--leanvec", "--dataset"};
constexpr const char* kOfTexts[] = {"--stop-words", "--stem", "--k1", "--b", "--keep-text"};
constexpr const char* kOfSparse[] = {"--weights"};

template <std::size_t size>
void refuse_given(const CLI::App& verb, const std::string& index, const char* const (&names)[size],
                  const char* owner) {
  for (const char* name : names) {
    if (verb.count(name) == 0) continue;
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + ": an option of " + owner + ", but --index is " + index);
  }
}

}  // namespace

IndexKind kind_of_index(const std::string& path) {
  const KithFileReader reader = KithFileReader::open(path, false);
  const Meta meta = reader.meta();
  const std::string& kind = meta.string("kind");
  return kind == "bm25"     ? IndexKind::texts
         : kind == "sparse" ? IndexKind::sparse
         : kind == "sets"   ? IndexKind::sets
                            : IndexKind::vectors;
}

void add_inverted_choices(CLI::App& verb, InvertedChoices& choices) {
  constexpr double kMostK1 = 1000;
  verb.add_flag("--stop-words", choices.text.analyser.stop_words,
                "bm25: leave out the most frequent English words");
  verb.add_flag("--stem", choices.text.analyser.stem, "bm25: cut English suffixes (Porter)");
  verb.add_option("--k1", choices.text.k1, "bm25: how much repeats of a word count (default: 1.2)")
      ->check(CLI::Range(0.0, kMostK1))
      ->type_name("X");
  verb.add_option("--b", choices.text.b,
                  "bm25: how much long texts are held back, 0 to 1 (default: 0.75)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("X");
  verb.add_flag("--keep-text", choices.text.keep_text,
                "bm25: store the texts, to be shown beside what is found");
  verb.add_option("--weights", choices.weights,
                  "sparse: how weights are stored: f32, f16 or u8 (default: f32)")
      ->type_name("NAME");
}

void check_choices(const CLI::App& verb, const std::string& index) {
  if (index == "bm25" || index == "sparse") {
    refuse_given(verb, index, kOfVectors, "indexes of dense vectors");
  }
  if (index != "bm25") refuse_given(verb, index, kOfTexts, "bm25");
  if (index != "sparse") refuse_given(verb, index, kOfSparse, "sparse");
}

void build_texts(const std::string& input, const std::string& output, const std::string& format,
                 const InvertedChoices& choices, const CommonOptions& common) {
  const Stopwatch watch;
  const Texts texts = read_texts(input, format);
  TextOptions options = choices.text;
  options.control = common.control();
  const TextIndex index = TextIndex::build(texts.texts, texts.labels, options);
  index.save(output, options.control);
  const Times times(watch);
  Record record = texts_facts(output, index);
  add_times(record, times);
  record.print(stdout, common.json);
}

void build_sparse(const std::string& input, const std::string& output,
                  const InvertedChoices& choices, const CommonOptions& common) {
  const Stopwatch watch;
  const SparseVectors base = read_sparse(input);
  SparseOptions options;
  options.weights = choices.weights;
  options.control = common.control();
  const SparseIndex index =
      naming("base", input, [&] { return SparseIndex::build(base.rows, {}, options); });
  index.save(output, options.control);
  const Times times(watch);
  Record record = sparse_facts(output, index);
  add_times(record, times);
  record.print(stdout, common.json);
}

Record texts_record(const std::string& path) {
  return texts_facts(path, TextIndex::open(path));  // verifies every checksum
}

Record sparse_record(const std::string& path) {
  return sparse_facts(path, SparseIndex::open(path));
}

void add_texts(const std::string& index_path, const std::string& input, const std::string& output,
               const std::string& format, const CommonOptions& common) {
  TextIndex index = TextIndex::open(index_path);
  check_writable(output);
  const Stopwatch watch;
  const Texts more = read_texts(input, format);
  const std::size_t before = index.size();
  index.add(more.texts, more.labels, common.control());
  index.save(output, common.control());
  added(output, before, index.size(), watch, common.json);
}

void add_sparse(const std::string& index_path, const std::string& input, const std::string& output,
                const CommonOptions& common) {
  SparseIndex index = SparseIndex::open(index_path);
  check_writable(output);
  const Stopwatch watch;
  const SparseVectors more = read_sparse(input);
  const std::size_t before = index.size();
  naming("base", input, [&] { index.add(more.rows, {}, common.control()); });
  index.save(output, common.control());
  added(output, before, index.size(), watch, common.json);
}

std::string snippet(std::string_view text, std::size_t columns) {
  constexpr std::string_view kCut = "...";
  std::string line, fitting;
  std::size_t width = 0;
  bool space = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code = text::next_code_point(text, at);
    if (code <= ' ') {
      space = !line.empty();
      continue;
    }
    const std::string next = (space ? " " : "") + printable(text.substr(start, at - start));
    space = false;
    width += display_width(next);
    if (width > columns) return fitting + std::string(kCut);
    line += next;
    if (width + kCut.size() <= columns) fitting = line;
  }
  return line;
}

}  // namespace kith::cli

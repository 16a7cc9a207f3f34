// kith ingest: texts to a collection that answers questions in words: their vectors and their words
// in indexes, and their records to be shown.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nonzero_rows.h"
#include "cli/cli.h"
#include "cli/collection_path.h"
#include "cli/embed_run.h"
#include "cli/format.h"
#include "cli/ingest_parts.h"
#include "cli/options.h"
#include "cli/precision_option.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "encode/model_files.h"
#include "kith/error.h"
#include "kith/index.h"
#include "kith/passages.h"
#include "kith/text_index.h"
#include "store/collection.h"
#include "text/dictionary.h"
#include "text/utf8.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

struct Options : EmbedOptions {
  std::string name;
  BuildOptions build;
  AnalyserOptions analyser;
  std::size_t words = 0;  // of a passage; 0: texts stay whole
  std::optional<std::size_t> overlap;
  bool replace = false;

  PassageOptions passages() const {
    constexpr std::size_t kOverlapShare = 8;  // as 32 words of 256, the default of passages
    PassageOptions result;
    result.length = words;
    result.overlap = overlap.value_or(words / kOverlapShare);
    return result;
  }
};

// ---- What is kept of a text ---------------------------------------------------------------------

std::string dump(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// All that the input says of it, as a JSON object in UTF-8.
std::string record_of(const EmbedItem& item, const formats::TextStream& stream,
                      const std::string& input) {
  const formats::TextRecord& record = item.record;
  if (stream.format() == "jsonl") {
    std::string line = text::mended(record.line);
    if (json::accept(line)) return line;
    throw Error(ErrorCode::corrupt, input + ": line " + std::to_string(item.line) +
                                        ": not JSON by the letter of its standard");
  }
  if (stream.format() == "lines") return dump({{"text", record.text}});
  const std::vector<std::string>& columns = stream.columns();
  if (columns.empty()) return dump({{"id", record.id.value_or("")}, {"text", record.text}});
  ordered_json object = ordered_json::object();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    // Of columns with one name the first counts, as it does for the text.
    if (!object.contains(columns[i])) object[columns[i]] = text::mended(record.row[i]);
  }
  return dump(object);
}

// Ids, records, texts and where these were cut.
class Kept {
 public:
  Kept(const Staging& staging, bool passages)
      : texts_(staging.path("texts")), records_(staging.path("records")), cut_(passages) {}

  void take(const EmbedItem& item, const formats::TextStream& stream, const std::string& input) {
    const std::size_t number = lines_.size();
    const std::string id = item.record.id ? text::mended(*item.record.id) : std::to_string(number);
    if (number == kMaxVectors) {
      throw Error(ErrorCode::invalid_argument,
                  input + ": more than " + count_text(kMaxVectors) + " texts");
    }
    if (const Term known = ids_.add(id); known != number) {
      throw Error(ErrorCode::corrupt, input + ": line " + std::to_string(item.line) + ": id '" +
                                          printable(id) + "' stands in line " +
                                          std::to_string(lines_[known]) + " already");
    }
    lines_.push_back(item.line);
    for (const TextRange& piece : item.pieces) {
      if (cut_) {
        rows_.push_back({static_cast<Id>(number), static_cast<std::uint32_t>(piece.begin),
                         static_cast<std::uint32_t>(piece.end)});
      }
      starts_.push_back(texts_.size() + piece.begin);
      lengths_.push_back(piece.end - piece.begin);
    }
    texts_.append(item.record.text);
    records_.append(record_of(item, stream, input));
    record_offsets_.push_back(records_.size());
  }

  // The text of each row, and what it is mapped from.
  std::pair<std::vector<std::string_view>, std::shared_ptr<const MappedFile>> texts() {
    auto mapped = texts_.map();
    const auto* bytes = reinterpret_cast<const char*>(mapped->bytes().data());
    std::vector<std::string_view> views;
    views.reserve(starts_.size());
    for (std::size_t row = 0; row < starts_.size(); ++row) {
      views.emplace_back(lengths_[row] == 0 ? "" : bytes + starts_[row], lengths_[row]);
    }
    return {std::move(views), std::move(mapped)};
  }

  void write(const std::string& path, json manifest, const Control& control) {
    const auto mapped = records_.map();
    const auto bytes = mapped->bytes();
    store::write_items(path,
                       {.ids = ids_,
                        .record_offsets = record_offsets_,
                        .records = {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                        .passages = rows_,
                        .manifest = std::move(manifest)},
                       control);
  }

 private:
  Spool texts_, records_;
  bool cut_;
  text::Dictionary ids_;
  std::vector<std::uint64_t> lines_;  // of the input, where each began
  std::vector<std::uint64_t> record_offsets_{0};
  std::vector<store::Passage> rows_;  // none where texts stay whole
  std::vector<std::uint64_t> starts_, lengths_;
};

// ---- The work -----------------------------------------------------------------------------------

class Ingest {
 public:
  Ingest(const Options& options, const std::string& folder)
      : options_(options),
        folder_(folder),
        control_(options.control()),
        staging_(folder),
        run_(options, staging_.vectors(), how(options)) {
    staging_.own();
    kept_.emplace(staging_, options.words > 0);
  }

  void run() {
    const std::string where = "in " + staging_.folder();
    run_.run(where,
             [&](const EmbedItem& item) { kept_->take(item, run_.stream(), options_.input); });
    run_.rows().keep();
    embed_seconds_ = watch_.wall_seconds();
    try {
      build();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled) throw;
      throw Error(ErrorCode::cancelled, "cancelled: the vectors of " +
                                            count_text(run_.rows().rows()) + " texts are kept " +
                                            where + "; the same command goes on from there");
    }
    staging_.put_in_place();
    run_.rows().discard();
    report();
  }

 private:
  static EmbedRun::How how(const Options& options) {
    EmbedRun::How how;
    how.prompts = {"document", "passage"};  // sentence-transformers' names
    how.labels = false;
    if (options.words == 0) return how;
    const PassageOptions passages = options.passages();
    how.settings = {{"words", passages.length}, {"overlap", passages.overlap}};
    how.cut = [passages](std::string_view text) {
      std::vector<TextRange> pieces = kith::passages(text, passages);
      if (pieces.empty()) pieces.push_back({0, text.size()});
      return pieces;
    };
    return how;
  }

  void build() {
    const auto file = [&](const char* name) { return staging_.result() + "/" + name; };
    build_vectors(file(store::kVectorsFile));
    index_seconds_ = watch_.wall_seconds() - embed_seconds_;
    build_texts(file(store::kTextsFile));
    kept_->write(file(store::kItemsFile), manifest(), control_);
    words_seconds_ = watch_.wall_seconds() - embed_seconds_ - index_seconds_;
  }

  void build_vectors(const std::string& path) {
    BuildOptions build = options_.build;
    build.metric = Metric::cosine;
    build.seed = options_.seed;
    build.control = control_;
    auto mapped = run_.rows().map();
    MatrixView<const float> rows = run_.rows().view(*mapped);
    const std::vector<Id> numbers = nonzero_rows(rows);  // the others are left to words
    if (numbers.empty()) {
      run_.rows().discard();
      throw Error(ErrorCode::corrupt,
                  options_.input + ": no text has a token that the model knows");
    }
    Labels labels;
    if (numbers.size() < rows.rows()) {
      Spool spool(staging_.path("nonzero"));
      for (const Id row : numbers) {
        spool.append({reinterpret_cast<const char*>(rows.row(row)), rows.cols() * sizeof(float)});
      }
      mapped = spool.map();
      rows = {reinterpret_cast<const float*>(mapped->bytes().data()), numbers.size(), rows.cols()};
      labels = Labels(std::vector<std::uint64_t>(numbers.begin(), numbers.end()));
    }
    mapped->advise_sequential();
    const Index index = Index::build(rows, labels, build);
    index.save(path, control_);
    info_ = index.info();
  }

  void build_texts(const std::string& path) {
    TextOptions options;
    options.analyser = options_.analyser;
    options.control = control_;
    const auto [texts, mapped] = kept_->texts();
    TextIndex::build(texts, {}, options).save(path, control_);
  }

  json manifest() const {
    json model = {{"folder", fs::canonical(options_.model).string()},
                  {"checksum", encode::checksum_text(run_.model_sum())},
                  {"precision", precision_name(options_.precision)}};
    if (run_.encoding().layer) model["layer"] = *run_.encoding().layer;
    json all = {{"kith", KITH_VERSION},           {"model", model},
                {"input", options_.input},        {"format", run_.stream().format()},
                {"fields", options_.read.fields}, {"id", options_.read.id},
                {"counts", run_.counts()}};
    if (run_.encoding().prompt) all["prompt"] = *run_.encoding().prompt;
    if (options_.words > 0) {
      const PassageOptions passages = options_.passages();
      all["passages"] = {{"words", passages.length}, {"overlap", passages.overlap}};
    }
    return all;
  }

  void report() {
    const Times times(watch_);
    Record record;
    record.add("collection", options_.name);
    record.add("folder", folder_);
    record.add("items", run_.texts());
    if (options_.words > 0) record.add("passages", run_.rows().rows());
    record.add("dim", "dimension", info_.dim);
    record.add("index", info_.kind + ", " + info_.codec);
    run_.add_counts(record);
    Record::Sizes sizes;
    for (const char* name : {store::kItemsFile, store::kVectorsFile, store::kTextsFile}) {
      sizes.emplace_back(name, fs::file_size(fs::path(folder_) / name));
    }
    record.add_sizes("bytes", "size", sizes, run_.texts());
    const auto seconds = [&](const char* key, const char* title, double value) {
      record.add(key, title, Cell(value, seconds_text(value)));
    };
    seconds("embed_seconds", "to embed", embed_seconds_);
    seconds("index_seconds", "to index vectors", index_seconds_);
    seconds("words_seconds", "to index words", words_seconds_);
    add_times(record, times);
    run_.add_rate(record, embed_seconds_);
    record.print(stdout, options_.json);
  }

  const Options& options_;
  const std::string folder_;
  const Control control_;
  const Stopwatch watch_;
  Staging staging_;
  EmbedRun run_;
  std::optional<Kept> kept_;
  IndexInfo info_;
  double embed_seconds_ = 0, index_seconds_ = 0, words_seconds_ = 0;
};

// What has the collection's name is refused, or may go when it is a collection and nothing else.
void check_free(const std::string& folder, bool replace) {
  if (!fs::exists(fs::symlink_status(folder))) return;
  if (!replace) {
    throw Error(ErrorCode::invalid_argument,
                folder + ": exists already; --replace puts another in its place");
  }
  if (!store::Collection::is_at(folder)) {
    throw Error(ErrorCode::invalid_argument, folder + ": no collection, so it is not replaced");
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    const bool own =
        file == store::kItemsFile || file == store::kVectorsFile || file == store::kTextsFile;
    if (own) continue;
    throw Error(ErrorCode::invalid_argument,
                folder + ": holds " + printable(file) + " too, so it is not replaced");
  }
}

void ingest(const Options& options) {
  const std::string folder = collection_path(options.name);
  if (options.words == 0 && options.overlap) {
    throw Error(ErrorCode::invalid_argument, "--overlap: texts are whole without --passages");
  }
  if (options.words > 0) passages("", options.passages());  // refuses an overlap out of range
  check_free(folder, options.replace);
  if (options.name.find('/') == std::string::npos) {
    fs::create_directories(fs::path(folder).parent_path());
  }
  Ingest(options, folder).run();
}

}  // namespace

void add_ingest(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      root.add_subcommand("ingest", "Make a collection of texts that answers questions in words");
  add_embed_options(*verb, *options);
  verb->get_option("--prompt")
      ->description(
          "What stands before each text: the name of one of the model's prompts, or a text with a "
          "space or a colon (default: its document or passage, else its own default)");
  verb->get_option("--id")->description(
      "Member or column of the id (default: _id or id, where there is one, else numbers)");
  verb->add_option("-o,--output", options->name,
                   "Collection: the path of a new folder, or without a slash a name for kith ask "
                   "(in $XDG_DATA_HOME/kith, else ~/.local/share/kith)")
      ->required()
      ->type_name("NAME");
  verb->add_option("--index", options->build.index,
                   "auto, flat (exact), graph or ivf; see kith build (default: auto)")
      ->check(CLI::IsMember({"auto", "flat", "graph", "ivf"}))
      ->type_name("KIND");
  verb->add_option("--recall", options->build.recall,
                   "recall@10 that searches by vectors aim for (default: 0.95)")
      ->check(number_above(0, 1))
      ->type_name("R");
  verb->add_flag("--stem", options->analyser.stem, "Words: cut English suffixes (Porter)");
  verb->add_flag("--stop-words", options->analyser.stop_words,
                 "Words: leave out the most frequent English ones");
  verb->add_option(
          "--passages", options->words,
          "Cut texts into passages of at most so many words, each with a vector of its own "
          "(default: texts stay whole)")
      ->check(whole_number(1))
      ->type_name("WORDS");
  verb->add_option("--overlap", options->overlap,
                   "Words that a passage may repeat of the one before (default: an eighth)")
      ->check(whole_number(0))
      ->type_name("WORDS");
  verb->add_flag("--replace", options->replace, "Put it in place of a collection of that name");
  add_examples(*verb,
               "kith ingest packages.jsonl --model use-lite --precision int8 -o debian\n"
               "kith ingest mails.csv --field subject,body --id nr --model e5 -o ./mails --stem\n"
               "kith ingest books.jsonl --model bge --passages 200 -o books --replace\n"
               "# Interrupted? The same command goes on from where it was. Then ask:\n"
               "kith ask debian \"play music from the command line\"");
  verb->callback([options, verb] {
    use_options(*verb, *options);
    ingest(*options);
  });
}

}  // namespace kith::cli

// kith info: what a file is, whether an index, vectors or neighbour lists; or a collection.
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "cli/cli.h"
#include "cli/collection_path.h"
#include "cli/disk_options.h"
#include "cli/format.h"
#include "cli/inputs.h"
#include "cli/inverted.h"
#include "cli/multi.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/verify_options.h"
#include "kith/error.h"
#include "kith/index.h"
#include "store/collection.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string file;
  bool multi = false;
  DiskChoices disk;
  ReadOptions read;
};

std::string kind_name(Labels::Kind kind) {
  switch (kind) {
    case Labels::Kind::none:
      return "none (row numbers)";
    case Labels::Kind::numbers:
      return "numbers";
    case Labels::Kind::strings:
      return "strings";
  }
  return "?";
}

// By content where there is some, else by name, so that an empty x.kith is a broken index.
bool is_index(const std::string& path) {
  constexpr std::string_view kMagic = "kith";
  std::array<char, kMagic.size()> head{};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  return std::string_view(head.data(), head.size()) == kMagic || path.ends_with(".kith");
}

bool is_neighbours(const std::string& path) {
  return path.ends_with(".ivecs") || path.ends_with(".ibin");
}

Record index_record(const Options& options) {
  if (is_verifier(options.file)) return verifier_record(options.file, options.disk);
  switch (kind_of_index(options.file)) {
    case IndexKind::vectors:
      break;
    case IndexKind::sets:
      return sets_record(options.file);
    case IndexKind::texts:
      return texts_record(options.file);
    case IndexKind::sparse:
      return sparse_record(options.file);
  }
  OpenOptions open = open_options(options.disk);
  open.verify_disk = true;
  const Index index = Index::open(options.file, open);  // verifies every checksum
  const IndexInfo info = index.info();
  Record record;
  record.add("file", options.file);
  record.add("format", "kith index, version " + std::to_string(info.file_version));
  record.add("checksums", "verified");
  record.add("kind", info.kind);
  record.add("codec", info.codec);
  record.add("metric", name(info.metric));
  record.add("vectors", info.vectors);
  if (info.removed > 0) record.add("removed", "room of removed ones", info.removed);
  record.add("dim", "dimension", info.dim);
  record.add("element", "built from", name(info.element));
  record.add("labels", kind_name(info.labels));
  if (info.degree > 0) record.add("degree", info.degree);
  if (info.lists > 0) {
    record.add("lists", info.lists);
    record.add("longest_list", "longest list",
               Cell(info.longest_list, significant_text(info.longest_list, 3) + " times the mean"));
  }
  if (info.default_beam > 0) record.add("beam", info.default_beam);
  if (info.tuned_recall > 0) {
    record.add("tuned_recall", "beam tuned for",
               Cell(info.tuned_recall, "recall@10 " + significant_text(info.tuned_recall, 3)));
  }
  record.add_sizes("bytes", "size", info.bytes, info.vectors);
  add_disk(record, info.disk, info.vectors);
  return record;
}

Record vectors_record(const Options& options) {
  ReadOptions read = options.read;
  read.control = options.control();
  const Vectors vectors = read_vectors(options.file, read);
  Record record;
  record.add("file", options.file);
  record.add("format", vectors.format);
  record.add("vectors", vectors.rows.rows());
  record.add("dim", "dimension", vectors.rows.dim());
  record.add("element", name(vectors.rows.type()));
  record.add("labels", kind_name(vectors.labels.kind()));
  const std::size_t bytes = vectors.rows.rows() * vectors.rows.dim() * size_of(vectors.rows.type());
  record.add("bytes", "size", Cell(bytes, bytes_text(static_cast<double>(bytes))));
  return record;
}

Record neighbours_record(const Options& options) {
  ReadOptions read = options.read;
  read.control = options.control();
  const Neighbours neighbours = read_neighbours(options.file, read);
  Record record;
  record.add("file", options.file);
  record.add("format", "neighbour lists");
  record.add("queries", neighbours.queries());
  record.add("k", "neighbours each", neighbours.k());
  record.add("distances", neighbours.distances.rows() > 0);
  return record;
}

// The folder of the collection that is meant, where no file has that name; else nothing.
std::string collection_folder(const std::string& name) {
  if (std::filesystem::is_directory(name)) return store::Collection::is_at(name) ? name : "";
  if (std::filesystem::exists(name) || name.find('/') != std::string::npos) return {};
  try {
    const std::string folder = collection_path(name);
    return store::Collection::is_at(folder) ? folder : "";
  } catch (const Error&) {
    return {};  // no name of one, so it is a file that isn't there
  }
}

Record collection_record(const std::string& folder) {
  const store::Collection collection = store::Collection::open(folder, true);
  const Json& made = collection.items().manifest();
  const IndexInfo info = collection.vectors().info();
  const AnalyserOptions analyser = collection.texts().options().analyser;
  Record record;
  record.add("folder", folder);
  record.add("format", "kith collection");
  record.add("checksums", "verified");
  record.add("items", collection.items().size());
  if (collection.items().has_passages()) record.add("passages", collection.items().rows());
  record.add("vectors", summary(info));
  record.add("words", std::string(analyser.stem ? "stems" : "whole words") +
                          (analyser.stop_words ? ", without stop words" : ""));
  record.add("input", made.text("input"));
  record.add("model", made.object("model").text("folder"));
  record.add("model_checksum", "its checksum", made.object("model").text("checksum"));
  record.add("precision", "its precision", made.object("model").text("precision"));
  if (made.has("prompt")) record.add("prompt", made.text("prompt"));
  Record::Sizes sizes;
  for (const char* name : {store::kItemsFile, store::kVectorsFile, store::kTextsFile}) {
    sizes.emplace_back(name, std::filesystem::file_size(std::filesystem::path(folder) / name));
  }
  record.add_sizes("bytes", "size", sizes, collection.items().size());
  return record;
}

void run(const Options& options) {
  if (const std::string folder = collection_folder(options.file); !folder.empty()) {
    return collection_record(folder).print(stdout, options.json);
  }
  ReadOptions read = options.read;
  read.control = options.control();
  const Record record = options.multi                 ? set_file_record(options.file, read)
                        : is_index(options.file)      ? index_record(options)
                        : is_neighbours(options.file) ? neighbours_record(options)
                                                      : vectors_record(options);
  record.print(stdout, options.json);
}

}  // namespace

void add_info(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      root.add_subcommand("info", "Say what a file holds; verify an index's checksums");
  verb->add_option("FILE", options->file,
                   "Index, vectors or neighbour lists; or a collection's name")
      ->required()
      ->type_name("");
  verb->add_flag("--multi", options->multi, "FILE holds sets of vectors");
  add_disk_options(*verb, options->disk);
  add_read_options(*verb, options->read);
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith info words.kith\n"
               "kith info base.fvecs --json\n"
               "kith info x.kith.verify\n"
               "kith info truth.ibin\n"
               "kith info tokens.npz --multi\n"
               "kith info debian");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli

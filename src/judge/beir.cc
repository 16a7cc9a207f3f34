// BEIR's folders (Thakur et al., "BEIR: a heterogeneous benchmark for zero-shot evaluation of
// information retrieval models", 2021).
#include <charconv>
#include <filesystem>
#include <unordered_map>

#include "base/mapped_file.h"
#include "formats/bytes.h"
#include "formats/lines.h"
#include "judge/readers.h"
#include "kith/error.h"

namespace kith::judge {
namespace {

using Places = std::unordered_map<std::string, std::uint32_t>;

std::string corpus_path(const std::string& folder) { return folder + "/corpus.jsonl"; }
std::string queries_path(const std::string& folder) { return folder + "/queries.jsonl"; }
std::string qrels_path(const std::string& folder) { return folder + "/qrels/test.tsv"; }

void add_id(const JsonLine& line, TextPart& part, Places& places) {
  std::string id = line.id("_id");
  const auto place = static_cast<std::uint32_t>(part.ids.size());
  if (!places.emplace(id, place).second) line.refuse("\"_id\" '" + id + "' stands there twice");
  part.ids.push_back(std::move(id));
}

void read_texts(const std::string& path, bool titles, TextPart& part, Places& places) {
  for_each_json_line(path, [&](const JsonLine& line) {
    add_id(line, part, places);
    const std::string title = titles && line.has("title") ? line.text("title", true) : "";
    std::string text = line.text("text", /*may_be_empty=*/!is_blank(title));
    part.texts.push_back(is_blank(title) ? std::move(text) : title + " " + text);
  });
  if (part.texts.empty()) throw Error(ErrorCode::corrupt, path + ": holds nothing");
}

struct Judgement {
  std::string_view query, document;
  int grade;
};

// "QUERY tab DOCUMENT tab GRADE"; none for the header.
std::optional<Judgement> parse_judgement(const formats::Input& in, std::string_view line,
                                         std::size_t number) {
  const std::size_t first = line.find('\t');
  const std::size_t second = first == line.npos ? line.npos : line.find('\t', first + 1);
  if (second == line.npos) {
    formats::corrupt_line(in, number,
                          "expected a query's ID, a document's ID and a grade with tabs");
  }
  const std::string_view grade = line.substr(second + 1);
  Judgement judgement{line.substr(0, first), line.substr(first + 1, second - first - 1), 0};
  const auto [end, error] =
      std::from_chars(grade.data(), grade.data() + grade.size(), judgement.grade);
  if (error == std::errc{} && end == grade.data() + grade.size()) return judgement;
  if (number == 1) return std::nullopt;
  formats::corrupt_line(in, number, "grade '" + std::string(grade) + "', expected a whole number");
}

std::uint32_t place_of(const formats::Input& in, std::size_t line, const Places& places,
                       std::string_view id, const std::string& file) {
  const auto found = places.find(std::string(id));
  if (found != places.end()) return found->second;
  formats::corrupt_line(in, line, "'" + std::string(id) + "' is not in " + file);
}

// Adds a judgement to its query's; the same one twice is one.
void add_judgement(const formats::Input& in, std::size_t line, JudgedDocument judged,
                   std::vector<JudgedDocument>& list) {
  for (const JudgedDocument& other : list) {
    if (other.document != judged.document) continue;
    if (other.grade == judged.grade) return;
    formats::corrupt_line(in, line, "the same document was judged with another grade above");
  }
  list.push_back(judged);
}

}  // namespace

bool holds_beir(const std::string& folder) {
  return std::filesystem::exists(corpus_path(folder)) ||
         std::filesystem::exists(queries_path(folder));
}

RetrievalTask read_beir(const std::string& folder) {
  RetrievalTask task;
  task.queries.name = "queries";
  task.corpus.name = "corpus";
  Places documents, queries;
  TextPart all_queries;
  read_texts(corpus_path(folder), /*titles=*/true, task.corpus, documents);
  read_texts(queries_path(folder), /*titles=*/false, all_queries, queries);

  std::vector<std::vector<JudgedDocument>> judgements(all_queries.texts.size());
  const auto file = MappedFile::open(qrels_path(folder));
  formats::Input in;
  in.name = qrels_path(folder);
  in.bytes = file->bytes();
  formats::for_each_line(in.text(), [&](std::string_view line, std::size_t, std::size_t number) {
    if (is_blank(line)) return;
    const std::optional<Judgement> judgement = parse_judgement(in, line, number);
    if (!judgement) return;
    const std::uint32_t query = place_of(in, number, queries, judgement->query, "queries.jsonl");
    const std::uint32_t document =
        place_of(in, number, documents, judgement->document, "corpus.jsonl");
    add_judgement(in, number, {document, judgement->grade}, judgements[query]);
  });

  // Queries that this file doesn't judge belong to other splits.
  for (std::size_t q = 0; q < judgements.size(); ++q) {
    if (judgements[q].empty()) continue;
    task.queries.ids.push_back(std::move(all_queries.ids[q]));
    task.queries.texts.push_back(std::move(all_queries.texts[q]));
    task.judgements.push_back(std::move(judgements[q]));
  }
  if (task.judgements.empty()) {
    throw Error(ErrorCode::corrupt, in.name + ": judges no query, so nothing can be measured");
  }
  return task;
}

}  // namespace kith::judge

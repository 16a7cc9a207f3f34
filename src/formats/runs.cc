#include "formats/runs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <unordered_map>

#include "formats/bytes.h"

namespace kith::formats {
namespace {

constexpr std::string_view kSpace = " \t\r";
constexpr std::size_t kFields = 6;

// The fields of a line; more than kFields count as kFields + 1.
std::size_t split(std::string_view line, std::array<std::string_view, kFields>& fields) {
  std::size_t count = 0;
  for (std::size_t at = line.find_first_not_of(kSpace); at < line.size();
       at = line.find_first_not_of(kSpace, at)) {
    if (count == kFields) return count + 1;
    const std::size_t end = std::min(line.find_first_of(kSpace, at), line.size());
    fields[count++] = line.substr(at, end - at);
    at = end;
  }
  return count;
}

double parse_score(const Input& in, std::size_t line, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    corrupt_line(in, line, "score '" + std::string(text) + "', expected a number");
  }
  return value;
}

void check_name(std::string_view name) {
  if (name.empty() || name.find_first_of(" \t\r\n") != std::string_view::npos) {
    throw Error(ErrorCode::unsupported, "'" + std::string(name) +
                                            "': a run has no place for a name that is empty or "
                                            "holds white space");
  }
}

}  // namespace

std::vector<RunQuery> parse_run(const Input& in) {
  std::vector<RunQuery> queries;
  std::unordered_map<std::string_view, std::size_t> places;
  std::string_view rest = in.text();
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::array<std::string_view, kFields> fields;
    const std::size_t count = split(rest.substr(0, end), fields);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (count == 0) continue;
    if (count != kFields) {
      corrupt_line(in, number,
                   (count > kFields ? "more than 6" : std::to_string(count)) +
                       std::string(" fields, expected QUERY Q0 DOCUMENT RANK SCORE TAG"));
    }
    const auto place = places.emplace(fields[0], queries.size());
    if (place.second) queries.push_back({fields[0], {}});
    queries[place.first->second].hits.push_back({fields[2], parse_score(in, number, fields[4])});
  }
  for (RunQuery& query : queries) {
    std::stable_sort(query.hits.begin(), query.hits.end(),
                     [](const RunHit& a, const RunHit& b) { return a.score > b.score; });
  }
  return queries;
}

void write_run_hit(AtomicFile& file, std::string_view query, std::string_view document,
                   std::size_t rank, double score) {
  check_name(query);
  check_name(document);
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, " %zu %.9g kith\n", rank, score);
  file.write(query);
  file.write(" Q0 ");
  file.write(document);
  file.write(numbers);
}

}  // namespace kith::formats

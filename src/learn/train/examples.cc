#include "learn/train/examples.h"

#include <cmath>

#include "formats/text_stream.h"
#include "json/json.h"
#include "kith/error.h"

namespace kith::learn {
namespace {

Example parse_example(const std::string& line, const std::string& place,
                      const SourceOptions& options) {
  const Json json = Json::parse(line, place);
  Example example;
  example.query = json.text(options.query);
  example.positive = json.text(options.positive);
  if (example.query.empty()) json.refuse(options.query, "a text that isn't empty");
  if (example.positive.empty()) json.refuse(options.positive, "a text that isn't empty");
  if (json.has(options.negatives)) {
    if (json.member(options.negatives).raw().is_string()) {
      example.negatives = {json.text(options.negatives)};
    } else {
      example.negatives = json.texts(options.negatives);
    }
  }
  if (json.has(options.query_concepts)) example.query_concepts = json.texts(options.query_concepts);
  if (json.has(options.concepts)) example.concepts = json.texts(options.concepts);
  if (json.has(options.thought)) example.thought = json.text(options.thought);
  if (json.has(options.score)) example.score = json.number(options.score, -1e30, 1e30);
  if (json.has(options.scores)) {
    const Json list = json.member(options.scores);
    list.expect_array();
    for (std::size_t i = 0; i < list.size(); ++i) {
      example.scores.push_back(list.element(i).number());
      if (!std::isfinite(example.scores.back())) json.refuse(options.scores, "finite numbers");
    }
    if (example.scores.size() != 1 + example.negatives.size()) {
      json.refuse(options.scores, std::to_string(1 + example.negatives.size()) +
                                      " numbers, one for the positive and each negative");
    }
  }
  return example;
}

}  // namespace

std::vector<Example> read_examples(const SourceOptions& options) {
  std::vector<Example> examples;
  const auto full = [&] {
    return options.limit > 0 && static_cast<std::int64_t>(examples.size()) == options.limit;
  };
  for (const std::string& file : options.files) {
    formats::TextStream stream(file, {.format = "jsonl", .fields = {options.query}, .id = {}});
    formats::TextRecord record;
    while (!full() && stream.next(record)) {
      examples.push_back(
          parse_example(record.line, file + ": line " + std::to_string(stream.line()), options));
    }
  }
  if (examples.empty()) {
    throw Error(ErrorCode::invalid_argument,
                (options.files.empty() ? "a data source without files"
                                       : options.files.front() + ": no example"));
  }
  return examples;
}

}  // namespace kith::learn

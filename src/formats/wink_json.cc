// The JSON of npm's wink-embeddings packages: an object with "dimensions", "size" and "vectors", an
// object from word to an array whose first `dimensions` values are the vector (its norm and number
// follow). Rows are in the order of "vectors"; other members are passed over. Read only.
#include <memory>
#include <vector>

#include "formats/json_reader.h"
#include "formats/rows.h"
#include "formats/words.h"

namespace kith::formats {
namespace {

struct WinkTable {
  std::uint64_t dim = 0, size = 0;
  bool has_size = false, has_vectors = false;
  std::size_t width = 0;  // values a row has in the file
  std::size_t dim_byte = 0;
  std::vector<float> values;  // all rows, whole
  WordList words;
};

void read_row(JsonReader& json, const std::string& word, WinkTable& table) {
  const std::size_t start = table.values.size();
  const std::size_t byte = json.position();
  json.array([&] { table.values.push_back(json.number()); });
  const std::size_t width = table.values.size() - start;
  if (table.words.size() == 0) table.width = width;
  if (width != table.width) {
    json.fail("'" + word + "', whose array starts at byte " + std::to_string(byte) + ", has " +
              std::to_string(width) + " values, but the first word has " +
              std::to_string(table.width));
  }
  table.words.add(word);
}

void read_table(const Input& in, JsonReader& json, WinkTable& table) {
  if (table.has_vectors) json.fail("\"vectors\" appears twice");
  table.has_vectors = true;
  // A value takes two bytes at least, so a lying header can't ask for more than the file holds.
  const std::uint64_t limit = in.bytes.size() / 2;
  if (table.size <= kMaxVectors && table.dim <= kMaxDim) {
    table.values.reserve(std::min(table.size * (table.dim + 2), limit));
  }
  json.object([&](const std::string& word) { read_row(json, word, table); });
}

void check_table(const Input& in, const WinkTable& table) {
  const std::size_t rows = table.words.size();
  const auto refuse = [&](const std::string& reason) { corrupt_at(in, table.dim_byte, reason); };
  if (!table.has_vectors) refuse("the object has no \"vectors\"");
  if (table.dim_byte == 0) refuse("the object has no \"dimensions\"");
  check_shape(in, table.dim_byte, rows, table.dim);
  if (table.has_size && table.size != rows) {
    refuse("\"size\" is " + std::to_string(table.size) + ", but \"vectors\" has " +
           std::to_string(rows));
  }
  if (table.width < table.dim) {
    refuse("\"dimensions\" is " + std::to_string(table.dim) + ", but rows have " +
           std::to_string(table.width) + " values");
  }
}

Vectors read_wink(const Input& in) {
  WinkTable table;
  JsonReader json(in, 0, in.bytes.size());
  json.object([&](const std::string& key) {
    throw_if_cancelled(in.control);
    if (key == "dimensions") {
      table.dim_byte = json.position();
      table.dim = json.whole();
    } else if (key == "size") {
      table.size = json.whole();
      table.has_size = true;
    } else if (key == "vectors") {
      read_table(in, json, table);
    } else {
      json.skip();
    }
  });
  json.end();
  check_table(in, table);
  const Labels labels = table.words.strings();
  if (const auto repeat = first_repeat(labels)) {
    throw Error(ErrorCode::corrupt, in.name + ": rows " + std::to_string(repeat->first) + " and " +
                                        std::to_string(repeat->second) + " have the same word, '" +
                                        labels.text(repeat->first) + "'");
  }
  auto values = std::make_shared<std::vector<float>>(std::move(table.values));
  const MatrixView<const float> rows(values->data(), table.words.size(), table.dim,
                                     table.width * sizeof(float));
  return {AnyMatrixView(rows), labels, "wink-json", values};
}

// An object whose first bytes name its dimensions.
Evidence inspect_wink(const Input& in) {
  constexpr std::size_t kGlance = 512;
  const std::string_view head = in.text().substr(0, kGlance);
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  const bool object = first != std::string_view::npos && head[first] == '{';
  return object && head.find("\"dimensions\"") != std::string_view::npos ? Evidence::certain
                                                                         : Evidence::none;
}

}  // namespace

constexpr Format kWinkJson{.name = "wink-json",
                           .extensions = {".json"},
                           .inspect = inspect_wink,
                           .read_vectors = read_wink,
                           .holds_labels = true};

}  // namespace kith::formats

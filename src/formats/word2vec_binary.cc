// word2vec's binary form: a text line with count and dimension, then for each word its text, a
// space and float32 values; a line break may follow each.
#include <charconv>
#include <cstring>

#include "formats/rows.h"
#include "formats/words.h"

namespace kith::formats {
namespace {

constexpr std::size_t kMaxHeader = 48;
constexpr std::size_t kMaxWord = 65536;

struct Header {
  std::uint64_t rows = 0, dim = 0;
  std::size_t size = 0;  // bytes, line break included; 0: none
};

Header parse_header(std::string_view text) {
  const std::size_t line_end = text.substr(0, kMaxHeader).find('\n');
  if (line_end == std::string_view::npos) return {};
  Header header;
  const char* const end = text.data() + line_end;
  const auto rows = std::from_chars(text.data(), end, header.rows);
  if (rows.ec != std::errc{} || rows.ptr == end || *rows.ptr != ' ') return {};
  const auto dim = std::from_chars(rows.ptr + 1, end, header.dim);
  if (dim.ec != std::errc{} || dim.ptr != end) return {};
  header.size = line_end + 1;
  return header;
}

// The word that starts at `at`, which moves behind the space that ends it.
std::string_view take_word(const Input& in, std::size_t row, std::size_t& at) {
  const std::string_view rest = in.text().substr(at);
  const std::size_t length = rest.substr(0, kMaxWord + 1).find(' ');
  if (length == std::string_view::npos) {
    corrupt_at(in, at,
               "word " + std::to_string(row) +
                   (rest.size() > kMaxWord ? " isn't ended by a space within 65536 bytes"
                                           : " is cut off"));
  }
  const std::string_view word = rest.substr(0, length);
  if (word.empty()) corrupt_at(in, at, "word " + std::to_string(row) + " is empty");
  if (word.find('\n') != std::string_view::npos) {
    corrupt_at(in, at, "word " + std::to_string(row) + " holds a line break");
  }
  at += length + 1;
  return word;
}

Vectors read_word2vec_binary(const Input& in) {
  const Header header = parse_header(in.text());
  if (header.size == 0) {
    corrupt_at(in, 0, "expected a line with the number of words and the dimension");
  }
  check_shape(in, 0, header.rows, header.dim);
  const std::size_t row_bytes = header.dim * sizeof(float);
  const std::size_t room = in.bytes.size() - header.size;
  if (header.rows > room / (row_bytes + 2)) {  // a word takes a byte and a space at least
    corrupt_at(in, 0,
               "announces " + std::to_string(header.rows) + " words of dimension " +
                   std::to_string(header.dim) + ", but only " + std::to_string(room) +
                   " bytes follow");
  }
  Matrix<float> matrix(header.rows, header.dim);
  WordList words;
  words.reserve(header.rows, 8 * header.rows);
  std::size_t at = header.size;
  for (std::size_t row = 0; row < header.rows; ++row) {
    if (row % 1024 == 0) throw_if_cancelled(in.control);
    if (at < in.bytes.size() && in.text()[at] == '\n') ++at;
    words.add(take_word(in, row, at));
    if (in.bytes.size() - at < row_bytes) {
      corrupt_at(in, in.bytes.size(),
                 "the vector of word " + std::to_string(row) +
                     " is cut off: " + std::to_string(in.bytes.size() - at) + " bytes, expected " +
                     std::to_string(row_bytes));
    }
    std::memcpy(matrix.row(row), in.bytes.data() + at, row_bytes);
    at += row_bytes;
  }
  if (at < in.bytes.size() && in.text()[at] == '\n') ++at;
  if (at != in.bytes.size()) {
    corrupt_at(in, at, std::to_string(in.bytes.size() - at) + " bytes after the last word");
  }
  Vectors vectors = owned_rows("word2vec-binary", std::move(matrix));
  vectors.labels = words.labels();
  if (const auto repeat = first_repeat(vectors.labels)) {
    throw Error(ErrorCode::corrupt, in.name + ": words " + std::to_string(repeat->first) + " and " +
                                        std::to_string(repeat->second) + " are the same, '" +
                                        vectors.labels.text(repeat->first) + "'");
  }
  return vectors;
}

// A header that isn't followed by a row of text; word2vec text is asked before.
Evidence inspect_word2vec_binary(const Input& in) {
  const Header header = parse_header(in.text());
  return header.size != 0 && header.size < in.bytes.size() ? Evidence::certain : Evidence::none;
}

void write_word2vec_binary(AtomicFile& file, const VectorsOutput& out) {
  check_words(out.labels, "word2vec binary");
  file.write(std::to_string(out.rows.rows()) + " " + std::to_string(out.rows.dim()) + "\n");
  for (std::size_t i = 0; i < out.rows.rows(); ++i) {
    throw_if_cancelled(out.control);
    file.write(out.labels.text(i) + " ");
    file.write(out.rows.row(i), out.rows.dim() * sizeof(float));
    file.write("\n");
  }
}

}  // namespace

constexpr Format kWord2vecBinary{.name = "word2vec-binary",
                                 .extensions = {".bin"},
                                 .inspect = inspect_word2vec_binary,
                                 .read_vectors = read_word2vec_binary,
                                 .write_vectors = write_word2vec_binary,
                                 .elements = bit(ElementType::f32),
                                 .holds_labels = true,
                                 .needs_labels = true};

}  // namespace kith::formats

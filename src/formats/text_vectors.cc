// Word vectors as text, a line a word: word2vec text and fastText .vec (a first line with count and
// dimension) and GloVe (no first line). A word may hold spaces when what follows its first space
// isn't a number; the last `dim` fields are the vector.
#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "formats/numbers.h"
#include "formats/rows.h"
#include "formats/words.h"

namespace kith::formats {
namespace {

constexpr std::size_t kGlance = std::size_t{1} << 20;  // of a line, when recognising

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim_end(std::string_view line) {
  while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

// Takes the first line off `text`, without its line break.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

struct TextHeader {
  std::uint64_t rows, dim;
};

// "341479 100".
std::optional<TextHeader> parse_header(std::string_view line) {
  line = trim_end(line);
  TextHeader header{};
  const char* const end = line.data() + line.size();
  const auto rows = std::from_chars(line.data(), end, header.rows);
  if (rows.ec != std::errc{} || rows.ptr == end || !is_blank(*rows.ptr)) return std::nullopt;
  const auto dim = std::from_chars(rows.ptr + 1, end, header.dim);
  if (dim.ec != std::errc{} || dim.ptr != end) return std::nullopt;
  return header;
}

// One field of a line at a time.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  bool next(std::string_view& field) {
    std::size_t start = 0;
    while (start < rest_.size() && is_blank(rest_[start])) ++start;
    rest_.remove_prefix(start);
    if (rest_.empty()) return false;
    std::size_t end = 0;
    while (end < rest_.size() && !is_blank(rest_[end])) ++end;
    field = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }

 private:
  std::string_view rest_;
};

std::size_t count_fields(std::string_view line) {
  Fields fields(line);
  std::string_view field;
  std::size_t count = 0;
  while (fields.next(field)) ++count;
  return count;
}

NumberStatus parse_whole(std::string_view field, float& value) {
  const ParsedNumber number = parse_float(field.data(), field.data() + field.size());
  value = number.value;
  if (number.status == NumberStatus::ok && number.end != field.data() + field.size()) {
    return NumberStatus::not_a_number;
  }
  return number.status;
}

// Splits a line into its word and the text of its values.
void split_word(std::string_view line, std::size_t dim, std::string_view& word,
                std::string_view& values) {
  line = trim_end(line);
  std::size_t end = 0;
  while (end < line.size() && !is_blank(line[end])) ++end;
  word = line.substr(0, end);
  values = line.substr(end);
  Fields fields(values);
  std::string_view second;
  float ignored = 0;
  if (!fields.next(second) || parse_whole(second, ignored) != NumberStatus::not_a_number) return;
  const std::size_t count = count_fields(values);
  if (count <= dim) return;  // a bad number, not a longer word
  // The word goes on: cut before the last `dim` fields.
  std::size_t cut = line.size();
  for (std::size_t i = 0; i < dim; ++i) {
    while (is_blank(line[cut - 1])) --cut;
    while (!is_blank(line[cut - 1])) --cut;
  }
  word = trim_end(line.substr(0, cut));
  values = line.substr(cut);
}

// Parses one line into `out`; says what is wrong, or nothing.
std::optional<std::string> parse_line(std::string_view line, std::size_t dim,
                                      std::string_view& word, float* out) {
  std::string_view values, field;
  split_word(line, dim, word, values);
  if (word.empty()) return "the line doesn't start with a word";
  Fields fields(values);
  std::size_t count = 0;
  for (; fields.next(field); ++count) {
    if (count == dim) {
      return std::to_string(count_fields(values)) + " values, expected " + std::to_string(dim);
    }
    const NumberStatus status = parse_whole(field, out[count]);
    if (status == NumberStatus::ok) continue;
    constexpr std::size_t kShown = 40;
    return "value " + std::to_string(count + 1) + ", '" + std::string(field.substr(0, kShown)) +
           (status == NumberStatus::too_large ? "', is too large for float32" : "', is no number");
  }
  if (count != dim) {
    return std::to_string(count) + " values, expected " + std::to_string(dim);
  }
  return std::nullopt;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) lines.push_back(take_line(text));
  while (!lines.empty() && trim_end(lines.back()).empty()) lines.pop_back();
  return lines;
}

Labels words_of(const Input& in, const std::vector<std::string_view>& words,
                std::size_t first_line) {
  WordList list;
  std::size_t bytes = 0;
  for (std::string_view word : words) bytes += word.size();
  list.reserve(words.size(), bytes);
  for (std::string_view word : words) list.add(word);
  Labels labels = list.labels();
  if (const auto repeat = first_repeat(labels)) {
    corrupt_line(in, first_line + repeat->second,
                 "the word '" + labels.text(repeat->second) + "' appeared in line " +
                     std::to_string(first_line + repeat->first) + " already");
  }
  return labels;
}

Vectors parse_rows(const Input& in, const char* format, std::string_view text, std::size_t dim,
                   std::size_t first_line) {
  const std::vector<std::string_view> lines = split_lines(text);
  const std::size_t rows = lines.size();
  if (rows == 0) corrupt_line(in, first_line, "no word follows");
  if (rows > kMaxVectors) corrupt_line(in, first_line, std::to_string(rows) + " rows are too many");
  // A value and its space take two bytes, so this bounds what a lying first line can allocate.
  if (rows * dim > text.size() / 2) {
    const auto shorter = std::find_if(lines.begin(), lines.end(),
                                      [&](std::string_view line) { return line.size() < 2 * dim; });
    const auto row = static_cast<std::size_t>(shorter - lines.begin());
    corrupt_line(in, first_line + row,
                 std::to_string(lines[row].size()) + " characters are too short for a word and " +
                     std::to_string(dim) + " values");
  }
  Matrix<float> matrix(rows, dim);
  std::vector<std::string_view> words(rows);
  const std::size_t bad = first_bad_row(in.control, rows, [&](std::size_t i) {
    return parse_line(lines[i], dim, words[i], matrix.row(i)).has_value();
  });
  if (bad != rows) {
    corrupt_line(in, first_line + bad, *parse_line(lines[bad], dim, words[bad], matrix.row(bad)));
  }
  Vectors vectors = owned_rows(format, std::move(matrix));
  vectors.labels = words_of(in, words, first_line);
  return vectors;
}

void check_dim(const Input& in, std::uint64_t dim) {
  if (dim < 1 || dim > kMaxDim) {
    corrupt_line(in, 1,
                 "dimension " + std::to_string(dim) + "; expected 1 to " + std::to_string(kMaxDim));
  }
}

Vectors read_with_header(const Input& in, const char* format) {
  std::string_view text = in.text();
  const std::optional<TextHeader> header = parse_header(take_line(text));
  if (!header) corrupt_line(in, 1, "expected the number of words and the dimension");
  check_dim(in, header->dim);
  Vectors vectors = parse_rows(in, format, text, header->dim, 2);
  if (vectors.rows.rows() != header->rows) {
    corrupt_line(in, 1,
                 "announces " + std::to_string(header->rows) + " words, but " +
                     std::to_string(vectors.rows.rows()) + " follow");
  }
  return vectors;
}

Vectors read_word2vec(const Input& in) { return read_with_header(in, "word2vec-text"); }
Vectors read_fasttext(const Input& in) { return read_with_header(in, "fasttext-vec"); }

Vectors read_glove(const Input& in) {
  std::string_view text = in.text();
  const std::string_view first = trim_end(take_line(text));
  const std::size_t fields = count_fields(first);
  if (fields < 2) corrupt_line(in, 1, "expected a word and its values");
  check_dim(in, fields - 1);
  return parse_rows(in, "glove", in.text(), fields - 1, 1);
}

// The values of a line, as far as characters show.
bool looks_like_row(std::string_view line) {
  line = trim_end(line.substr(0, kGlance));
  const std::size_t space = line.find_first_of(" \t");
  if (space == 0 || space == std::string_view::npos) return false;
  std::string_view values = line.substr(space);
  return values.find_first_not_of("0123456789+-.eE \t") == std::string_view::npos;
}

// A word and something behind it, without the control characters that binary numbers hold.
bool may_be_row(std::string_view line) {
  line = trim_end(line.substr(0, kGlance));
  if (line.empty()) return true;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; };
  return line.find_first_of(" \t") != std::string_view::npos &&
         std::none_of(line.begin(), line.end(), is_control);
}

// The binary form starts with the same line, and a float that holds a digit and a line break makes
// its first row look like text: the lines after it decide.
Evidence inspect_word2vec(const Input& in) {
  constexpr int kLinesAfter = 3;
  std::string_view text = in.text();
  if (!parse_header(take_line(text))) return Evidence::none;
  if (text.empty()) return Evidence::certain;
  if (!looks_like_row(take_line(text))) return Evidence::none;
  for (int i = 0; i < kLinesAfter && !text.empty(); ++i) {
    if (!may_be_row(take_line(text))) return Evidence::none;
  }
  return Evidence::certain;
}

// Differs from word2vec text in nothing but its name.
Evidence inspect_fasttext(const Input& in) {
  return in.name.ends_with(".vec") ? inspect_word2vec(in) : Evidence::none;
}

Evidence inspect_glove(const Input& in) {
  std::string_view text = in.text();
  const std::string_view first = take_line(text);
  return !parse_header(first) && looks_like_row(first) ? Evidence::fits : Evidence::none;
}

// Lines of rows [begin, end).
std::string print_rows(const VectorsOutput& out, std::size_t begin, std::size_t end,
                       std::string_view line_end) {
  const auto& rows = std::get<MatrixView<const float>>(out.rows.variant());
  std::string text;
  char number[kFloatText];
  for (std::size_t i = begin; i < end; ++i) {
    text += out.labels.text(i);
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      text += ' ';
      text.append(number, print_float(rows(i, j), number));
    }
    text += line_end;
  }
  return text;
}

// Prints blocks in parallel and writes them in order.
void write_rows(AtomicFile& file, const VectorsOutput& out, std::string_view line_end) {
  constexpr std::size_t kBlock = 256;
  const std::size_t rows = out.rows.rows();
  const std::size_t batch = kBlock * 4 * thread_count(out.control);
  for (std::size_t start = 0; start < rows; start += batch) {
    const std::size_t count = std::min(batch, rows - start);
    std::vector<std::string> blocks((count + kBlock - 1) / kBlock);
    parallel_for(out.control, count, kBlock, [&](std::size_t begin, std::size_t end, std::size_t) {
      blocks[begin / kBlock] = print_rows(out, start + begin, start + end, line_end);
    });
    for (const std::string& block : blocks) file.write(block);
  }
}

void write_header(AtomicFile& file, const VectorsOutput& out) {
  file.write(std::to_string(out.rows.rows()) + " " + std::to_string(out.rows.dim()) + "\n");
}

void write_word2vec(AtomicFile& file, const VectorsOutput& out) {
  check_words(out.labels, "word2vec text");
  write_header(file, out);
  write_rows(file, out, "\n");
}

void write_fasttext(AtomicFile& file, const VectorsOutput& out) {
  check_words(out.labels, "fastText .vec");
  write_header(file, out);
  write_rows(file, out, " \n");  // as fastText does
}

void write_glove(AtomicFile& file, const VectorsOutput& out) {
  check_words(out.labels, "GloVe text");
  write_rows(file, out, "\n");
}

}  // namespace

constexpr Format kFasttextVec{.name = "fasttext-vec",
                              .extensions = {".vec"},
                              .inspect = inspect_fasttext,
                              .read_vectors = read_fasttext,
                              .write_vectors = write_fasttext,
                              .elements = bit(ElementType::f32),
                              .holds_labels = true,
                              .needs_labels = true};

constexpr Format kWord2vecText{.name = "word2vec-text",
                               .extensions = {".w2v", ".word2vec"},
                               .inspect = inspect_word2vec,
                               .read_vectors = read_word2vec,
                               .write_vectors = write_word2vec,
                               .elements = bit(ElementType::f32),
                               .holds_labels = true,
                               .needs_labels = true};

constexpr Format kGlove{.name = "glove",
                        .extensions = {".txt", ".glove"},
                        .inspect = inspect_glove,
                        .read_vectors = read_glove,
                        .write_vectors = write_glove,
                        .elements = bit(ElementType::f32),
                        .holds_labels = true,
                        .needs_labels = true};

}  // namespace kith::formats

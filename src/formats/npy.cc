// NumPy's .npy, versions 1 to 3: magic, version, header length, a Python dictionary, the array.
// Reads 2-D arrays of f2 f4 f8 i1 u1 in C or Fortran order (ids: u4 i4 u8 i8); writes version 1 in
// C order.
#include "formats/npy.h"

#include <charconv>
#include <vector>

#include "formats/rows.h"

namespace kith::formats {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlign = 64;  // where NumPy starts the array

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<std::uint64_t> shape;
  std::size_t shape_byte = 0;
  std::size_t data = 0;  // byte of the array's first element
};

// The dictionary literal of the header: three keys in any order.
class HeaderParser {
 public:
  HeaderParser(const Input& in, std::size_t begin, std::size_t end)
      : in_(in), at_(begin), end_(end) {
    header_.data = end;
  }

  Header parse() {
    expect('{');
    while (!accept('}')) {
      entry();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != end_) fail("text after the dictionary");
    if (!descr_ || !order_ || !shape_) {
      fail("the header lacks descr, fortran_order or shape");
    }
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) { corrupt_at(in_, at_, reason); }

  char peek() const { return at_ < end_ ? in_.text()[at_] : '\0'; }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "' in the header");
  }

  bool accept_word(std::string_view word) {
    skip_space();
    if (in_.text().substr(at_, std::min(word.size(), end_ - at_)) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string quoted() {
    skip_space();
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("expected a quoted string in the header");
    const std::size_t start = ++at_;
    while (at_ < end_ && peek() != quote) ++at_;
    if (at_ == end_) fail("a string in the header isn't closed");
    return std::string(in_.text().substr(start, at_++ - start));
  }

  void entry() {
    const std::string key = quoted();
    expect(':');
    if (key == "descr") {
      skip_space();
      if (peek() == '[') fail("a structured array; expected a plain one");
      header_.descr = quoted();
      once(descr_, key);
    } else if (key == "fortran_order") {
      header_.fortran = accept_word("True");
      if (!header_.fortran && !accept_word("False"))
        fail("fortran_order is neither True nor False");
      once(order_, key);
    } else if (key == "shape") {
      shape();
      once(shape_, key);
    } else {
      fail("unknown key '" + key + "' in the header");
    }
  }

  void once(bool& seen, const std::string& key) {
    if (seen) fail("key '" + key + "' appears twice in the header");
    seen = true;
  }

  void shape() {
    header_.shape.clear();
    expect('(');
    header_.shape_byte = at_;
    while (!accept(')')) {
      skip_space();
      std::uint64_t extent = 0;
      const char* start = in_.text().data() + at_;
      const auto [stop, error] = std::from_chars(start, in_.text().data() + end_, extent);
      if (error != std::errc{}) fail("shape: expected whole numbers that fit 64 bits");
      at_ += static_cast<std::size_t>(stop - start);
      accept('L');  // Python 2 wrote long integers so
      header_.shape.push_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  const Input& in_;
  std::size_t at_, end_;
  Header header_;
  bool descr_ = false, order_ = false, shape_ = false;
};

Header read_header(const Input& in) {
  if (in.text().substr(0, kMagic.size()) != kMagic) {
    corrupt_at(in, 0, "no NumPy file: the magic \\x93NUMPY is missing");
  }
  const auto major = read_at<std::uint8_t>(in, 6, "the version");
  read_at<std::uint8_t>(in, 7, "the version");
  if (major < 1 || major > 3) {
    throw Error(ErrorCode::unsupported,
                in.name + ": npy version " + std::to_string(major) + "; expected 1, 2 or 3");
  }
  const std::size_t begin = major == 1 ? 10 : 12;
  const std::size_t length = major == 1 ? read_at<std::uint16_t>(in, 8, "the header's length")
                                        : read_at<std::uint32_t>(in, 8, "the header's length");
  if (length > in.bytes.size() - begin) {
    corrupt_at(in, in.bytes.size(),
               "the file ends inside the header of " + std::to_string(length) + " bytes");
  }
  return HeaderParser(in, begin, begin + length).parse();
}

struct Array {
  std::string type;  // "f4", without the byte order
  std::size_t rows, dim, item, data;
  bool fortran;
};

// The type and bytes of an array whose shape was checked.
Array check_elements(const Input& in, const Header& header, std::uint64_t rows, std::uint64_t dim) {
  if (header.descr.size() < 2) {
    corrupt_at(in, header.data, "descr '" + header.descr + "' names no type");
  }
  if (header.descr[0] == '>') {
    throw Error(ErrorCode::unsupported, in.name + ": '" + header.descr +
                                            "' is big-endian; save it as '<" +
                                            header.descr.substr(1) + "' (array.astype)");
  }
  const std::string type = header.descr.substr(1);
  const char size = type.back();
  const bool known = (header.descr[0] == '<' || header.descr[0] == '|') && type.size() == 2 &&
                     size >= '1' && size <= '8';
  if (!known) {
    throw Error(ErrorCode::unsupported,
                in.name + ": element type '" + header.descr +
                    "'; expected f2, f4, f8, i1 or u1 (ids: u4, i4, u8 or i8)");
  }
  Array array{type,
              static_cast<std::size_t>(rows),
              static_cast<std::size_t>(dim),
              static_cast<std::size_t>(size - '0'),
              header.data,
              header.fortran};
  const std::size_t expected = array.rows * array.dim * array.item;
  const std::size_t present = in.bytes.size() - header.data;
  if (present != expected) {
    corrupt_at(in, header.data,
               "shape (" + std::to_string(array.rows) +
                   (header.shape.size() == 1 ? "" : ", " + std::to_string(array.dim)) + ") of " +
                   type + " takes " + std::to_string(expected) + " bytes, but " +
                   std::to_string(present) + " follow");
  }
  return array;
}

Array check_array(const Input& in) {
  const Header header = read_header(in);
  if (header.shape.size() != 2) {
    throw Error(ErrorCode::unsupported, in.name + ": an array of " +
                                            std::to_string(header.shape.size()) +
                                            " dimensions; expected 2 (rows, components)");
  }
  check_shape(in, header.shape_byte, header.shape[0], header.shape[1]);
  return check_elements(in, header, header.shape[0], header.shape[1]);
}

template <class T>
std::vector<std::uint64_t> counts_of(const Input& in, const Array& array) {
  std::vector<std::uint64_t> counts(array.rows);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::size_t byte = array.data + i * sizeof(T);
    const T value = load<T>(in.bytes.data() + byte);
    if (value < 0) {
      corrupt_at(
          in, byte,
          "element " + std::to_string(i) + " is " + std::to_string(value) + ", expected 0 or more");
    }
    counts[i] = static_cast<std::uint64_t>(value);
  }
  return counts;
}

// Any order and type, element by element: out(i, j) = convert(element, i, j).
template <class From, class To, class Convert>
Matrix<To> copy_array(const Input& in, const Array& array, const Convert& convert) {
  Matrix<To> out(array.rows, array.dim);
  const std::byte* data = in.bytes.data() + array.data;
  const std::size_t row_step = array.fortran ? 1 : array.dim;
  const std::size_t col_step = array.fortran ? array.rows : 1;
  constexpr std::size_t kGrain = 256;
  parallel_for(in.control, array.rows, kGrain,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t j = 0; j < array.dim; ++j) {
                   for (std::size_t i = begin; i < end; ++i) {
                     const std::size_t element = i * row_step + j * col_step;
                     out(i, j) = convert(load<From>(data + element * sizeof(From)), i, j);
                   }
                 }
               });
  return out;
}

template <class T>
Vectors array_rows(const Input& in, const Array& array) {
  if (!array.fortran) {
    return rows_in_place<T>(in, "npy", array.data, array.rows, array.dim, array.dim * sizeof(T));
  }
  return owned_rows("npy",
                    copy_array<T, T>(in, array, [](T x, std::size_t, std::size_t) { return x; }));
}

Vectors doubles_as_floats(const Input& in, const Array& array) {
  const auto narrow = [&](double x, std::size_t i, std::size_t j) {
    return narrow_double(in, x, i, j);
  };
  return owned_rows("npy", copy_array<double, float>(in, array, narrow));
}

Vectors read_npy(const Input& in) {
  const Array array = check_array(in);
  if (array.type == "f4") return array_rows<float>(in, array);
  if (array.type == "f2") return array_rows<Half>(in, array);
  if (array.type == "f8") return doubles_as_floats(in, array);
  if (array.type == "i1") return array_rows<std::int8_t>(in, array);
  if (array.type == "u1") return array_rows<std::uint8_t>(in, array);
  throw Error(ErrorCode::unsupported,
              in.name + ": element type " + array.type + "; vectors are f2, f4, f8, i1 or u1");
}

template <class T>
Neighbours array_ids(const Input& in, const Array& array) {
  const std::size_t row = array.fortran ? 1 : array.dim;
  const std::size_t place = array.fortran ? array.rows : 1;
  Neighbours result;
  result.ids =
      read_ids<T>(in, array.data, array.rows, array.dim, row * sizeof(T), place * sizeof(T));
  return result;
}

Neighbours read_npy_ids(const Input& in) {
  const Array array = check_array(in);
  if (array.type == "i4") return array_ids<std::int32_t>(in, array);
  if (array.type == "u4") return array_ids<std::uint32_t>(in, array);
  if (array.type == "i8") return array_ids<std::int64_t>(in, array);
  if (array.type == "u8") return array_ids<std::uint64_t>(in, array);
  throw Error(ErrorCode::unsupported,
              in.name + ": element type " + array.type + "; ids are u4, i4, u8 or i8");
}

void write_npy(AtomicFile& file, const VectorsOutput& out) {
  file.write(npy_header(npy_descr(out.rows.type()), {out.rows.rows(), out.rows.dim()}));
  const std::size_t bytes = out.rows.dim() * size_of(out.rows.type());
  for (std::size_t i = 0; i < out.rows.rows(); ++i) {
    throw_if_cancelled(out.control);
    file.write(out.rows.row(i), bytes);
  }
}

// Ids as signed numbers, so that "none" reads as -1.
void write_npy_ids(AtomicFile& file, const Neighbours& found) {
  file.write(npy_header("<i4", {found.queries(), found.k()}));
  for (std::size_t i = 0; i < found.queries(); ++i) {
    file.write(found.ids.row(i), found.k() * sizeof(Id));
  }
}

Evidence inspect_npy(const Input& in) {
  return in.text().substr(0, kMagic.size()) == kMagic ? Evidence::certain : Evidence::none;
}

}  // namespace

std::string npy_header(const std::string& descr, const std::vector<std::uint64_t>& shape) {
  constexpr std::size_t kBefore = 10;
  std::string extents;
  for (const std::uint64_t extent : shape) {
    extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
  }
  if (shape.size() == 1) extents += ',';
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + extents + "), }";
  const std::size_t padded = (kBefore + header.size() + 1 + kAlign - 1) / kAlign * kAlign;
  header.resize(padded - kBefore - 1, ' ');
  header.push_back('\n');
  const char start[] = {1, 0, static_cast<char>(header.size()),
                        static_cast<char>(header.size() >> 8)};
  return std::string(kMagic).append(start, sizeof start).append(header);
}

std::string npy_descr(ElementType type) {
  switch (type) {
    case ElementType::f16:
      return "<f2";
    case ElementType::i8:
      return "|i1";
    case ElementType::u8:
      return "|u1";
    default:
      return "<f4";
  }
}

std::vector<std::uint64_t> read_npy_counts(const Input& in) {
  const Header header = read_header(in);
  if (header.shape.size() != 1) {
    throw Error(ErrorCode::unsupported, in.name + ": an array of " +
                                            std::to_string(header.shape.size()) +
                                            " dimensions; expected 1 (whole numbers)");
  }
  check_shape(in, header.shape_byte, header.shape[0], 1);
  const Array array = check_elements(in, header, header.shape[0], 1);
  if (array.type == "i4") return counts_of<std::int32_t>(in, array);
  if (array.type == "u4") return counts_of<std::uint32_t>(in, array);
  if (array.type == "i8") return counts_of<std::int64_t>(in, array);
  if (array.type == "u8") return counts_of<std::uint64_t>(in, array);
  throw Error(ErrorCode::unsupported,
              in.name + ": element type " + array.type + "; whole numbers are u4, i4, u8 or i8");
}

constexpr Format kNpy{.name = "npy",
                      .extensions = {".npy"},
                      .inspect = inspect_npy,
                      .read_vectors = read_npy,
                      .write_vectors = write_npy,
                      .read_neighbours = read_npy_ids,
                      .write_neighbours = write_npy_ids,
                      .elements = bit(ElementType::f32) | bit(ElementType::f16) |
                                  bit(ElementType::i8) | bit(ElementType::u8)};

}  // namespace kith::formats

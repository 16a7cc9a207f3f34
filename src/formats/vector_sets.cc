#include "formats/vector_sets.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "formats/bytes.h"
#include "formats/finite.h"
#include "formats/json_reader.h"
#include "formats/labels_file.h"
#include "formats/lines.h"
#include "formats/npy.h"
#include "formats/rows.h"
#include "formats/safetensors.h"
#include "formats/words.h"
#include "formats/zip.h"
#include "kith/error.h"

namespace kith {
namespace formats {
namespace {

// The view's offsets, and what owns the vectors.
struct Owned {
  std::vector<std::uint64_t> offsets;
  std::shared_ptr<const void> vectors;
};

std::string vectors_name(const Input& in) { return in.dataset.empty() ? "vectors" : in.dataset; }

// Offsets out of the file's, or of its lengths. `given` names them in errors.
std::vector<std::uint64_t> offsets_of(const std::string& given, std::vector<std::uint64_t> numbers,
                                      bool lengths, std::size_t rows) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(ErrorCode::corrupt, given + ": " + reason);
  };
  if (lengths) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] == 0) refuse("set " + std::to_string(i) + " is empty, expected a vector");
      if (numbers[i] > rows - sum) {
        refuse("the sets up to " + std::to_string(i) + " need more than the " +
               std::to_string(rows) + " vectors there are");
      }
      numbers[i] = std::exchange(sum, sum + numbers[i]);
    }
    numbers.push_back(sum);
  }
  if (numbers.size() < 2) refuse("no sets, expected at least one");
  if (numbers.size() - 1 > kMaxVectors) {
    refuse(std::to_string(numbers.size() - 1) + " sets; at most " + std::to_string(kMaxVectors) +
           " fit");
  }
  if (numbers.front() != 0) {
    refuse("the first set starts at vector " + std::to_string(numbers.front()) + ", expected 0");
  }
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    if (numbers[i] < numbers[i + 1]) continue;
    const std::string at = "set " + std::to_string(i);
    if (numbers[i] == numbers[i + 1]) refuse(at + " is empty, expected a vector");
    refuse(at + " would be vectors " + std::to_string(numbers[i]) + " to " +
           std::to_string(numbers[i + 1]) + ", expected offsets that ascend");
  }
  if (numbers.back() != rows) {
    refuse("the last set ends at vector " + std::to_string(numbers.back()) + ", but there are " +
           std::to_string(rows));
  }
  return numbers;
}

VectorSets sets_of(std::string format, Vectors vectors, std::vector<std::uint64_t> offsets,
                   Labels labels) {
  const auto owned = std::make_shared<Owned>(Owned{std::move(offsets), std::move(vectors.owner)});
  return {{owned->offsets, vectors.rows}, std::move(labels), std::move(format), owned};
}

// Which of the two arrays says where sets end: `find` gives it or null.
template <class Find>
auto chosen(const Input& in, const char* what, bool& lengths, const Find& find) {
  const auto offsets = find("offsets"), counts = find("lengths");
  lengths = !offsets;
  if (!offsets == !counts) {
    throw Error(offsets ? ErrorCode::corrupt : ErrorCode::not_found,
                in.name + ": " + (offsets ? "both " : "neither ") + what + " 'offsets' " +
                    (offsets ? "and" : "nor") + " 'lengths', expected one of them");
  }
  return offsets ? offsets : counts;
}

// ---- npz ----------------------------------------------------------------------------------------

VectorSets parse_npz(const Input& in) {
  const std::vector<ZipEntry> entries = read_stored_zip(in);
  const auto find = [&](const std::string& name) -> const ZipEntry* {
    for (const ZipEntry& entry : entries) {
      if (entry.name == name + ".npy") return &entry;
    }
    return nullptr;
  };
  const auto input_of = [&](const ZipEntry& entry) {
    return Input{in.name + ": " + entry.name, entry.bytes, in.owner, {}, in.control};
  };
  const ZipEntry* vectors = find(vectors_name(in));
  if (vectors == nullptr) {
    std::string names;
    for (const ZipEntry& entry : entries) names += (names.empty() ? "" : ", ") + entry.name;
    throw Error(ErrorCode::not_found,
                in.name + ": no array '" + vectors_name(in) + "'; there are: " + names);
  }
  bool lengths = false;
  const Input counts = input_of(*chosen(in, "array", lengths, find));
  Vectors rows = kNpy.read_vectors(input_of(*vectors));
  std::vector<std::uint64_t> offsets =
      offsets_of(counts.name, read_npy_counts(counts), lengths, rows.rows.rows());
  return sets_of("npz", std::move(rows), std::move(offsets), Labels());
}

// ---- safetensors --------------------------------------------------------------------------------

VectorSets parse_tensor_sets(const Input& in) {
  const Tensors tensors = read_tensors(in);
  const std::string name = vectors_name(in);
  const Tensor* vectors = tensors.find(name);
  if (vectors == nullptr) {
    throw Error(ErrorCode::not_found, in.name + ": no tensor '" + name + "'");
  }
  bool lengths = false;
  const Tensor* counts =
      chosen(in, "tensor", lengths, [&](const char* tensor) { return tensors.find(tensor); });
  Vectors rows = read_tensor_rows(in, tensors, *vectors);
  std::vector<std::uint64_t> offsets =
      offsets_of(in.name + ": tensor '" + counts->name + "'",
                 read_tensor_counts(in, tensors, *counts), lengths, rows.rows.rows());
  Labels labels = read_tensor_labels(in, tensors, "sets", offsets.size() - 1);
  return sets_of("safetensors", std::move(rows), std::move(offsets), std::move(labels));
}

// ---- JSON lines ---------------------------------------------------------------------------------

// Sets as they come, line after line.
class LineSets {
 public:
  explicit LineSets(const Input& in) : in_(in), member_(vectors_name(in)) {}

  void add_line(std::size_t begin, std::size_t end, std::size_t line) {
    line_ = line;
    JsonReader json(in_, begin, end);
    const std::size_t before = values_.size();
    bool seen = false;
    std::optional<std::string> id;
    json.object([&](const std::string& key) {
      if (key == member_) {
        if (seen) fail("member '" + member_ + "' comes twice");
        seen = true;
        json.array([&] { add_vector(json); });
      } else if ((key == "_id" || key == "id") && !id) {
        id = json.string_or_whole();
      } else {
        json.skip();
      }
    });
    json.end();
    if (!seen) fail("no member '" + member_ + "' with a set of vectors");
    if (values_.size() == before) fail("the set is empty, expected a vector");
    if (offsets_.size() > 1 && id.has_value() != with_ids_) {
      fail(id ? "an id, but lines before have none" : "no id, but lines before have one");
    }
    with_ids_ = id.has_value();
    if (id) ids_.add(*id);
    offsets_.push_back(values_.size() / dim_);
  }

  VectorSets take() {
    if (offsets_.size() < 2) {
      throw Error(ErrorCode::corrupt, in_.name + ": no sets, expected at least one");
    }
    Matrix<float> rows(offsets_.back(), dim_);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      std::copy_n(values_.data() + i * dim_, dim_, rows.row(i));
    }
    return sets_of("jsonl", owned_rows("jsonl", std::move(rows)), std::move(offsets_),
                   with_ids_ ? ids_.labels() : Labels());
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { corrupt_line(in_, line_, reason); }

  void add_vector(JsonReader& json) {
    const std::size_t before = values_.size();
    json.array([&] { values_.push_back(json.number()); });
    const std::size_t dim = values_.size() - before;
    if (dim == 0 || dim > kMaxDim) {
      fail("a vector of " + std::to_string(dim) + " components; expected 1 to " +
           std::to_string(kMaxDim));
    }
    if (dim_ == 0) dim_ = dim;
    if (dim != dim_) {
      fail("a vector of " + std::to_string(dim) + " components, but the first of the file has " +
           std::to_string(dim_));
    }
    if (values_.size() / dim_ > kMaxVectors) {
      fail("more vectors than the " + std::to_string(kMaxVectors) + " that fit");
    }
  }

  const Input& in_;
  const std::string member_;
  std::size_t line_ = 0, dim_ = 0;
  std::vector<float> values_;
  std::vector<std::uint64_t> offsets_{0};
  bool with_ids_ = false;
  WordList ids_;
};

VectorSets parse_set_lines(const Input& in) {
  LineSets sets(in);
  for_each_line(in.text(), [&](std::string_view line, std::size_t begin, std::size_t number) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    sets.add_line(begin, begin + line.size(), number);
  });
  return sets.take();
}

bool looks_like_lines(const Input& in) {
  const std::size_t first = in.text().find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && in.text()[first] == '{';
}

std::string format_of(const Input& in) {
  if (in.bytes.empty()) throw Error(ErrorCode::corrupt, in.name + ": the file is empty");
  if (looks_like_zip(in)) return "npz";
  if (looks_like_tensors(in)) return "safetensors";
  if (looks_like_lines(in)) return "jsonl";
  throw Error(ErrorCode::unsupported,
              in.name + ": holds no sets of vectors; they lie in npz, safetensors or jsonl");
}

}  // namespace

VectorSets parse_vector_sets(const Input& in, const std::string& format) {
  const std::string chosen_format = format.empty() ? format_of(in) : format;
  if (chosen_format == "npz") return parse_npz(in);
  if (chosen_format == "safetensors") return parse_tensor_sets(in);
  if (chosen_format == "jsonl") return parse_set_lines(in);
  throw Error(ErrorCode::invalid_argument, "format '" + format +
                                               "' holds no sets of vectors; expected one of: npz, "
                                               "safetensors, jsonl");
}

}  // namespace formats

VectorSets read_vector_sets(const std::string& path, const ReadOptions& options) {
  const auto file = MappedFile::open(path);
  file->advise_sequential();
  const formats::Input in{path, file->bytes(), file, options.dataset, options.control};
  VectorSets sets = formats::parse_vector_sets(in, options.format);
  if (options.check_finite) formats::check_finite(path, sets.sets.vectors, options.control);
  if (sets.format == "npz") sets.labels = formats::read_labels_beside(path, sets.sets.size());
  return sets;
}

}  // namespace kith

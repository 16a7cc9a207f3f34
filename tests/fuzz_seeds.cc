// fuzz_seeds FOLDER: writes small valid files into FOLDER/TARGET for each fuzz target, so that
// fuzzing starts behind the magic numbers.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/random.h"
#include "formats/format.h"
#include "formats/kith_file.h"
#include "kith/error.h"
#include "kith/vectors.h"

namespace {

using kith::formats::Format;
namespace fs = std::filesystem;

struct Family {
  const char* target;
  std::vector<const Format*> formats;
};

const Family kFamilies[] = {
    {"vecs_fuzz", {&kith::formats::kFvecs, &kith::formats::kBvecs, &kith::formats::kIvecs}},
    {"bin_fuzz",
     {&kith::formats::kFbin, &kith::formats::kU8bin, &kith::formats::kI8bin,
      &kith::formats::kIbin}},
    {"npy_fuzz", {&kith::formats::kNpy}},
    {"safetensors_fuzz", {&kith::formats::kSafetensors}},
    {"text_vectors_fuzz",
     {&kith::formats::kWord2vecText, &kith::formats::kFasttextVec, &kith::formats::kGlove}},
    {"word2vec_binary_fuzz", {&kith::formats::kWord2vecBinary}},
};

template <class T>
void write_seed(const fs::path& folder, const Format& format, const kith::Labels& labels,
                const char* kind) {
  if ((format.elements & kith::formats::bit(kith::kElementType<T>)) == 0) return;
  kith::Matrix<T> rows(3, 4);
  kith::Random random(1);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      rows(i, j) = static_cast<T>(static_cast<float>(random.below(100)));
    }
  }
  const std::string name =
      std::string(format.name) + "-" + std::string(kith::name(kith::kElementType<T>)) + "-" + kind;
  kith::WriteOptions options;
  options.format = format.name;
  kith::write_vectors((folder / name).string(), rows, labels, options);
}

void write_vectors(const fs::path& folder, const Format& format) {
  const std::pair<const char*, kith::Labels> kinds[] = {
      {"none", kith::Labels()},
      {"numbers", kith::Labels(std::vector<std::uint64_t>{7, 8, 9})},
      {"words", kith::Labels(std::vector<std::string>{"a", "bc", "d\xc3\xa9"})}};
  for (const auto& [kind, labels] : kinds) {
    write_seed<float>(folder, format, labels, kind);
    write_seed<kith::Half>(folder, format, labels, kind);
    write_seed<kith::BFloat16>(folder, format, labels, kind);
    write_seed<std::int8_t>(folder, format, labels, kind);
    write_seed<std::uint8_t>(folder, format, labels, kind);
  }
}

void write_neighbours(const fs::path& folder, const Format& format) {
  kith::Neighbours found(2, 3);
  found.ids(1, 2) = kith::kNoId;
  kith::WriteOptions options;
  options.format = format.name;
  kith::write_neighbours((folder / (std::string(format.name) + "-lists")).string(), found, options);
}

void write_text(const fs::path& folder, const std::string& name, std::string_view text) {
  fs::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary).write(text.data(), std::ssize(text));
}

// NumPy's other versions, orders and types, with 2 x 3 elements of zero.
void write_npy_kinds(const fs::path& folder) {
  const auto write = [&](const std::string& name, char version, const std::string& descr,
                         const char* fortran, std::size_t item) {
    const std::string header =
        "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (2, 3), }\n";
    std::string text = std::string("\x93NUMPY") + version + '\0';
    text += static_cast<char>(header.size());
    text += '\0';
    if (version > 1) text += std::string(2, '\0');
    write_text(folder, name, text + header + std::string(6 * item, '\0'));
  };
  write("version-2", 2, "<f4", "False", 4);
  write("version-3", 3, "<f4", "False", 4);
  write("fortran-f4", 1, "<f4", "True", 4);
  write("f8", 1, "<f8", "True", 8);
  write("i8", 1, "<i8", "True", 8);
  write("u4", 1, "<u4", "False", 4);
  write("big-endian", 1, ">f4", "False", 4);
}

void write_texts(const fs::path& folder) {
  write_text(folder / "wink_json_fuzz", "small.json",
             R"({"precision":8,"size":2,"dimensions":2,"words":["a","b"],)"
             R"("vectors":{"a":[0.5,-1,1.1,0],"\"":[2e-3,4,4.1,1]},"unkVector":[0,0,0,-1]})");
  const fs::path json = folder / "json_reader_fuzz";
  write_text(json, "values", R"( {"a":[true,false,null,-1.5e3],"b":{"c":[]},"d":{}} )");
  write_text(json, "strings", R"(["a","\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t"])");
  write_text(json, "numbers", "[0, -1.5, 2e10, 1e-50]");
  write_text(json, "wholes", "[0, 18446744073709551615]");
  write_text(folder / "labels_file_fuzz", "words", "a\nb c\r\n\n");
  write_text(folder / "labels_file_fuzz", "numbers", "1\n18446744073709551615\n0\n");
  for (const char* number : {"-1.5e-3", "+2", "1e999", "1e-999", "0.0000000001e-330", "nan"}) {
    write_text(folder / "numbers_fuzz", number, number);
  }
  write_text(folder / "text_vectors_fuzz", "spaces", "2 2\nnew york 1 2\nold\tyork 3 4e-60 \r\n");
}

void write_kith_file(const fs::path& folder) {
  fs::create_directories(folder);
  kith::Meta meta;
  meta.set("dim", std::uint64_t{4});
  meta.set("recall", 0.95);
  kith::KithFileWriter file;
  file.add_text("meta", meta.text());
  file.add_text("codes", "0123456789");
  file.write((folder / "two-sections").string(), kith::Control());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    const fs::path root(argv[1]);
    for (const Family& family : kFamilies) {
      fs::create_directories(root / family.target);
      for (const Format* format : family.formats) {
        if (format->write_vectors != nullptr) write_vectors(root / family.target, *format);
        if (format->write_neighbours != nullptr) write_neighbours(root / family.target, *format);
      }
    }
    write_npy_kinds(root / "npy_fuzz");
    write_texts(root);
    write_kith_file(root / "kith_file_fuzz");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_seeds: %s\n", error.what());
    return 1;
  }
  return 0;
}

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/mapped_file.h"
#include "encode/import.h"
#include "encode/model_folder.h"
#include "encode/static_model.h"
#include "formats/cast.h"
#include "kith/error.h"
#include "kith/texts.h"
#include "kith/tokenizer.h"
#include "kith/vectors.h"
#include "text/utf8.h"

namespace kith::encode {
namespace {

using nlohmann::json;

// Each row's share of all words by Zipf's law: frequency falls as 1 / rank.
std::vector<double> zipf_shares(std::size_t rows) {
  std::vector<double> shares(rows);
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) sum += shares[i] = 1 / static_cast<double>(i + 1);
  for (double& share : shares) share /= sum;
  return shares;
}

// Each row's share by a file of counts, in which every word counts for the whole; a word that is
// not there has none.
std::vector<double> counted_shares(const Labels& words, const std::string& path) {
  std::unordered_map<std::string_view, std::size_t> row_of;
  for (std::size_t i = 0; i < words.size(); ++i) row_of.emplace(words.string(i), i);
  const auto file = MappedFile::open(path);
  std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  std::vector<double> shares(words.size());
  double total = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t gap = line.find_last_of(" \t");
    std::uint64_t count = 0;
    const char* stop = line.data() + line.size();
    const bool fits = gap != std::string_view::npos && gap != 0 &&
                      std::from_chars(line.data() + gap + 1, stop, count).ptr == stop;
    if (!fits || gap + 1 == line.size()) {
      throw Error(ErrorCode::corrupt, path + ": line " + std::to_string(number) +
                                          ": expected a word, a space or tab and its count");
    }
    total += static_cast<double>(count);
    const auto at = row_of.find(line.substr(0, gap));
    if (at != row_of.end()) shares[at->second] += static_cast<double>(count);
  }
  if (total == 0) throw Error(ErrorCode::corrupt, path + ": no counts");
  for (double& share : shares) share /= total;
  return shares;
}

// Words by white space and punctuation, as BERT cuts them; the last id is the unknown word's.
json tokenizer_of(const Labels& words, bool lower_case) {
  json vocabulary = json::object();
  for (std::size_t i = 0; i < words.size(); ++i) {
    // A word of other bytes than UTF-8's is in no text, and JSON can't hold it.
    const std::string word(words.string(i));
    if (text::first_wrong_byte(word) == word.size() && !vocabulary.contains(word))
      vocabulary[word] = i;
  }
  std::string unknown = "[UNK]";
  while (vocabulary.contains(unknown)) unknown += "]";
  vocabulary[unknown] = words.size();
  return {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", json::array()},
      {"normalizer",
       {{"type", "BertNormalizer"},
        {"clean_text", true},
        {"handle_chinese_chars", false},
        {"strip_accents", false},
        {"lowercase", lower_case}}},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"post_processor", nullptr},
      {"decoder", nullptr},
      {"model", {{"type", "WordLevel"}, {"unk_token", unknown}, {"vocab", std::move(vocabulary)}}}};
}

Matrix<float> float_rows(const Vectors& vectors) {
  Matrix<float> rows(vectors.rows.rows(), vectors.rows.dim());
  const auto view = std::get<MatrixView<const float>>(vectors.rows.variant());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    std::copy_n(view.row(i), rows.cols(), rows.row(i));
  }
  return rows;
}

// The directions that the weighted means of the texts share.
Matrix<float> fitted_directions(const StaticModel& model, const Tokenizer& tokenizer,
                                const StaticOptions& options) {
  const Texts texts = read_texts(options.texts);
  if (texts.texts.empty()) throw Error(ErrorCode::corrupt, options.texts + ": no text");
  TokenizeOptions tokenize;
  tokenize.control = options.control;
  const std::vector<Encoding> encodings = tokenizer.encode(texts.texts, tokenize);
  std::vector<TokenSequence> sequences;
  for (const Encoding& encoding : encodings) {
    sequences.push_back({.ids = encoding.ids, .types = {}, .prompt = 0});
  }
  return common_directions(model.encode(sequences, options.control), options.components);
}

}  // namespace

void import_static(const std::string& from, const std::string& to, const StaticOptions& options) {
  ReadOptions read;
  read.control = options.control;
  Vectors vectors = read_vectors(from, read);
  if (vectors.labels.kind() != Labels::Kind::strings) {
    throw Error(ErrorCode::invalid_argument, from + ": no words beside the vectors");
  }
  vectors = formats::cast_rows(vectors, ElementType::f32, from, options.control);
  const Labels& words = vectors.labels;
  const std::vector<double> shares =
      options.counts.empty() ? zipf_shares(words.size()) : counted_shares(words, options.counts);
  const std::vector<float> weights = sif_weights(shares, options.smoothing);
  const Matrix<float> rows = float_rows(vectors);
  const std::string tokenizer = tokenizer_of(words, options.lower_case).dump();
  Matrix<float> common;
  if (!options.texts.empty()) {
    common = fitted_directions(StaticModel(float_rows(vectors), weights, {}, false),
                               Tokenizer::parse(tokenizer, "tokenizer.json"), options);
  }
  NewFolder folder(to);
  write_json(folder.file("config.json"),
             {{"model_type", kStaticType},
              {"vocab_size", words.size() + 1},
              {"hidden_size", rows.cols()},
              {"smoothing", options.smoothing},
              {"word_shares", options.counts.empty() ? "zipf" : "counts"},
              {"common_components", common.rows()},
              {"normalize", true}});
  write_text(folder.file("tokenizer.json"), tokenizer);
  // Rows of a Matrix are padded, those of a file touch.
  const auto touching = [](const Matrix<float>& matrix) {
    std::vector<float> values;
    values.reserve(matrix.rows() * matrix.cols());
    for (std::size_t i = 0; i < matrix.rows(); ++i) {
      values.insert(values.end(), matrix.row(i), matrix.row(i) + matrix.cols());
    }
    return values;
  };
  const std::vector<float> all = touching(rows), directions = touching(common);
  std::vector<NamedTensor> tensors = {{"words.vectors", {rows.rows(), rows.cols()}, all},
                                      {"words.weights", {weights.size()}, weights}};
  if (!directions.empty())
    tensors.push_back({"common", {common.rows(), common.cols()}, directions});
  write_tensors(folder.file("model.safetensors"), tensors);
  folder.commit();
}

}  // namespace kith::encode

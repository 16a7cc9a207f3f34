#include "kith/text_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "index/checks.h"
#include "index/count_rows.h"
#include "index/inverted_index.h"
#include "index/string_sections.h"
#include "kith/error.h"
#include "text/analyser.h"
#include "text/dictionary.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

void check_texts(std::size_t texts, const Labels& labels, std::size_t before) {
  if (texts == 0) refuse("no texts: expected at least one");
  if (before + texts > kMaxVectors) {
    refuse(std::to_string(before + texts) + " texts, an index holds at most " +
           std::to_string(kMaxVectors));
  }
  if (labels.kind() != Labels::Kind::none && labels.size() != texts) {
    refuse(std::to_string(labels.size()) + " labels for " + std::to_string(texts) +
           " texts, expected one each");
  }
}

constexpr double kMostK1 = 1000;

void check_parameters(double k1, double b) {
  if (!(k1 >= 0 && k1 <= kMostK1)) refuse("k1 = " + std::to_string(k1) + ", expected 0 to 1000");
  if (!(b >= 0 && b <= 1)) refuse("b = " + std::to_string(b) + ", expected 0 to 1");
}

std::uint64_t sum(std::span<const std::uint32_t> lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
}

LengthNorm length_norm(double k1, double b, std::uint64_t words, std::size_t texts) {
  const double mean = std::max(static_cast<double>(words) / static_cast<double>(texts), 1e-9);
  return {static_cast<float>(k1 * (1 - b)), static_cast<float>(k1 * b / mean)};
}

Storage padded(std::span<const std::uint32_t> old, std::span<const std::uint32_t> more) {
  Storage all((old.size() + more.size() + simd::kPostingsSlack) * sizeof(std::uint32_t));
  auto* to = all.mutable_as<std::uint32_t>();
  to = std::copy(old.begin(), old.end(), to);
  std::copy(more.begin(), more.end(), to);
  return all;
}

Labels kept_texts(std::span<const std::string_view> texts) {
  return Labels(std::vector<std::string>(texts.begin(), texts.end()));
}

// Lucene's idf: above zero for every word.
float idf(std::size_t texts, std::size_t holding) {
  const double n = static_cast<double>(texts), h = static_cast<double>(holding);
  return static_cast<float>(std::log1p((n - h + 0.5) / (h + 0.5)));
}

}  // namespace

class TextIndex::Implementation {
 public:
  const Postings& postings() const { return lists->postings(); }
  std::size_t size() const { return postings().docs(); }
  std::span<const std::uint32_t> lengths() const { return lists->lengths().first(size()); }

  // All lists anew, from the old ones and `more`.
  void extend(const Postings& old, std::span<const std::uint32_t> old_lengths,
              const CountRows& more, const Control& control) {
    const PlainPostings plain = old.decode_and_append(more.rows, control);
    const std::size_t texts = old.docs() + more.rows.rows();
    words = sum(old_lengths) + sum(more.lengths);
    const LengthNorm norm = length_norm(k1, b, words, texts);
    Storage lengths = padded(old_lengths, more.lengths);
    Postings postings = Postings::encode(plain, texts, Payload::counts,
                                         {lengths.as<std::uint32_t>(), texts}, norm, control);
    lists = std::make_unique<InvertedIndex>(std::move(postings), std::move(lengths), norm);
  }

  // The query's distinct words that the index knows, weighted by idf and how often they stand.
  void make_query(std::string_view query, std::vector<QueryTerm>& terms) const {
    text::Analyser analyse(analyser);
    analyse.terms(query, [&](std::string_view word) {
      const auto term = dictionary.find(word);
      if (term && *term < postings().terms() && postings().count(*term) > 0) {
        terms.push_back({*term, 1});
      }
    });
    std::sort(terms.begin(), terms.end(),
              [](const QueryTerm& x, const QueryTerm& y) { return x.term < y.term; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < terms.size();) {
      const std::size_t first = i;
      while (i < terms.size() && terms[i].term == terms[first].term) ++i;
      const float weight = idf(size(), postings().count(terms[first].term));
      terms[kept++] = {terms[first].term, static_cast<float>(i - first) * weight};
    }
    terms.resize(kept);
  }

  AnalyserOptions analyser;
  double k1 = 0, b = 0;
  std::uint64_t words = 0;
  text::Dictionary dictionary;
  std::unique_ptr<InvertedIndex> lists;
  Labels labels, texts;
  bool keeps_text = false;
  std::uint64_t file_version = kPlainFileVersion;
};

TextIndex::TextIndex(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
TextIndex::TextIndex(TextIndex&&) noexcept = default;
TextIndex& TextIndex::operator=(TextIndex&&) noexcept = default;
TextIndex::~TextIndex() = default;

TextIndex TextIndex::build(std::span<const std::string_view> texts, const Labels& labels,
                           const TextOptions& options) {
  check_texts(texts.size(), labels, 0);
  check_parameters(options.k1, options.b);
  auto made = std::make_unique<Implementation>();
  made->analyser = options.analyser;
  made->k1 = options.k1;
  made->b = options.b;
  const CountRows counted = count_terms(texts, options.analyser, made->dictionary, options.control);
  made->extend(Postings(Payload::counts), {}, counted, options.control);
  made->labels = labels;
  made->keeps_text = options.keep_text;
  if (options.keep_text) made->texts = kept_texts(texts);
  return TextIndex(std::move(made));
}

Neighbours TextIndex::search(std::span<const std::string_view> queries, std::size_t k,
                             const SparseSearchOptions& options) const {
  check_k(k);
  return implementation_->lists->search(
      queries.size(),
      [&](std::size_t i, std::vector<QueryTerm>& terms) {
        implementation_->make_query(queries[i], terms);
      },
      k, options.exhaustive, options.control);
}

void TextIndex::add(std::span<const std::string_view> texts, const Labels& labels,
                    const Control& control) {
  check_texts(texts.size(), labels, size());
  Implementation& own = *implementation_;
  Labels all = appended(own.labels, size(), labels, texts.size());
  Labels all_texts;
  if (own.keeps_text) all_texts = appended(own.texts, size(), kept_texts(texts), texts.size());
  text::Dictionary dictionary = own.dictionary.clone();
  const CountRows counted = count_terms(texts, own.analyser, dictionary, control);
  own.extend(own.postings(), own.lengths(), counted, control);
  own.dictionary = std::move(dictionary);
  own.labels = std::move(all);
  own.texts = std::move(all_texts);
}

void TextIndex::save(const std::string& path, const Control& control) const {
  const Implementation& own = *implementation_;
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", std::string("bm25"));
  meta.set("vectors", std::uint64_t{size()});
  meta.set("bm25.k1", own.k1);
  meta.set("bm25.b", own.b);
  meta.set("bm25.words", own.words);
  meta.set("text.stop_words", std::uint64_t{own.analyser.stop_words});
  meta.set("text.stem", std::uint64_t{own.analyser.stem});
  own.postings().save(writer, meta);
  writer.add("lengths", own.lists->length_bytes());
  writer.add("words.offsets", own.dictionary.offset_bytes());
  writer.add("words.text", own.dictionary.text_bytes());
  writer.add("words.slots", own.dictionary.slot_bytes());
  save_strings(writer, meta, "labels", "labels", own.labels);
  save_strings(writer, meta, "texts", "texts", own.texts);
  writer.add_text("meta", meta.text());
  writer.write(path, control);
}

TextIndex TextIndex::open(const std::string& path, const OpenOptions& options) {
  const KithFileReader reader = options.in_memory ? KithFileReader::read(path, options.verify)
                                                  : KithFileReader::open(path, options.verify);
  const Meta meta = reader.meta();
  if (meta.string("kind") != "bm25") {
    throw Error(ErrorCode::unsupported,
                path + ": index kind '" + meta.string("kind") + "', expected bm25, of texts");
  }
  auto made = std::make_unique<Implementation>();
  const std::size_t texts = meta.number("vectors", kMaxVectors);
  if (texts == 0) reader.fail("section meta: vectors=0, expected at least 1");
  made->analyser = {meta.number("text.stop_words", 1) != 0, meta.number("text.stem", 1) != 0};
  made->k1 = meta.real("bm25.k1");
  made->b = meta.real("bm25.b");
  made->words = meta.number("bm25.words");
  made->file_version = reader.version();
  try {
    check_parameters(made->k1, made->b);
    const auto section = [&](const char* name) {
      return reader.storage(name, reader.bytes(name).size());
    };
    made->dictionary =
        text::Dictionary(section("words.offsets"), section("words.text"), section("words.slots"));
  } catch (const Error& error) {
    reader.fail(error.what());
  }
  Postings postings = Postings::load(reader, meta, texts);
  if (postings.payload() != Payload::counts) reader.fail("section meta: weights, expected counts");
  if (postings.terms() > made->dictionary.size()) reader.fail("more lists than words");
  made->lists = std::make_unique<InvertedIndex>(
      std::move(postings),
      reader.storage("lengths", (texts + simd::kPostingsSlack) * sizeof(std::uint32_t)),
      length_norm(made->k1, made->b, made->words, texts));
  made->labels = load_strings(reader, meta, "labels", "labels", texts);
  made->texts = load_strings(reader, meta, "texts", "texts", texts);
  made->keeps_text = made->texts.kind() == Labels::Kind::strings;
  return TextIndex(std::move(made));
}

std::size_t TextIndex::size() const { return implementation_->size(); }
const Labels& TextIndex::labels() const { return implementation_->labels; }

TextOptions TextIndex::options() const {
  const Implementation& own = *implementation_;
  return {.analyser = own.analyser, .k1 = own.k1, .b = own.b, .keep_text = own.keeps_text};
}

std::optional<std::string_view> TextIndex::text(Id id) const {
  if (id >= size()) {
    refuse("id " + std::to_string(id) + ", the index holds " + std::to_string(size()) + " texts");
  }
  if (!implementation_->keeps_text) return std::nullopt;
  return implementation_->texts.string(id);
}

double TextIndex::mean_length() const {
  return static_cast<double>(implementation_->words) / static_cast<double>(size());
}

SparseInfo TextIndex::info() const {
  const Implementation& own = *implementation_;
  SparseInfo info;
  info.weights = name(Payload::counts);
  info.rows = size();
  info.terms = own.postings().used_terms();
  info.postings = own.postings().size();
  info.labels = own.labels.kind();
  info.file_version = own.file_version;
  info.bytes = own.postings().bytes();
  info.bytes.emplace_back("lengths", own.lists->length_bytes().size());
  info.bytes.emplace_back("words", own.dictionary.offset_bytes().size() +
                                       own.dictionary.text_bytes().size() +
                                       own.dictionary.slot_bytes().size());
  if (own.labels.kind() != Labels::Kind::none) {
    info.bytes.emplace_back("labels", string_bytes(own.labels));
  }
  if (own.keeps_text) info.bytes.emplace_back("texts", string_bytes(own.texts));
  return info;
}

}  // namespace kith

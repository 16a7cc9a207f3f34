#include "index/postings.h"

#include <vector>

#include "formats/fuzz_repair.h"
#include "index/posting_search.h"
#include "kith/error.h"
#include "text/dictionary.h"

namespace {

constexpr std::size_t kMostDocs = 1 << 16;  // so that an input is quick whatever it claims

// Everything that opening and searching an inverted index does with its sections.
void use(const kith::KithFileReader& reader) {
  const kith::Meta meta = reader.meta();
  const std::size_t docs = meta.number("vectors", kMostDocs);
  const kith::Postings postings = kith::Postings::load(reader, meta, docs);
  if (reader.has("words.slots")) {
    const auto section = [&](const char* name) {
      return reader.storage(name, reader.bytes(name).size());
    };
    const kith::text::Dictionary dictionary(section("words.offsets"), section("words.text"),
                                            section("words.slots"));
    dictionary.find("word");
  }
  const std::vector<std::uint32_t> lengths(docs + kith::simd::kPostingsSlack, 7);
  std::vector<kith::QueryTerm> query;
  for (std::size_t t = 0; t < std::min<std::size_t>(postings.terms(), 40); ++t) {
    query.push_back({static_cast<kith::Term>(t), 1.0f + static_cast<float>(t)});
  }
  kith::PostingSearch search(postings, lengths, {0.3f, 0.1f});
  for (const bool exhaustive : {false, true}) search.search(query, 3, exhaustive);
  postings.decode_and_append({}, {.threads = 1, .cancel = nullptr, .progress = {}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Sections are aligned in a mapped file.
  std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                               reinterpret_cast<const std::byte*>(data) + size);
  kith::formats::repair(bytes);
  kith::Storage aligned(bytes.size());
  if (!bytes.empty()) std::copy(bytes.begin(), bytes.end(), aligned.mutable_data());
  kith::Control control;
  control.threads = 1;
  try {
    use(kith::KithFileReader::parse(aligned.bytes(), "fuzz", true, nullptr, control));
  } catch (const kith::Error&) {
  }
  return 0;
}

#include "index/postings.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/parallel.h"
#include "base/progress.h"
#include "formats/bytes.h"
#include "index/posting_lists.h"

namespace kith {
namespace {

// Kernels may read so far past a list; mapped files end in it too.
constexpr std::size_t kSlackBytes = simd::kPostingsSlack * sizeof(float);
constexpr std::size_t kPieces = 256;  // that lists are written in, whatever the number of threads

constexpr std::string_view kNames[] = {"counts", "f32", "f16", "u8"};

std::vector<float> norms_of(std::span<const std::uint32_t> lengths, LengthNorm norm) {
  std::vector<std::uint32_t> padded(lengths.begin(), lengths.end());
  padded.resize(lengths.size() + simd::kPostingsSlack);
  std::vector<float> norms(padded.size());
  simd::posting_kernels().norms(padded.data(), lengths.size(), norm.base, norm.slope, norms.data());
  return norms;
}

// Terms where pieces of about equally many postings begin.
std::vector<std::size_t> piece_bounds(const PlainPostings& plain) {
  const std::size_t terms = plain.starts.size() - 1;
  std::vector<std::size_t> bounds;
  for (std::size_t piece = 0; piece <= kPieces; ++piece) {
    const std::uint64_t target = plain.docs.size() * piece / kPieces;
    const auto at = std::lower_bound(plain.starts.begin(), plain.starts.end() - 1, target);
    bounds.push_back(static_cast<std::size_t>(at - plain.starts.begin()));
  }
  bounds.front() = 0;
  bounds.back() = terms;
  return bounds;
}

template <class T>
Storage storage_of(const std::vector<T>& values) {
  Storage storage(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(storage.mutable_data(), values.data(), storage.size());
  return storage;
}

}  // namespace

std::string_view name(Payload payload) { return kNames[static_cast<std::size_t>(payload)]; }

Payload parse_payload(std::string_view text) {
  for (const Payload payload : {Payload::f32, Payload::f16, Payload::u8}) {
    if (text == name(payload)) return payload;
  }
  throw Error(ErrorCode::invalid_argument,
              "weights '" + std::string(text) + "': expected f32, f16 or u8");
}

Postings Postings::encode(const PlainPostings& plain, std::size_t docs, Payload payload,
                          std::span<const std::uint32_t> lengths, LengthNorm norm,
                          const Control& control) {
  Postings result(payload);
  result.docs_ = docs;
  result.terms_ = plain.starts.size() - 1;
  result.size_ = plain.docs.size();
  const std::vector<float> norms =
      payload == Payload::counts ? norms_of(lengths, norm) : std::vector<float>();
  const std::vector<std::size_t> bounds = piece_bounds(plain);
  std::vector<std::vector<std::byte>> pieces(kPieces);
  std::vector<std::uint32_t> counts(result.terms_);
  std::vector<std::uint64_t> starts(result.terms_ + 1);
  std::vector<float> steps(result.terms_);

  Progress progress(control, "lists", plain.docs.size());
  parallel_for(control, kPieces, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t p = begin; p < end; ++p) {
      std::vector<std::byte>& out = pieces[p];
      for (std::size_t t = bounds[p]; t < bounds[p + 1]; ++t) {
        const std::size_t first = plain.starts[t], count = plain.starts[t + 1] - first;
        const ListSource source{std::span(plain.docs).subspan(first, count),
                                std::span(plain.weights).subspan(first, count), payload, norms};
        steps[t] = list_step(source);
        counts[t] = static_cast<std::uint32_t>(count);
        if (is_windowed(count, docs)) {
          counts[t] |= kWindowedBit;
          out.resize((out.size() + 3) / 4 * 4);
          starts[t] = out.size();
          write_windowed(source, steps[t], docs, out);
        } else {
          starts[t] = out.size();
          write_packed(source, steps[t], out);
        }
      }
      out.resize((out.size() + 3) / 4 * 4);
      progress.add(plain.starts[bounds[p + 1]] - plain.starts[bounds[p]]);
    }
  });

  std::size_t total = 0;
  for (std::size_t p = 0; p < kPieces; ++p) {
    for (std::size_t t = bounds[p]; t < bounds[p + 1]; ++t) starts[t] += total;
    total += pieces[p].size();
  }
  starts.back() = total;
  result.lists_ = Storage(total + kSlackBytes);
  std::byte* to = result.lists_.mutable_data();
  for (std::vector<std::byte>& piece : pieces) {
    to = std::copy(piece.begin(), piece.end(), to);
    std::vector<std::byte>().swap(piece);
  }
  result.counts_ = storage_of(counts);
  result.starts_ = storage_of(starts);
  result.steps_ = storage_of(steps);
  return result;
}

Postings Postings::load(const KithFileReader& reader, const Meta& meta, std::size_t docs) {
  Postings result(static_cast<Payload>(meta.number("postings.payload", 3)));
  result.docs_ = docs;
  result.terms_ = meta.number("terms", kMaxTerms);
  result.counts_ = reader.storage("terms.counts", result.terms_ * sizeof(std::uint32_t));
  result.starts_ = reader.storage("terms.starts", (result.terms_ + 1) * sizeof(std::uint64_t));
  result.steps_ = reader.storage("terms.steps", result.terms_ * sizeof(float));
  const std::size_t bytes = reader.bytes("postings").size();
  result.lists_ = reader.storage("postings", bytes);
  const auto* starts = result.starts_.as<std::uint64_t>();
  if (bytes < kSlackBytes || starts[result.terms_] != bytes - kSlackBytes) {
    reader.fail("section postings has " + std::to_string(bytes) + " bytes, expected " +
                std::to_string(starts[result.terms_]) + " and " + std::to_string(kSlackBytes));
  }
  for (std::size_t t = 0; t < result.terms_; ++t) {
    const Term term = static_cast<Term>(t);
    const float step = result.step(term);
    const std::size_t count = result.count(term);
    const bool fits = starts[t] <= starts[t + 1] && count <= docs &&
                      std::isfinite(step * kMostCode) && step > 0 &&
                      (!result.windowed(term) ||
                       (starts[t] % 4 == 0 &&
                        windowed_bytes(count, docs, result.payload_) <= starts[t + 1] - starts[t]));
    if (!fits) reader.fail("section terms.*: the list of term " + std::to_string(t) + " is wrong");
    result.size_ += count;
  }
  return result;
}

void Postings::save(KithFileWriter& writer, Meta& meta) const {
  meta.set("postings.payload", static_cast<std::uint64_t>(payload_));
  meta.set("terms", std::uint64_t{terms_});
  writer.add("terms.counts", counts_.bytes());
  writer.add("terms.starts", starts_.bytes());
  writer.add("terms.steps", steps_.bytes());
  writer.add("postings", lists_.bytes());
}

PlainPostings Postings::decode_and_append(const SparseView& more, const Control& control) const {
  std::size_t terms = terms_;
  const std::size_t first = more.rows() == 0 ? 0 : more.offsets.front();
  const std::size_t last = more.rows() == 0 ? 0 : more.offsets.back();
  for (std::size_t i = first; i < last; ++i) {
    terms = std::max(terms, std::size_t{more.terms[i]} + 1);
  }
  PlainPostings plain;
  plain.starts.assign(terms + 1, 0);
  for (std::size_t t = 0; t < terms_; ++t) plain.starts[t + 1] = count(static_cast<Term>(t));
  for (std::size_t i = first; i < last; ++i) {
    if (more.weights[i] > 0) ++plain.starts[more.terms[i] + 1];
  }
  std::partial_sum(plain.starts.begin(), plain.starts.end(), plain.starts.begin());
  plain.docs.resize(plain.starts.back() + simd::kPostingsSlack);
  plain.weights.resize(plain.starts.back());

  std::vector<std::uint64_t> next(plain.starts.begin(), plain.starts.end() - 1);
  parallel_for(control, terms_, 1024, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<std::byte> payload;
    std::vector<Id> docs;
    for (std::size_t t = begin; t < end; ++t) {
      const Term term = static_cast<Term>(t);
      const std::size_t n = count(term);
      payload.resize((n + simd::kPostingsSlack) * payload_bytes(payload_));
      docs.resize(n + simd::kPostingsSlack);
      decode(term, docs.data(), payload.data());
      std::copy_n(docs.begin(), n, plain.docs.begin() + static_cast<std::ptrdiff_t>(next[t]));
      payload_to_float(payload_, payload.data(), n, step(term), plain.weights.data() + next[t]);
      next[t] += n;
    }
  });
  for (std::size_t row = 0; row < more.rows(); ++row) {
    const Id doc = static_cast<Id>(docs_ + row);
    for (std::size_t i = more.offsets[row]; i < more.offsets[row + 1]; ++i) {
      if (!(more.weights[i] > 0)) continue;
      const Term term = more.terms[i];
      const std::uint64_t at = next[term]++;
      if (at > plain.starts[term] && plain.docs[at - 1] == doc) {
        throw Error(ErrorCode::invalid_argument, "row " + std::to_string(row) + ": term " +
                                                     std::to_string(term) +
                                                     " stands twice, expected once");
      }
      plain.docs[at] = doc;
      plain.weights[at] = more.weights[i];
    }
  }
  plain.docs.resize(plain.starts.back());
  return plain;
}

std::size_t Postings::used_terms() const {
  std::size_t used = 0;
  for (std::size_t t = 0; t < terms_; ++t) used += count(static_cast<Term>(t)) > 0 ? 1 : 0;
  return used;
}

std::vector<std::pair<std::string, std::size_t>> Postings::bytes() const {
  return {{"postings", lists_.size()}, {"terms", counts_.size() + starts_.size() + steps_.size()}};
}

void Postings::fail(Term term) {
  throw Error(ErrorCode::corrupt,
              "section postings: the list of term " + std::to_string(term) + " is broken");
}

std::span<const std::byte> Postings::list(Term term) const {
  const auto* starts = starts_.as<std::uint64_t>();
  return lists_.bytes().subspan(starts[term], starts[term + 1] - starts[term]);
}

WindowedList Postings::windows_of(Term term) const {
  return windowed_parts(list(term).data(), count(term), docs_);
}

std::pair<std::size_t, std::size_t> Postings::window_range(const WindowedList& list,
                                                           std::size_t count,
                                                           std::size_t window) const {
  const auto start = [&](std::size_t w) -> std::size_t {
    const std::size_t group =
        formats::load<std::uint32_t>(list.group_starts + w / kWindowGroup * sizeof(std::uint32_t));
    return group + formats::load<std::uint16_t>(list.starts + w * sizeof(std::uint16_t));
  };
  const std::size_t end = window + 1 < windows() ? std::min(start(window + 1), count) : count;
  const std::size_t begin = std::min(start(window), end);
  return {begin, std::min(end, begin + kWindow)};
}

void Postings::decode(Term term, Id* docs, std::byte* payload) const {
  const std::size_t n = count(term);
  if (!windowed(term)) {
    if (!read_packed(list(term), payload_, docs_, {docs, n}, payload)) fail(term);
    return;
  }
  const WindowedList parts = windows_of(term);
  std::size_t at = 0;
  for (std::size_t w = 0; w < windows(); ++w) {
    const auto [begin, end] = window_range(parts, n, w);
    if (begin != at) fail(term);
    for (; at < end; ++at) docs[at] = static_cast<Id>(w * kWindow + parts.places[at]);
  }
  if (at != n || (n > 0 && docs[n - 1] >= docs_)) fail(term);
  std::memcpy(payload, parts.payload, n * payload_bytes(payload_));
}

}  // namespace kith

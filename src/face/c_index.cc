// The C face of the index.
#include <algorithm>
#include <memory>
#include <string>

#include "face/handles.h"
#include "kith/index.h"
#include "kith/kith.h"

struct kith_index {
  kith::Index index;
};

struct kith_ranges {
  kith::RangeNeighbours found;  // distances already customary
};

namespace {

using kith::face::control_of;
using kith::face::guarded;
using kith::face::required;
using kith::face::view_of;

kith::SearchOptions search_options(const kith_search_options* options) {
  const kith_search_options given = kith::face::sized_copy(options, "kith_search_options");
  kith::SearchOptions search;
  search.beam = given.beam;
  search.rerank = given.rerank;
  search.control = control_of(given.control);
  if (given.allowed != nullptr) {
    search.filter = kith::Filter::bits({given.allowed, given.allowed + given.allowed_words});
  }
  return search;
}

// `text` with its closing NUL, cut to what the array holds.
template <std::size_t size>
void copy_text(const std::string& text, char (&out)[size]) {
  const std::size_t length = std::min(text.size(), size - 1);
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

}  // namespace

extern "C" {

kith_status kith_index_build(const kith_matrix* rows, const kith_labels* labels,
                             const kith_build_options* options, kith_index** index) {
  return guarded([&] {
    required(index, "index");
    const kith_build_options given = kith::face::sized_copy(options, "kith_build_options");
    kith::BuildOptions build;
    build.metric = kith::face::metric_of(given.metric);
    if (given.index != nullptr) build.index = given.index;
    if (given.codec != nullptr) build.codec = given.codec;
    build.degree = given.degree;
    build.build_beam = given.build_beam;
    if (given.recall != 0) build.recall = given.recall;
    if (given.seed != 0) build.seed = given.seed;
    if (given.order != nullptr) build.order = given.order;
    build.control = control_of(given.control);
    *index = new kith_index{
        kith::Index::build(view_of(rows, "rows"), kith::face::labels_of(labels), build)};
  });
}

kith_status kith_index_open(const char* path, unsigned flags, kith_index** index) {
  return guarded([&] {
    constexpr unsigned kKnown = KITH_OPEN_SKIP_LARGE_CHECKSUMS | KITH_OPEN_IN_MEMORY;
    if ((flags & ~kKnown) != 0) {
      throw kith::Error(kith::ErrorCode::invalid_argument,
                        "flags: " + std::to_string(flags) + ", expected a sum of KITH_OPEN_*");
    }
    kith::OpenOptions options;
    options.verify = (flags & KITH_OPEN_SKIP_LARGE_CHECKSUMS) == 0;
    options.in_memory = (flags & KITH_OPEN_IN_MEMORY) != 0;
    required(index, "index");
    *index = new kith_index{kith::Index::open(required(path, "path"), options)};
  });
}

kith_status kith_index_save(const kith_index* index, const char* path,
                            const kith_control* control) {
  return guarded(
      [&] { required(index, "index")->index.save(required(path, "path"), control_of(control)); });
}

void kith_index_free(kith_index* index) { delete index; }

kith_status kith_index_add(kith_index* index, const kith_matrix* rows, const kith_labels* labels,
                           const kith_control* control) {
  return kith_index_add_ids(index, rows, labels, control, nullptr);
}

kith_status kith_index_add_ids(kith_index* index, const kith_matrix* rows,
                               const kith_labels* labels, const kith_control* control,
                               uint32_t* ids) {
  return guarded([&] {
    const std::vector<kith::Id> added =
        required(index, "index")
            ->index.add(view_of(rows, "rows"), kith::face::labels_of(labels), control_of(control));
    if (ids != nullptr) std::copy(added.begin(), added.end(), ids);
  });
}

kith_status kith_index_merge(kith_index* index, const kith_index* const* others, size_t count,
                             int replace, const kith_control* control) {
  return guarded([&] {
    required(index, "index");
    if (count != 0) required(others, "others");
    std::vector<const kith::Index*> parts;
    for (size_t i = 0; i < count; ++i) parts.push_back(&required(others[i], "others")->index);
    kith::MergeOptions options;
    options.replace = replace != 0;
    options.control = control_of(control);
    index->index.merge(parts, options);
  });
}

kith_status kith_index_remove(kith_index* index, const uint32_t* ids, size_t count,
                              const kith_control* control) {
  return guarded([&] {
    if (count != 0) required(ids, "ids");
    required(index, "index")->index.remove({ids, count}, control_of(control));
  });
}

int kith_index_contains(const kith_index* index, uint32_t id) {
  return index != nullptr && index->index.contains(id) ? 1 : 0;
}

kith_status kith_index_find(const kith_index* index, const char* label, uint32_t* id) {
  return guarded([&] {
    required(id, "id");
    const auto found = required(index, "index")->index.find(required(label, "label"));
    if (!found) {
      throw kith::Error(kith::ErrorCode::not_found,
                        "no vector is labelled '" + std::string(label) + "'");
    }
    *id = *found;
  });
}

kith_status kith_index_search(const kith_index* index, const kith_matrix* queries, size_t k,
                              const kith_search_options* options, uint32_t* ids, float* values) {
  return guarded([&] {
    const kith::Index& own = required(index, "index")->index;
    required(ids, "ids");
    const kith::Neighbours found =
        own.search(view_of(queries, "queries"), k, search_options(options));
    kith::face::copy_neighbours(found, own.metric(), ids, values);
  });
}

kith_status kith_index_range(const kith_index* index, const kith_matrix* queries, float radius,
                             const kith_search_options* options, kith_ranges** ranges) {
  return guarded([&] {
    const kith::Index& own = required(index, "index")->index;
    required(ranges, "ranges");
    kith::RangeNeighbours found =
        own.range(view_of(queries, "queries"), radius, search_options(options));
    for (float& value : found.distances) value = kith::customary(own.metric(), value);
    *ranges = new kith_ranges{std::move(found)};
  });
}

const size_t* kith_ranges_offsets(const kith_ranges* ranges) {
  return ranges == nullptr ? nullptr : ranges->found.offsets.data();
}

const uint32_t* kith_ranges_ids(const kith_ranges* ranges) {
  return ranges == nullptr ? nullptr : ranges->found.ids.data();
}

const float* kith_ranges_values(const kith_ranges* ranges) {
  return ranges == nullptr ? nullptr : ranges->found.distances.data();
}

void kith_ranges_free(kith_ranges* ranges) { delete ranges; }

kith_status kith_index_get_info(const kith_index* index, kith_index_info* info) {
  return guarded([&] {
    const std::size_t size = required(info, "info")->struct_size;
    kith::face::check_struct_size<kith_index_info>(size, "kith_index_info");
    const kith::IndexInfo own = required(index, "index")->index.info();
    kith_index_info filled{};
    filled.struct_size = size;
    filled.vectors = own.vectors;
    filled.dim = own.dim;
    filled.degree = own.degree;
    filled.default_beam = own.default_beam;
    for (const auto& part : own.bytes) filled.bytes += part.second;
    filled.metric = static_cast<kith_metric>(own.metric);
    filled.element = static_cast<kith_element>(own.element);
    filled.labels = static_cast<kith_label_kind>(own.labels);
    filled.tuned_recall = own.tuned_recall;
    filled.removed = own.removed;
    copy_text(own.kind, filled.kind);
    copy_text(own.codec, filled.codec);
    std::memset(info, 0,
                size);  // a newer caller's fields that this version doesn't know
    std::memcpy(info, &filled, std::min(size, sizeof filled));
  });
}

kith_status kith_index_labels(const kith_index* index, kith_labels** labels) {
  return guarded([&] {
    required(labels, "labels");
    *labels = new kith_labels{required(index, "index")->index.labels()};
  });
}

kith_status kith_index_vector(const kith_index* index, uint32_t id, float* vector) {
  return guarded([&] { required(index, "index")->index.vector(id, required(vector, "vector")); });
}

kith_status kith_index_set_default_beam(kith_index* index, size_t beam, double recall) {
  return guarded([&] { required(index, "index")->index.set_default_beam(beam, recall); });
}

}  // extern "C"

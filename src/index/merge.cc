// Index::merge: one index of several that were built apart.
#include <algorithm>
#include <compare>
#include <mutex>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "index/checks.h"
#include "index/implementation.h"

namespace kith {
namespace {

using Parts = std::vector<const Index::Implementation*>;

[[noreturn]] void refuse(std::size_t part, const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "index " + std::to_string(part) + ": " + message);
}

std::string quoted(std::string text) {
  constexpr std::size_t kMost = 60;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return "'" + text + "'";
}

void check_parts(const Parts& parts) {
  const Index::Implementation& first = *parts.front();
  std::size_t total = first.present();
  for (const Index::Implementation* part : parts) part->refuse_on_disk("merge");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Index::Implementation& other = *parts[i];
    if (&other == &first) refuse(i, "is index 0 itself, expected another");
    if (other.dim != first.dim) {
      refuse(i, std::to_string(other.dim) + " dimensions, but index 0 has " +
                    std::to_string(first.dim));
    }
    if (other.metric != first.metric) {
      refuse(i, "metric " + std::string(name(other.metric)) + ", but index 0 has " +
                    std::string(name(first.metric)));
    }
    total += other.present();
  }
  if (total > kMaxVectors) {
    refuse(0, std::to_string(total) + " vectors with the others, expected at most " +
                  std::to_string(kMaxVectors));
  }
}

void check_vectors(const Parts& parts, const MergeOptions& options) {
  if (options.vectors.empty()) return;
  if (options.vectors.size() != parts.size() - 1) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(options.vectors.size()) + " files of vectors, expected " +
                    std::to_string(parts.size() - 1) + ", one for each index but the first");
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const AnyMatrixView& rows = options.vectors[i - 1];
    if (rows.rows() != parts[i]->size() || rows.dim() != parts[i]->dim) {
      refuse(i, std::to_string(parts[i]->size()) + " ids of dimension " +
                    std::to_string(parts[i]->dim) + ", but its vectors are " +
                    std::to_string(rows.rows()) + " of dimension " + std::to_string(rows.dim()));
    }
    checked_norms("row", rows, parts[i]->metric, options.control);
  }
}

// The ids of each part that the merged index has: all that are there, but of those with equal
// labels in several parts the last part's only.
class Chosen {
 public:
  Chosen(const Parts& parts, bool replace) : parts_(parts), kept_(parts.size()) {
    std::vector<Label> labelled;
    for (std::uint32_t part = 0; part < parts.size(); ++part) {
      for (Id id = 0; id < parts[part]->size(); ++id) {
        if (!parts[part]->contains(id)) continue;
        if (parts[part]->labels.kind() == Labels::Kind::none) {
          kept_[part].push_back(id);
        } else {
          labelled.push_back({hash(part, id), part, id});
        }
      }
    }
    std::sort(labelled.begin(), labelled.end());
    for (std::size_t begin = 0, end = 0; begin < labelled.size(); begin = end) {
      while (end < labelled.size() && labelled[end].hash == labelled[begin].hash) ++end;
      keep(std::span(labelled).subspan(begin, end - begin), replace);
    }
    for (std::vector<Id>& ids : kept_) std::sort(ids.begin(), ids.end());
  }

  const std::vector<Id>& of(std::size_t part) const { return kept_[part]; }

 private:
  struct Label {
    std::uint64_t hash;
    std::uint32_t part;
    Id id;
    auto operator<=>(const Label&) const = default;
  };

  std::string text(const Label& label) const { return parts_[label.part]->labels.text(label.id); }
  std::uint64_t hash(std::uint32_t part, Id id) const {
    const std::string label = parts_[part]->labels.text(id);
    return checksum(std::as_bytes(std::span(label)));
  }
  // Of labels with one hash, in the order of the parts.
  void keep(std::span<const Label> same, bool replace) {
    const bool alone = same.front().part == same.back().part;
    for (std::size_t i = 0; i < same.size(); ++i) {
      const std::span<const Label> later = same.subspan(i + 1);
      const auto rival = alone ? later.end() : std::ranges::find_if(later, [&](const Label& other) {
        return other.part != same[i].part && text(other) == text(same[i]);
      });
      if (rival == later.end()) {
        kept_[same[i].part].push_back(same[i].id);
      } else if (!replace) {
        refuse(rival->part, "label " + quoted(text(*rival)) + " is in index " +
                                std::to_string(same[i].part) +
                                " too, expected labels of its own, or to replace");
      }
    }
  }

  const Parts& parts_;
  std::vector<std::vector<Id>> kept_;
};

}  // namespace

void Index::merge(std::span<const Index* const> others, const MergeOptions& options) {
  const std::lock_guard change(*change_);
  Implementation& own = *implementation_;
  Parts parts = {&own};
  for (const Index* other : others) parts.push_back(other->implementation_.get());
  check_parts(parts);
  check_vectors(parts, options);
  const Chosen chosen(parts, options.replace);
  std::vector<Id> replaced;
  for (Id id = 0; id < own.size(); ++id) {
    if (own.contains(id) && !std::ranges::binary_search(chosen.of(0), id)) replaced.push_back(id);
  }
  own.remove(replaced, options.control);
  own.clear_removed(options.control);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Implementation& other = *parts[i];
    const std::vector<Id>& ids = chosen.of(i);
    if (ids.empty()) continue;
    const bool given = !options.vectors.empty();
    const RowLoader load = [&](std::size_t row, float* out) {
      given ? options.vectors[i - 1].copy_row(ids[row], out) : other.best().decode(ids[row], out);
    };
    const bool none = other.labels.kind() == Labels::Kind::none;
    own.add({ids.size(), load, &other, ids}, none ? Labels() : other.labels.select(ids),
            options.control);
  }
}

}  // namespace kith

// Data to train on: pairs of texts that belong together, and plain texts, out of packages, without
// what the judge's tasks of the same seed test on (held_out.h). The same seed makes the same lines
// of the same packages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "datasets/held_out.h"
#include "datasets/packages.h"

namespace kith::datasets {

struct TrainingPair {
  std::string query, positive;
  std::string source;  // what kind of pair it is: "wordnet-words", "gcide-definition" ...
  // What it is made of, where several pairs are: a batch is better off without two of one group,
  // as each's answer may answer the other, too.
  std::string group;
  std::vector<std::string> negatives;  // texts that look like answers and are none
  std::optional<double> score;         // how alike the two are, from 0 to 1; without: they belong
};

struct TrainingCounts {
  std::map<std::string, std::size_t> lines;  // by source
  // Dropped: too short, there already, tested on.
  std::size_t empty = 0, duplicate = 0, held_out = 0;
};

// Lines {"query", "positive", "source"[, "group"][, "negatives"][, "score"]} and {"text",
// "source"}, under their name once all are there.
class TrainingFile {
 public:
  // Throws io naming the path when its folder can't be written.
  TrainingFile(const std::string& path, HeldOut held_out);

  const HeldOut& held_out() const { return held_out_; }

  // Leaves out a pair without letters on a side, with two equal sides, that is there already, or
  // one of whose texts is held out; negatives that are held out or the positive go alone.
  void add(TrainingPair pair);
  // Leaves out a text that is too short, there already or held out.
  void add_text(const std::string& text, const std::string& source);

  // Throws corrupt for a file without a line.
  const TrainingCounts& commit();

 private:
  bool fits(const TrainingPair& pair);

  std::string path_;
  AtomicFile file_;
  HeldOut held_out_;
  TrainingCounts counts_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> pairs_;
  std::unordered_set<std::uint64_t> texts_;
};

struct TrainingSet {
  std::string name, what;
  std::string packages;  // that it is fetched from
  std::string licence;
  void (*make)(Packages& packages, std::uint64_t seed, TrainingFile& file);
};

// In the order of `kith data list`.
const std::vector<TrainingSet>& training_sets();

// Throws not_found for a name that no set has.
const TrainingSet& find_training_set(const std::string& name);

// Makes a set and writes it as JSON lines, without what is held out: for a set of the catalogue's
// own packages that must be what all_held_out gives for the same seed. Throws what Packages throws,
// corrupt for packages that don't hold what they should, io.
TrainingCounts write_training_set(const TrainingSet& set, Packages& packages, std::uint64_t seed,
                                  HeldOut held_out, const std::string& path);

}  // namespace kith::datasets

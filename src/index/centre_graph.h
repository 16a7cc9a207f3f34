// A graph over the centres of an inverted file: with many lists, the few nearest are found without
// looking at every centre (Baranchuk, Babenko and Malkov, "Revisiting the inverted indices for
// billion-scale approximate nearest neighbors", 2018). It is built and walked as every graph here
// is, on the byte copies of the centres; what the walk meets is scored again in float.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "codec/centres.h"
#include "formats/kith_file.h"
#include "index/packed_graph.h"
#include "kith/control.h"

namespace kith {

class CentreGraph {
 public:
  // Whether a walk to so many of the nearest costs less than looking at every centre.
  static bool pays(std::size_t centres, std::size_t wanted);

  // `centres` have a rough copy. The same graph for any number of threads.
  CentreGraph(std::shared_ptr<const Centres> centres, std::uint64_t seed, const Control& control);

  // As Centres::nearest_few for one row, but for the few centres that a walk misses.
  void nearest_few(const float* row, std::size_t count, std::uint32_t* ids, float* scores) const;

  std::size_t bytes() const { return graph_.storage().size() + entries_.size() * sizeof(Id); }
  // Sections PREFIX.edges and PREFIX.entries.
  void save(KithFileWriter& writer, Meta& meta, const std::string& prefix) const;
  static bool is_in(const Meta& meta, const std::string& prefix);
  CentreGraph(std::shared_ptr<const Centres> centres, const KithFileReader& reader,
              const Meta& meta, const std::string& prefix);

 private:
  std::shared_ptr<const Centres> centres_;
  PackedGraph graph_;
  std::vector<Id> entries_;
};

}  // namespace kith

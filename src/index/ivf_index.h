// The inverted-file index: lists are scanned for candidates (inverted_lists.h), which the best
// codes judge (ivf_refine.h).
//
//   pqN+CODEC    lists of product codes, CODEC's vectors under their ids
//   CODEC        lists of CODEC's vectors, which lie in the lists' order: what is scanned judges
//   CODEC+OTHER  the same, and OTHER's vectors under their ids judge
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "index/implementation.h"
#include "index/inverted_lists.h"
#include "index/ivf_refine.h"
#include "index/margin.h"

namespace kith {

class IvfIndex : public Index::Implementation {
 public:
  IvfIndex(const AnyMatrixView& rows, const BuildOptions& options, bool choose_codec);
  IvfIndex(const KithFileReader& reader, const Meta& meta);

  std::string kind() const override { return "ivf"; }
  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options) const override;
  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options) const override;
  IndexInfo info() const override;
  void save_parts(KithFileWriter& writer, Meta& meta) const override;
  std::uint32_t plain_version() const override;
  void read_queries_by(std::shared_ptr<const Binariser> binariser) override;

 private:
  void link(std::span<const Id> ids, const Incoming& rows, const Control& control) override;
  void unlink(bool now, const Control& control) override;
  void train_lists(const AnyMatrixView& rows, const BuildOptions& options);
  void measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                      const BuildOptions& options);
  // What one query (x, of length 1 under cosine, to be changed) tells of the margins.
  template <class C>
  void measure_errors(const C& codec, Matrix<float>& x, InvertedLists::Scratch& scratch,
                      std::vector<float>& errors, std::vector<float>& level_errors) const;
  // Codec `name` takes the place of primary_ where that doesn't reach the recall, or only by
  // probing far more lists.
  DefaultBeam try_finer_codes(const std::string& name, const AnyMatrixView& rows,
                              std::span<const Id> held, const BeamTrial& trial,
                              const BuildOptions& options, const DefaultBeam& coarser);

  // Whether lists are of stored codes: primary_'s lie in their order.
  bool holds_rows() const { return lists_.blocks().none(); }
  // Other lists, and stored codes in their order.
  void take(InvertedLists lists, const Control& control);

  Refiner refiner() const;
  // Finds each query's lists. Rows are of length 1 under cosine.
  void start_lists(const Matrix<float>& queries, std::size_t probes,
                   InvertedLists::Scratch& scratch) const;
  // Prepares what lists are scanned by, for queries likewise; `refined` are prepared before scans.
  template <class C>
  ListScan& list_scan(const Matrix<float>& queries, const C& codec,
                      std::vector<Refined<C>>& refined, InvertedLists::Scratch& scratch) const;
  template <class C>
  std::vector<Hit> search_all_allowed(const C& codec, const typename C::Query& query,
                                      const float* transformed, const Allowed& allowed,
                                      std::size_t k) const;
  std::size_t enough_probes(std::size_t probes, const Allowed& allowed) const;
  bool scan_is_cheaper(std::size_t probes, const Allowed& allowed) const;
  // The nearest of all that is allowed, without lists.
  void search_allowed(const AnyMatrixView& queries, const SearchOptions& options,
                      Neighbours& result) const;
  // Calls emit(query, hits) for every query, in parallel. `depth`: candidates to re-score, 0 for
  // as many as can matter.
  template <class Emit>
  void search_all(const AnyMatrixView& queries, const SearchOptions& options, std::size_t depth,
                  std::size_t k, float radius, const Emit& emit) const;

  InvertedLists lists_;
  // Of those truly among the nearest, nearly all (margin.h) are estimated at most this much
  // farther than they are. Measured on vectors held out of the build; until then, and where there
  // are none, every candidate matters.
  float margin_ = kNoMargin;
  // The same of the distances by the first level of a code that has two.
  float level_margin_ = kNoMargin;
  // How many times as many lists hold ten times as many neighbours.
  double for_ten_times_ = kUsualForTenTimes;
};

}  // namespace kith

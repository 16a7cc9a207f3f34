// In which order a graph takes its vectors in (BuildOptions::order). The build inserts batches of
// about a fiftieth of what is there, whose vectors don't see each other, so an order is one of
// batches: inside a batch it means nothing. Search entries come first, in every order, and the
// vectors that the default beam is tuned by last; those are the same random ones in every order.
#pragma once

#include <span>
#include <vector>

#include "kith/index.h"
#include "kith/labels.h"
#include "kith/lid.h"
#include "kith/matrix.h"

namespace kith {

// Throws invalid_argument for an unknown order, any but "random" without a graph, and "by-label"
// without labels. `options` are resolved.
void check_order(const BuildOptions& options, const Labels& labels);

// A key a row: rows with smaller keys are inserted earlier, equal ones in random order. Empty for
// "random".
std::vector<double> order_keys(const AnyMatrixView& rows, const Labels& labels,
                               const BuildOptions& options);

// The LIDs that order by them (of these rows; none: of all): among at most kLidSample rows, because
// all would take longer than the build.
inline constexpr std::size_t kLidSample = 20000;
bool orders_by_lid(const BuildOptions& options);
std::vector<float> lids_to_order_by(const AnyMatrixView& rows, std::span<const Id> of,
                                    const BuildOptions& options);

}  // namespace kith

#include "kith/exact.h"

#include <string>
#include <vector>

#include "index/checks.h"
#include "index/flat_search.h"
#include "kith/error.h"

namespace kith {
namespace {

void check_base(const AnyMatrixView& base) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorCode::invalid_argument, message);
  };
  if (base.rows() == 0) refuse("the base is empty: expected at least one row");
  if (base.rows() > kMaxVectors) {
    refuse("the base has " + std::to_string(base.rows()) + " rows: expected at most " +
           std::to_string(kMaxVectors));
  }
  if (base.dim() == 0) refuse("the base has 0 dimensions: expected at least 1");
}

}  // namespace

Neighbours exact_search(const AnyMatrixView& base, const AnyMatrixView& queries,
                        const ExactOptions& options) {
  check_k(options.k);
  check_base(base);
  check_same_dim(queries, base.dim(), "base");
  const std::vector<float> norms = checked_norms("base", base, options.metric, options.control);
  checked_norms("query", queries, options.metric, options.control);
  return FlatSearch(base, options.metric, norms, options.control)
      .search(queries, options.k, options.control);
}

}  // namespace kith

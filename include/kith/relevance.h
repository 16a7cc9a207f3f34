// Which hits of a search are relevant, and not only nearest. Cosines of one query can't be compared
// with another's: a small network reads a query's vector and says how its cosines are to be taken,
// so that one threshold serves all queries. N. Rossi et al., "Relevance filtering for
// embedding-based retrieval", CIKM 2024. `kith train relevance` learns one from judged pairs.
//
//   const kith::RelevanceAdapter adapter = kith::RelevanceAdapter::open("relevance.kith");
//   const kith::RelevanceCurve curve = adapter.curve(query);
//   if (curve.relevance(cosine) >= 0.5) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kith/matrix.h"

namespace kith {

// How a cosine s becomes the logit of relevance, with a, b and c of the query:
enum class RelevanceMapping : std::uint8_t {
  offset,     // s + b
  linear,     // a s + b
  sqrt,       // a s^(1/2) + b
  quadratic,  // a s^2 + b
  power,      // a s^(2 sigmoid(c)) + b
};
inline constexpr const char* kRelevanceMappings[] = {"offset", "linear", "sqrt", "quadratic",
                                                     "power"};
// One of those; throws invalid_argument for other names.
RelevanceMapping relevance_mapping(std::string_view name);
std::string_view name(RelevanceMapping mapping);
// Numbers that the network gives for a query: 1, 2 or 3.
std::size_t outputs(RelevanceMapping mapping);

// Of one query. The larger the cosine the more relevant, unless `slope` is negative, which only
// adapters that were trained without bounds have.
struct RelevanceCurve {
  double slope = 1, offset = 0, exponent = 1;

  static constexpr double kLeastCosine = 1e-6;  // that exponents other than 1 take
  double logit(double cosine) const;
  double relevance(double cosine) const;  // sigmoid of the logit: 0 to 1
};

class RelevanceAdapter {
 public:
  static constexpr double kLeastSlope = 1e-3;

  // y = weight * norm(x) + bias, where norm has zero mean and unit variance times `scale` plus
  // `shift`; empty: none. ReLU stands between two layers.
  struct Layer {
    std::vector<float> scale, shift;  // inputs, or none
    Matrix<float> weight;             // outputs x inputs
    std::vector<float> bias;          // outputs
  };
  struct Content {
    RelevanceMapping mapping = RelevanceMapping::linear;
    // Slopes are softplus of what the network gives, plus kLeastSlope, unless the network's own are
    // taken as in the authors' code.
    bool free_slope = false;
    // Logits are taken times `gain` plus `bias` in the end: fitted to held-out queries.
    double gain = 1, bias = 0;
    // The relevance from which on held-out queries kept `recall` of what was relevant.
    double threshold = 0.5, recall = 0;
    std::string model = {};  // the checksum of the model that made the vectors; empty: unknown
    std::vector<Layer> layers = {};
  };

  // Throws invalid_argument for layers that don't fit one another or the mapping, and values that
  // aren't finite.
  explicit RelevanceAdapter(Content content);
  // Throws not_found, corrupt, or unsupported for a newer file.
  static RelevanceAdapter open(const std::string& path);
  // Writes a temporary file beside `path`, syncs it and renames it over `path`.
  void save(const std::string& path) const;

  const Content& content() const { return content_; }
  std::size_t dim() const { return content_.layers.front().weight.cols(); }

  // `query` has dim() values of any length but 0; O(parameters). Throws invalid_argument for a zero
  // query and values that aren't finite. Thread-safe.
  RelevanceCurve curve(const float* query) const;

 private:
  Content content_;
};

}  // namespace kith

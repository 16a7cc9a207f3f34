#include "index/lists_content.h"

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "codec/centres.h"
#include "codec/kmeans.h"
#include "codec/stage.h"
#include "kith/trained_lists.h"
#include "simd/kernels.h"

namespace kith {
namespace {

constexpr std::size_t kTrainRowsOfCodes = 8192;  // that codewords are learned from
constexpr char kKind[] = "lists";

Matrix<float> sample_of(const AnyMatrixView& rows, Metric metric, std::size_t wanted,
                        std::uint64_t seed) {
  return load_rows(rows, random_sample(rows.rows(), wanted, seed), metric);
}

}  // namespace

ListsContent learn_lists(const AnyMatrixView& rows, const ListTraining& training) {
  KMeansOptions means;
  means.clusters = training.lists;
  means.most_of_mean = training.balance;
  means.rows_per_cluster = kTrainRowsOfList;
  means.seed = training.seed;
  means.control = training.control;
  const std::size_t wanted = training.lists * kTrainRowsOfList;
  const Centres centres(kmeans(sample_of(rows, training.metric, wanted, training.seed), means));

  if (training.parts == 0) return {training.metric, centres.matrix().clone(), {}};
  Matrix<float> residuals = sample_of(rows, training.metric, kTrainRowsOfCodes, training.seed + 1);
  std::vector<std::uint32_t> assigned(residuals.rows());
  centres.nearest(residuals, training.control, assigned);
  for (std::size_t i = 0; i < residuals.rows(); ++i) {
    const float* centre = centres.matrix().row(assigned[i]);
    for (std::size_t j = 0; j < rows.dim(); ++j) residuals.row(i)[j] -= centre[j];
  }
  ListsContent content{training.metric, centres.matrix().clone(),
                       ProductQuantiser(rows.dim(), training.parts, training.turn)};
  content.quantiser.train(residuals, training.seed, training.control);
  return content;
}

ListsContent read_lists(const KithFileReader& reader) {
  const Meta meta = reader.meta();
  if (!meta.has("kind") || meta.string("kind") != kKind) {
    reader.fail("no trained lists, which `kith train codec` makes");
  }
  ListsContent content;
  content.metric = static_cast<Metric>(meta.number("metric", 2));
  const std::size_t dim = meta.number("dim", kMaxDim), lists = meta.number("lists", kMaxVectors);
  if (dim == 0 || lists == 0) reader.fail("section meta: no dimensions or no lists");
  content.quantiser.load(reader, meta, "code", dim);
  if (!simd::all_finite(content.quantiser.words().data(), content.quantiser.words().size())) {
    reader.fail("section code.words: a number that isn't finite");
  }
  content.centres = reader.rows("centres", lists, dim);
  return content;
}

// ---- TrainedLists -------------------------------------------------------------------------------

TrainedLists::TrainedLists(std::shared_ptr<const ListsContent> content)
    : content_(std::move(content)) {}

TrainedLists TrainedLists::open(const std::string& path) {
  return TrainedLists(
      std::make_shared<const ListsContent>(read_lists(KithFileReader::open(path, true))));
}

void TrainedLists::save(const std::string& path) const {
  KithFileWriter writer;
  Meta meta;
  meta.set("kind", kKind);
  meta.set("metric", static_cast<std::uint64_t>(content_->metric));
  meta.set("dim", std::uint64_t{dim()});
  meta.set("lists", std::uint64_t{lists()});
  content_->quantiser.save(writer, meta, "code");
  writer.add_rows("centres", content_->centres);
  writer.add_text("meta", meta.text());
  writer.write(path, {});
}

Metric TrainedLists::metric() const { return content_->metric; }
std::size_t TrainedLists::dim() const { return content_->centres.cols(); }
std::size_t TrainedLists::lists() const { return content_->centres.rows(); }
std::string TrainedLists::codec() const {
  const bool turned = content_->quantiser.turn() == ProductQuantiser::Turn::learned;
  return (turned ? "opq" : "pq") + std::to_string(content_->quantiser.parts());
}

}  // namespace kith

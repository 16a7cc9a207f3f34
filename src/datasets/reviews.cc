// Reviews of food: great or not (Amazon's fine food reviews, as R's modeldata has a sample).
#include "datasets/catalogue.h"
#include "datasets/r_data.h"
#include "datasets/split.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

constexpr double kTestShare = 0.2;

void add(const RValue& frame, std::vector<LabelledText>& reviews) {
  const std::vector<std::string> products = frame.item("product").as_texts();
  const std::vector<std::string> texts = frame.item("review").as_texts();
  const std::vector<std::string> scores = frame.item("score").as_texts();
  if (texts.size() != scores.size() || texts.size() != products.size()) {
    throw Error(ErrorCode::corrupt, "r-cran-modeldata: columns of different lengths");
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    reviews.push_back({squeeze(texts[i]), scores[i], products[i]});
  }
}

}  // namespace

// Split anew, by product: the package's own sides share products.
std::vector<Task> make_reviews(Packages& packages, std::uint64_t seed) {
  const std::string base =
      packages.deb("r-cran-modeldata") + "/usr/lib/R/site-library/modeldata/data/Rdata";
  std::vector<LabelledText> reviews;
  for (const char* name : {"training_data", "testing_data"}) {
    add(read_r_object(base, name), reviews);
  }
  std::vector<Task> tasks(1);
  tasks.front().content = classification(reviews, kTestShare, 1, seed);
  return tasks;
}

}  // namespace kith::datasets

#include "papers/common/static_embedding.h"

#include <fmt/format.h>

#include "papers/common/bases.h"
#include "papers/common/contrastive.h"
#include "papers/common/trained_models.h"

namespace kith::papers {

std::string static_embedding(const Trial& trial, std::size_t width) {
  return trained(trial, "static",
                 fmt::format(R"([model.architecture]
type = "static"
width = {}
tokenizer = "{}"
{}
[loss]
temperature = 0.05
[train]
steps = {}
batch = {}
query_tokens = 32
document_tokens = 128
learning_rate = 0.01
weight_decay = 0
dropout = 0
seed = {}
)",
                             width, wordpiece_tokenizer(trial), data_table(debian_pairs(trial)),
                             trial.quick ? 20 : 200, trial.quick ? 32 : 1024, trial.seed));
}

}  // namespace kith::papers

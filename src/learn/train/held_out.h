// Held-out examples as queries and the documents that they are sought among.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "learn/train/examples.h"

namespace kith::learn {

class HeldOut {
 public:
  // Refers to the examples' texts.
  explicit HeldOut(const std::vector<Example>& examples);

  const std::vector<std::string_view>& queries() const { return queries_; }      // one an example
  const std::vector<std::string_view>& documents() const { return documents_; }  // each text once

  // Of each example's positive among all documents, by scores [queries, documents]: the mean of
  // 1 / rank, 0 behind the tenth. Others that are as near stand before it, so that vectors which
  // are all the same are worth nothing.
  double reciprocal_rank(const at::Tensor& scores) const;

 private:
  std::vector<std::string_view> queries_, documents_;
  std::vector<std::int64_t> answers_;
};

}  // namespace kith::learn

#include "learn/nn/positions.h"

#include "encode/context.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {

LongTable longer_table(const at::Tensor& table, std::int64_t offset, std::int64_t trained,
                       const PositionsOptions& options) {
  if (options.tokens <= trained) {
    refuse("positions for " + std::to_string(options.tokens) + " tokens, expected more than the " +
           std::to_string(trained) + " that the model takes");
  }
  if (options.kind == "recurrent") {
    const at::Tensor place = torch::arange(options.tokens).remainder(trained) + offset;
    return {torch::cat({table.narrow(0, 0, offset), table.index_select(0, place)}),
            torch::arange(offset + trained, offset + options.tokens), options.tokens};
  }
  const std::int64_t stretch = (options.tokens + trained - 1) / trained;
  const auto whole = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  at::Tensor rows = tensor_of(
      encode::stretched_table(matrix_of(table), whole(offset), whole(trained), whole(stretch)));
  const at::Tensor place = torch::arange(trained * stretch);
  return {rows, place.masked_select(place.remainder(stretch) != 0) + offset, trained * stretch};
}

}  // namespace kith::learn

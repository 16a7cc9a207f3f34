#include "kith/filter.h"

#include "base/id_set.h"
#include "kith/error.h"

namespace kith {

Filter Filter::ids(std::span<const Id> allowed) {
  for (Id id : allowed) {
    if (id >= kMaxVectors) {
      throw Error(ErrorCode::invalid_argument, "filter: id " + std::to_string(id) +
                                                   ", expected one below " +
                                                   std::to_string(kMaxVectors));
    }
  }
  Filter filter;
  filter.set_ = std::make_shared<const IdSet>(allowed);
  return filter;
}

Filter Filter::bits(std::vector<std::uint64_t> words) {
  Filter filter;
  filter.set_ = std::make_shared<const IdSet>(std::move(words));
  return filter;
}

Filter Filter::predicate(std::function<bool(Id)> allows) {
  if (!allows) {
    throw Error(ErrorCode::invalid_argument, "filter: an empty predicate, expected a function");
  }
  Filter filter;
  filter.predicate_ = std::make_shared<const std::function<bool(Id)>>(std::move(allows));
  return filter;
}

}  // namespace kith

// Causal attention of a few new tokens to all that came before them.
#pragma once

#include <cstddef>

#include "base/parallel.h"
#include "encode/attention.h"
#include "encode/config.h"
#include "encode/key_value_cache.h"
#include "kith/matrix.h"

namespace kith::encode {

// input.qkv: rows of the new tokens, sequence s rows [begin[s], begin[s + 1]); their keys and
// values are added to the cache, whose lengths stay until its advance(). out: as of attend(). A
// sequence's result depends on its own tokens alone, and is the same however they came into the
// cache, but for rounding.
void attend_cached(WorkerTeam& team, bool shared, const Config& config, const AttentionInput& input,
                   std::size_t layer, KeyValueCache& cache, MatrixView<float> out);

}  // namespace kith::encode

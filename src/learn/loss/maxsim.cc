#include "learn/loss/maxsim.h"

#include <algorithm>
#include <string>

#include "learn/loss/check.h"
#include "learn/shards.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using Bounds = std::vector<std::int64_t>;

Tensor rows_of(const Tensor& vectors, const Bounds& begin, std::int64_t s) {
  return vectors.narrow(0, begin[s], begin[s + 1] - begin[s]);
}

// The query of each of their vectors.
Tensor owners(const Bounds& begin, const at::Device& device) {
  std::vector<std::int64_t> all;
  for (std::size_t s = 0; s + 1 < begin.size(); ++s) {
    all.insert(all.end(), static_cast<std::size_t>(begin[s + 1] - begin[s]),
               static_cast<std::int64_t>(s));
  }
  return torch::tensor(all, torch::kInt64).to(device);
}

// Documents side by side, a thread's one after the other.
struct Share {
  std::int64_t first, end;
};
std::vector<Share> shares_of(std::int64_t documents, const at::Device& device) {
  const std::int64_t size = shard_size(documents, device);
  std::vector<Share> shares;
  for (std::int64_t at = 0; at < documents; at += size) {
    shares.push_back({at, std::min(at + size, documents)});
  }
  return shares;
}

struct MaxSim : torch::autograd::Function<MaxSim> {
  static Variable forward(AutogradContext* context, const Variable& queries,
                          const Variable& documents, const Bounds& query_begin,
                          const Bounds& document_begin) {
    const auto count = static_cast<std::int64_t>(document_begin.size()) - 1;
    const auto sets = static_cast<std::int64_t>(query_begin.size()) - 1;
    const auto shares = shares_of(count, queries.device());
    const Tensor best = torch::empty({count, queries.size(0)}, queries.options());
    const Tensor places =
        torch::empty({count, queries.size(0)}, queries.options().dtype(torch::kInt64));
    run_shards(shares.size(), [&](std::size_t share) {
      for (std::int64_t d = shares[share].first; d < shares[share].end; ++d) {
        const auto [value, place] = queries.mm(rows_of(documents, document_begin, d).t()).max(1);
        best[d].copy_(value);
        places[d].copy_(place);
      }
    });
    const Tensor owner = owners(query_begin, queries.device());
    context->save_for_backward({queries, documents, places, owner});
    context->saved_data["begin"] = document_begin;
    return torch::zeros({count, sets}, queries.options()).index_add(1, owner, best).t();
  }

  // The gradient of a document's products with all queries' vectors has one value in each row.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &queries = saved[0], &documents = saved[1], &places = saved[2], &owner = saved[3];
    const Bounds begin = context->saved_data["begin"].toIntVector();
    const auto count = static_cast<std::int64_t>(begin.size()) - 1;
    const Tensor slopes = gradients[0].t().index_select(1, owner);  // [documents, query vectors]
    const auto shares = shares_of(count, queries.device());
    std::vector<Tensor> parts(shares.size());
    const Tensor of_documents = torch::empty_like(documents);
    run_shards(shares.size(), [&](std::size_t share) {
      Tensor& part = parts[share] = torch::zeros_like(queries);
      for (std::int64_t d = shares[share].first; d < shares[share].end; ++d) {
        const Tensor own = rows_of(documents, begin, d);
        const Tensor slope = torch::zeros({queries.size(0), own.size(0)}, queries.options())
                                 .scatter_(1, places[d].unsqueeze(1), slopes[d].unsqueeze(1));
        part.addmm_(slope, own);
        rows_of(of_documents, begin, d).copy_(slope.t().mm(queries));
      }
    });
    Tensor of_queries = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) of_queries.add_(parts[i]);
    return {of_queries, of_documents, {}, {}};
  }
};

void check(const char* what, const TokenSets& sets, std::int64_t dim) {
  const std::string name = std::string("maxsim: ") + what;
  if (sets.size() < 1) refuse(name + ": no sets, expected at least one");
  expect_shape(name, sets.vectors, {kAnySize, dim});
  for (std::int64_t s = 0; s < sets.size(); ++s) {
    if (sets.begin[s] < sets.begin[s + 1]) continue;
    refuse(name + ": set " + std::to_string(s) + " is empty, expected a vector");
  }
  if (sets.begin.front() != 0 || sets.begin.back() != sets.vectors.size(0)) {
    refuse(name + ": sets of " + std::to_string(sets.begin.back()) + " vectors, but there are " +
           std::to_string(sets.vectors.size(0)));
  }
}

TokenSets joined(const TokenSets& a, const TokenSets& b) {
  TokenSets both = a;
  both.vectors = torch::cat({a.vectors, b.vectors});
  for (std::int64_t s = 0; s < b.size(); ++s) {
    both.begin.push_back(a.begin.back() + b.begin[s + 1]);
  }
  return both;
}

Tensor lengths(const TokenSets& sets) {
  std::vector<std::int64_t> all;
  for (std::int64_t s = 0; s < sets.size(); ++s) all.push_back(sets.begin[s + 1] - sets.begin[s]);
  return torch::tensor(all, torch::kInt64).to(sets.vectors.options());
}

}  // namespace

TokenSets TokenSets::slice(std::int64_t first, std::int64_t count) const {
  TokenSets some;
  some.vectors = vectors.narrow(0, begin[first], begin[first + count] - begin[first]);
  some.begin.clear();
  for (std::int64_t s = first; s <= first + count; ++s) {
    some.begin.push_back(begin[s] - begin[first]);
  }
  return some;
}

Tensor maxsim_scores(const TokenSets& queries, const TokenSets& documents) {
  check("queries", queries, kAnySize);
  check("documents", documents, queries.vectors.size(1));
  return MaxSim::apply(queries.vectors, documents.vectors, queries.begin, documents.begin);
}

Tensor own_maxsim_scores(const TokenSets& queries, const TokenSets& documents) {
  check("queries", queries, kAnySize);
  check("documents", documents, queries.vectors.size(1));
  if (documents.size() % queries.size() != 0) {
    refuse("maxsim: " + std::to_string(documents.size()) + " documents of " +
           std::to_string(queries.size()) + " queries, expected as many of each");
  }
  const std::int64_t each = documents.size() / queries.size();
  std::vector<Tensor> rows;
  for (std::int64_t q = 0; q < queries.size(); ++q) {
    rows.push_back(maxsim_scores(queries.slice(q, 1), documents.slice(q * each, each)));
  }
  return torch::cat(rows);
}

Tensor candidate_scores(const EmbeddedSets& batch, const InfoNceOptions& options) {
  const bool negatives = batch.negatives.size() > 0;
  if (!options.in_batch && !negatives) {
    refuse("info_nce: 0 negatives each, expected 1 or more without in-batch candidates");
  }
  if (!options.in_batch && options.symmetric) {
    refuse("info_nce: symmetric without in-batch candidates, but a positive's queries are those");
  }
  const Tensor counts = lengths(batch.queries).unsqueeze(1);
  if (options.in_batch && (!negatives || options.others_negatives)) {
    return maxsim_scores(batch.queries,
                         negatives ? joined(batch.positives, batch.negatives) : batch.positives) /
           counts;
  }
  const Tensor positives = options.in_batch ? maxsim_scores(batch.queries, batch.positives)
                                            : own_maxsim_scores(batch.queries, batch.positives);
  return torch::cat({positives, own_maxsim_scores(batch.queries, batch.negatives)}, 1) / counts;
}

}  // namespace kith::learn

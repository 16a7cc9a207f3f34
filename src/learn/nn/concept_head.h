// A head with gradients whose outputs have names: encode/concepts.h tells what it computes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "encode/concepts.h"
#include "encode/model_folder.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

struct ConceptOptions {
  encode::ConceptSettings settings = {};
  // Which concepts a training takes from its examples' lists (train/concept_list.h): those of a
  // file, a name a line, or without one all that are in so many lists and at most such a share.
  std::string names = {};
  std::size_t least = 30;
  double most_share = 0.3;                          // what nearly all have tells nothing apart
  std::vector<encode::NamedConcept> concepts = {};  // these
};

class ConceptHead {
 public:
  // Importances start as inverse document frequencies, -ln share, rows U as the unit vectors of the
  // names: `names_vectors`, [concepts, inputs], less their mean. Throws invalid_argument for names
  // that can't be in a list.
  ConceptHead(const ConceptOptions& options, const at::Tensor& name_vectors);
  explicit ConceptHead(const encode::ConceptsFile& file);

  std::int64_t size() const { return weight_.size(0); }
  const std::vector<encode::NamedConcept>& concepts() const { return options_.concepts; }
  const encode::ConceptSettings& settings() const { return options_.settings; }
  // "weight", "bias", "importance", which are trained, and "prior".
  Parameters parameters() const;

  // 1 where a list has the concept, [lists, size()]; other names are passed over.
  at::Tensor given(const std::vector<const std::vector<std::string>*>& lists) const;
  at::Tensor positive_weights() const;  // [size()], as encode::positive_weight

  // By how much the log-odds exceed the prior, U t + c, [n, size()]; log-odds; activations; and the
  // vectors, not normalised. All of the first.
  at::Tensor evidence(const at::Tensor& pooled) const;
  at::Tensor log_odds(const at::Tensor& evidence) const;
  at::Tensor activations(const at::Tensor& evidence) const;
  at::Tensor vectors(const at::Tensor& evidence) const;

  // The module's folder.
  void write(const encode::NewFolder& folder, const std::string& place) const;

 private:
  void number_names();

  ConceptOptions options_;
  std::unordered_map<std::string, std::int64_t> numbers_;
  at::Tensor weight_, bias_, prior_, importance_;
};

// A name as words: "use::text-editing" becomes "use text editing".
std::string words_of_name(const std::string& name);

}  // namespace kith::learn

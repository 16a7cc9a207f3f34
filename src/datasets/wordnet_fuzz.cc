#include "datasets/wordnet.h"

#include "kith/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    volatile std::size_t sum = 0;
    for (const kith::datasets::Synset& synset :
         kith::datasets::parse_synsets("fuzz", {reinterpret_cast<const char*>(data), size})) {
      sum = sum + synset.words.size() + synset.hypernyms.size() + synset.definition.size();
    }
  } catch (const kith::Error&) {
  }
  return 0;
}

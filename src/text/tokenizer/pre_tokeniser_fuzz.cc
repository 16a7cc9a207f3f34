#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kith/error.h"
#include "kith/tokenizer.h"

namespace {

// Every path that a text takes byte by byte, on small vocabularies.
constexpr const char* kFiles[] = {
    R"({"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
        "added_tokens":[{"id":9,"content":"[X]","lstrip":true,"rstrip":true,"single_word":true}],
        "model":{"type":"WordPiece","unk_token":"?","vocab":{"?":0,"a":1,"##a":2,"ab":3,"##\u00e9":4}}})",
    R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},"decoder":{"type":"ByteLevel"},
        "model":{"type":"BPE","unk_token":"?","vocab":{"?":0,"a":1,"b":2,"ab":3,"aba":4,"\u0120":5},
        "merges":["a b","ab a"]}})",
    R"({"normalizer":{"type":"NFKC"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[
        {"type":"Split","pattern":{"Regex":"\\s+(?!\\S)|\\p{N}{1,3}"},"behavior":"Isolated"},
        {"type":"UnicodeScripts"},{"type":"Digits"},{"type":"Punctuation"},{"type":"Metaspace"}]},
        "model":{"type":"Unigram","unk_id":0,"vocab":[["?",0],["\u2581",-2],["a",-1],["ab",-1.5]]}})"};

}  // namespace

// Any text, encoded by three tokenizers and decoded again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* file : kFiles) {
    const auto tokenizer = kith::Tokenizer::parse(file, "fuzzing");
    const kith::Encoding encoding = tokenizer.encode(text);
    if (encoding.ids.size() != encoding.types.size()) std::abort();
    (void)tokenizer.decode(encoding.ids);
  }
  return 0;
}

// fuzz_seeds FOLDER: writes small valid files into FOLDER/TARGET for each fuzz target, so that
// fuzzing starts behind the magic numbers.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "codec/codebooks.h"
#include "codec/test_binariser.h"
#include "codec/token_store.h"
#include "formats/format.h"
#include "formats/kith_file.h"
#include "formats/tier_file.h"
#include "index/inverted_lists.h"
#include "index/lists_content.h"
#include "index/postings.h"
#include "index/verifier_content.h"
#include "kith/error.h"
#include "kith/relevance.h"
#include "kith/sparse.h"
#include "kith/trained_binariser.h"
#include "kith/trained_codebooks.h"
#include "kith/trained_lists.h"
#include "kith/vector_sets.h"
#include "kith/vectors.h"
#include "text/dictionary.h"

namespace {

using kith::formats::Format;
namespace fs = std::filesystem;

struct Family {
  const char* target;
  std::vector<const Format*> formats;
};

const Family kFamilies[] = {
    {"vecs_fuzz", {&kith::formats::kFvecs, &kith::formats::kBvecs, &kith::formats::kIvecs}},
    {"bin_fuzz",
     {&kith::formats::kFbin, &kith::formats::kU8bin, &kith::formats::kI8bin,
      &kith::formats::kIbin}},
    {"npy_fuzz", {&kith::formats::kNpy}},
    {"safetensors_fuzz", {&kith::formats::kSafetensors}},
    {"text_vectors_fuzz",
     {&kith::formats::kWord2vecText, &kith::formats::kFasttextVec, &kith::formats::kGlove}},
    {"word2vec_binary_fuzz", {&kith::formats::kWord2vecBinary}},
};

template <class T>
void write_seed(const fs::path& folder, const Format& format, const kith::Labels& labels,
                const char* kind) {
  if ((format.elements & kith::formats::bit(kith::kElementType<T>)) == 0) return;
  kith::Matrix<T> rows(3, 4);
  kith::Random random(1);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      rows(i, j) = static_cast<T>(static_cast<float>(random.below(100)));
    }
  }
  const std::string name =
      std::string(format.name) + "-" + std::string(kith::name(kith::kElementType<T>)) + "-" + kind;
  kith::WriteOptions options;
  options.format = format.name;
  kith::write_vectors((folder / name).string(), rows, labels, options);
}

void write_vectors(const fs::path& folder, const Format& format) {
  const std::pair<const char*, kith::Labels> kinds[] = {
      {"none", kith::Labels()},
      {"numbers", kith::Labels(std::vector<std::uint64_t>{7, 8, 9})},
      {"words", kith::Labels(std::vector<std::string>{"a", "bc", "d\xc3\xa9"})}};
  for (const auto& [kind, labels] : kinds) {
    write_seed<float>(folder, format, labels, kind);
    write_seed<kith::Half>(folder, format, labels, kind);
    write_seed<kith::BFloat16>(folder, format, labels, kind);
    write_seed<std::int8_t>(folder, format, labels, kind);
    write_seed<std::uint8_t>(folder, format, labels, kind);
  }
}

void write_neighbours(const fs::path& folder, const Format& format) {
  kith::Neighbours found(2, 3);
  found.ids(1, 2) = kith::kNoId;
  kith::WriteOptions options;
  options.format = format.name;
  kith::write_neighbours((folder / (std::string(format.name) + "-lists")).string(), found, options);
}

void write_text(const fs::path& folder, const std::string& name, std::string_view text) {
  fs::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary).write(text.data(), std::ssize(text));
}

// NumPy's other versions, orders and types, with 2 x 3 elements of zero.
void write_npy_kinds(const fs::path& folder) {
  const auto write = [&](const std::string& name, char version, const std::string& descr,
                         const char* fortran, std::size_t item) {
    const std::string header =
        "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (2, 3), }\n";
    std::string text = std::string("\x93NUMPY") + version + '\0';
    text += static_cast<char>(header.size());
    text += '\0';
    if (version > 1) text += std::string(2, '\0');
    write_text(folder, name, text + header + std::string(6 * item, '\0'));
  };
  write("version-2", 2, "<f4", "False", 4);
  write("version-3", 3, "<f4", "False", 4);
  write("fortran-f4", 1, "<f4", "True", 4);
  write("f8", 1, "<f8", "True", 8);
  write("i8", 1, "<i8", "True", 8);
  write("u4", 1, "<u4", "False", 4);
  write("big-endian", 1, ">f4", "False", 4);
}

void write_texts(const fs::path& folder) {
  write_text(folder / "wink_json_fuzz", "small.json",
             R"({"precision":8,"size":2,"dimensions":2,"words":["a","b"],)"
             R"("vectors":{"a":[0.5,-1,1.1,0],"\"":[2e-3,4,4.1,1]},"unkVector":[0,0,0,-1]})");
  const fs::path json = folder / "json_reader_fuzz";
  write_text(json, "values", R"( {"a":[true,false,null,-1.5e3],"b":{"c":[]},"d":{}} )");
  write_text(json, "strings", R"(["a","\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t"])");
  write_text(json, "numbers", "[0, -1.5, 2e10, 1e-50]");
  write_text(json, "wholes", "[0, 18446744073709551615]");
  write_text(folder / "labels_file_fuzz", "words", "a\nb c\r\n\n");
  write_text(folder / "labels_file_fuzz", "numbers", "1\n18446744073709551615\n0\n");
  for (const char* number : {"-1.5e-3", "+2", "1e999", "1e-999", "0.0000000001e-330", "nan"}) {
    write_text(folder / "numbers_fuzz", number, number);
  }
  write_text(folder / "text_vectors_fuzz", "spaces", "2 2\nnew york 1 2\nold\tyork 3 4e-60 \r\n");
}

// Sets of vectors in each form; an archive is a file of no bytes called a.npy.
void write_vector_sets(const fs::path& folder) {
  const fs::path sets = folder / "vector_sets_fuzz";
  write_text(sets, "lines",
             "{\"vectors\": [[1, 2]], \"_id\": \"a\"}\n{\"vectors\": [[3, 4]], \"id\": 7}");
  kith::Matrix<float> rows(3, 2);
  const std::vector<std::uint64_t> offsets{0, 1, 3};
  kith::write_vector_sets((sets / "tensors").string(), {offsets, rows},
                          kith::Labels(std::vector<std::string>{"a", "b"}));
  const auto number = [](std::uint32_t value, std::size_t bytes) {
    return std::string(reinterpret_cast<const char*>(&value), bytes);
  };
  std::string zip = "PK\3\4" + std::string(22, '\0') + number(5, 2) + number(0, 2) + "a.npy";
  const auto directory = static_cast<std::uint32_t>(zip.size());
  zip += "PK\1\2" + std::string(24, '\0') + number(5, 2) + std::string(16, '\0') + "a.npy";
  const auto size = static_cast<std::uint32_t>(zip.size()) - directory;
  zip += "PK\5\6" + std::string(4, '\0') + number(1, 2) + number(1, 2) + number(size, 4) +
         number(directory, 4) + number(0, 2);
  write_text(sets, "archive", zip);
}

// Five vectors of three dimensions in each codec.
void write_token_stores(const fs::path& folder) {
  fs::create_directories(folder);
  kith::Matrix<float> rows(5, 3);
  for (std::size_t i = 0; i < 15; ++i) rows(i / 3, i % 3) = static_cast<float>(i * i % 7);
  for (const char* codec : {"f32", "f16", "lvq8", "lvq4", "residual4", "residual2"}) {
    kith::TokenStoreOptions options;
    options.codec = codec;
    options.control.threads = 1;
    const auto store = kith::TokenStore::build(rows, options);
    kith::KithFileWriter writer;  // borrows the store's bytes
    kith::Meta meta;
    store->save(writer, meta);
    meta.set("sets.dim", std::uint64_t{3});
    meta.set("sets.vectors", std::uint64_t{5});
    writer.add_text("meta", meta.text());
    writer.write((folder / codec).string(), {});
  }
}

// The vectors of an index in two tiers.
void write_tier(const fs::path& folder) {
  fs::create_directories(folder);
  kith::TierWriter writer((folder / "small").string(), {"rot-lvq8", 3, 2, 15});
  writer.write(0, 2, [](std::size_t, std::byte* out) { std::fill_n(out, 15, std::byte{7}); });
  writer.finish()->commit();
}

// Between them, every part that a tokenizer.json may have.
void write_tokenizers(const fs::path& folder) {
  write_text(folder / "tokenizer_fuzz", "wordpiece",
             R"({"normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":)"
             R"({"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing",)"
             R"("cls":["C",1],"sep":["S",2]},"decoder":{"type":"WordPiece"},"added_tokens":)"
             R"([{"id":3,"content":"[MASK]","special":true,"lstrip":true,"normalized":false}],)"
             R"("padding":{"strategy":{"Fixed":9}},"model":{"type":"WordPiece","unk_token":"C",)"
             R"("vocab":{"C":1,"S":2,"a":4,"##b":5}}})");
  write_text(
      folder / "tokenizer_fuzz", "bpe",
      R"({"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Prepend",)"
      R"("prepend":"_"},{"type":"Replace","pattern":{"Regex":" +"},"content":"_"}]},)"
      R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":)"
      R"({"Regex":"\\p{L}+"},"behavior":"Isolated"},{"type":"ByteLevel"}]},"decoder":)"
      R"({"type":"ByteLevel"},"truncation":{"max_length":4,"stride":1},"model":{"type":"BPE",)"
      R"("vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}})");
  write_text(folder / "tokenizer_fuzz", "unigram",
             R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAAA"},)"
             R"("pre_tokenizer":{"type":"Metaspace"},"decoder":{"type":"Metaspace"},)"
             R"("post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}}],)"
             R"("pair":[{"Sequence":{"id":"A"}},{"Sequence":{"id":"B"}}],"special_tokens":{}},)"
             R"("model":{"type":"Unigram","unk_id":0,"vocab":[["?",0],["a",-1],["ab",-2]]}})");
  write_text(folder / "pre_tokeniser_fuzz", "scripts", "it's \u00e9\u4e2d 12!\r\n  ab\xff[X] a");
}

void write_graph_model(const fs::path& folder) {
  const std::string json =
      R"({"modelTopology":{"node":[{"name":"a","op":"Const","input":["b:1"],"attr":{}}]},)"
      R"("weightsManifest":[{"paths":["x"],"weights":[{"name":"a","shape":[1,2],"dtype":"float32"},)"
      R"({"name":"b","shape":[],"dtype":"int32"}]}]})";
  write_text(folder / "graph_model_fuzz", "small",
             json + std::string("\0", 1) + std::string(12, 'x'));
}

// Files of a suite apart by zero bytes, in the order of suite_fuzz.cc; and what packages hold.
void write_suites(const fs::path& folder) {
  const fs::path suites = folder / "suite_fuzz";
  const std::string zeros(5, '\0');
  const std::string none = std::string(1, '\0');
  write_text(suites, "retrieval",
             none + none + "{\"name\": \"x\"}" + none +
                 R"({"_id": "d", "title": "t", "text": "a"})" + none +
                 R"({"_id": 1, "text": "q"})" + none + "query-id\tcorpus-id\tscore\n1\td\t2\n");
  write_text(suites, "reranking",
             R"({"query": "q", "positive": ["a"], "negative": ["b"]})" + zeros);
  write_text(suites, "classification",
             R"({"text": "a", "label": 1})" + none +
                 "{\"text\": \"b\", \"label\": 1}\n{\"text\": \"c\", \"label\": \"x\"}" + zeros);
  write_text(suites, "clustering", R"({"sentences": ["a", "b"], "labels": [1, "x"]})" + zeros);
  write_text(suites, "sts", R"({"sentence1": "a", "sentence2": "b", "score": 2.5})" + zeros);
  write_text(suites, "pairs", R"({"sent1": ["a"], "sent2": ["b"], "labels": [1]})" + zeros);
  write_text(suites, "bitext", R"({"sentence1": "a", "sentence2": "b", "gold": 0})" + zeros);
  write_text(folder / "html_fuzz", "page",
             "<h1 id='a'>A &amp; b</h1><!-- x --><p>one<br/>two</p><pre>x</pre><script>y</script>"
             "<section><title>c</title><p>&#233;</p></section>");
  write_text(
      folder / "rest_fuzz", "page",
      "===\nOne\n===\n\n:A: b\n\n.. x::\n\n   y\n\nTwo\n---\n\n- :a:`b <c>`_ ``d``::\n\n  e\n");
  write_text(folder / "python_source_fuzz", "source",
             "def a(b=(1, 2),\n      c=3):\n  \"\"\"One.\n\n  Two.\n  \"\"\"\n  return b\n");
  write_text(
      folder / "roff_fuzz", "page",
      ".TH x 1\n.SH NAME\nx \\- \\fBdoes\\fP \\(aqthis\\[rs]\n.SH \"SEE ALSO\"\n.BR y (2),\n");
  write_text(folder / "dictd_fuzz", "two", "a\tA\tB\nbc\tB\tE\nabcdefghijk");
  // A list of one character vector, called "names".
  const std::string tag("\0\0\0\1\0\4\0\t\0\0\0\5names", 17);
  const std::string texts("\0\0\0\20\0\0\0\1\0\4\0\t\0\0\0\1a", 17);
  write_text(folder / "r_data_fuzz", "list",
             std::string("X\n\0\0\0\2\0\4\0\0\0\2\3\0\0\0\2\23\0\0\0\1", 22) + texts +
                 std::string("\0\0\4\2", 4) + tag + texts + std::string("\0\0\0\376", 4));
  write_text(folder / "wordnet_fuzz", "nouns",
             "  1 licence\n00001740 03 n 02 a 0 b_c 1 001 @ 00001930 n 0000 | of it; \"so\"  \n");
}

// One config.json a family of models, and a pooling's.
void write_model_configs(const fs::path& folder) {
  const fs::path configs = folder / "model_config_fuzz";
  const std::string common =
      R"("vocab_size":100,"hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,)"
      R"("intermediate_size":64,"max_position_embeddings":64)";
  for (const char* type : {"bert", "xlm-roberta", "mpnet", "modernbert", "llama", "qwen3"}) {
    write_text(configs, type, std::string(R"({"model_type":")") + type + "\"," + common + "}");
  }
  write_text(configs, "yarn",
             R"({"model_type":"mistral","sliding_window":8,"layer_types":["sliding_attention",)"
             R"("full_attention"],"rope_scaling":{"rope_type":"yarn","factor":4},)" +
                 common + "}");
  const std::string gpt = R"("vocab_size":100,"n_embd":32,"n_layer":2,"n_head":4,"n_positions":64)";
  write_text(configs, "gpt2", R"({"model_type":"gpt2",)" + gpt + "}");
  write_text(
      configs, "nomic",
      R"({"model_type":"nomic_bert","rotary_emb_fraction":0.5,"activation_function":"swiglu",)" +
          gpt + "}");
  write_text(configs, "late",
             R"({"similarity_fn_name":"MaxSim","query_prefix":"[Q] ","query_length":32,)"
             R"("do_query_expansion":false,"skiplist_words":["!"]})");
  write_text(configs, "pooling",
             R"({"word_embedding_dimension":384,"pooling_mode_mean_tokens":true})");
}

void write_rows_and_runs(const fs::path& folder) {
  write_text(folder / "text_stream_fuzz", "jsonl", R"({"_id":7,"title":"t","text":"b","m":[1]})");
  write_text(folder / "text_stream_fuzz", "csv", "id,text\n1,\"a, \"\"b\"\"\nc\"\n2,d\n");
  write_text(folder / "text_stream_fuzz", "tsv", "a\tone\nb\ttwo\r\n");
  write_text(folder / "texts_fuzz", "lines", "one text\nanother\r\n");
  write_text(folder / "texts_fuzz", "jsonl", R"({"_id":"a","title":"t","text":"b","m":{"x":[1]}})");
  write_text(folder / "texts_fuzz", "tsv", "a\tone\nb\ttwo\n");
  write_text(folder / "runs_fuzz", "run", "q1 Q0 d1 1 2.5 tag\nq1\tQ0\td2\t2\t-1e3\ttag\n");
  kith::SparseRows rows;
  for (kith::Term t = 0; t < 3; ++t) {
    rows.add(t, 1.5f);
    rows.add(t + 4, 0.5f);
    rows.end_row();
  }
  fs::create_directories(folder / "sparse_csr_fuzz");
  kith::write_sparse((folder / "sparse_csr_fuzz" / "rows").string(), rows);
}

// Some lists cut into windows, some packed, of every payload.
void write_postings(const fs::path& folder) {
  fs::create_directories(folder);
  kith::SparseRows rows;
  for (kith::Id doc = 0; doc < 700; ++doc) {
    for (kith::Term t = 0; t < 6; ++t) {
      if (doc % (t * t * t + 1) == 0) rows.add(t, static_cast<float>(1 + doc % 9));
    }
    rows.end_row();
  }
  const std::vector<std::uint32_t> lengths(rows.rows(), 7);
  for (const auto payload :
       {kith::Payload::counts, kith::Payload::f32, kith::Payload::f16, kith::Payload::u8}) {
    const kith::Control control;
    const kith::Postings postings =
        kith::Postings::encode(kith::Postings(payload).decode_and_append(rows, control),
                               rows.rows(), payload, lengths, {0.3f, 0.1f}, control);
    kith::Meta meta;
    kith::KithFileWriter file;
    meta.set("vectors", std::uint64_t{rows.rows()});
    postings.save(file, meta);
    kith::text::Dictionary dictionary;
    for (const char* word : {"a", "word", "more"}) dictionary.add(word);
    file.add("words.offsets", dictionary.offset_bytes());
    file.add("words.text", dictionary.text_bytes());
    file.add("words.slots", dictionary.slot_bytes());
    file.add_text("meta", meta.text());
    file.write((folder / std::string(kith::name(payload))).string(), control);
  }
}

void write_kith_file(const fs::path& folder) {
  fs::create_directories(folder);
  kith::Meta meta;
  meta.set("dim", std::uint64_t{4});
  meta.set("recall", 0.95);
  kith::KithFileWriter file;
  file.add_text("meta", meta.text());
  file.add_text("codes", "0123456789");
  file.write((folder / "two-sections").string(), kith::Control());
}

// Two items, the first in two passages.
void write_items(const fs::path& folder) {
  fs::create_directories(folder);
  kith::Meta meta;
  meta.set("kind", std::string("collection"));
  meta.set("items", std::uint64_t{2});
  meta.set("rows", std::uint64_t{3});
  kith::text::Dictionary ids;
  for (const char* id : {"a", "bc"}) ids.add(id);
  const std::vector<std::uint64_t> offsets = {0, 12, 14};
  const std::vector<std::uint32_t> passages = {0, 0, 2, 0, 1, 3, 1, 0, 0};
  kith::KithFileWriter file;
  file.add_text("meta", meta.text());
  file.add_text("manifest", R"({"fields":[],"id":"","model":{"folder":"m","checksum":"0"}})");
  file.add("ids.offsets", ids.offset_bytes());
  file.add("ids.text", ids.text_bytes());
  file.add("ids.slots", ids.slot_bytes());
  file.add_copy<std::uint64_t>("records.offsets", offsets);
  file.add_text("records.text", R"({"text":"a"}{})");
  file.add_copy<std::uint32_t>("passages", passages);
  file.write((folder / "passages").string(), kith::Control());
}

void write_relevance(const fs::path& folder) {
  fs::create_directories(folder);
  kith::RelevanceAdapter::Content content;
  kith::Random random(8);
  std::size_t inputs = 3;
  for (const std::size_t outputs : {std::size_t{4}, std::size_t{2}}) {
    kith::RelevanceAdapter::Layer layer;
    layer.weight = kith::Matrix<float>(outputs, inputs);
    for (std::size_t i = 0; i < outputs; ++i) {
      for (std::size_t j = 0; j < inputs; ++j) {
        layer.weight(i, j) = static_cast<float>(random.normal());
      }
    }
    layer.bias.assign(outputs, 0.5F);
    layer.scale.assign(inputs, 1);
    layer.shift.assign(inputs, 0);
    content.layers.push_back(std::move(layer));
    inputs = outputs;
  }
  kith::RelevanceAdapter(std::move(content)).save((folder / "linear").string());
}

void write_lists(const fs::path& folder) {
  fs::create_directories(folder);
  for (const auto turn :
       {kith::ProductQuantiser::Turn::none, kith::ProductQuantiser::Turn::learned}) {
    auto content = std::make_shared<kith::ListsContent>();
    content->centres = kith::Matrix<float>(3, 4);
    content->centres(1, 2) = 1;
    content->quantiser = kith::ProductQuantiser(4, 2, turn);
    const bool turned = turn == kith::ProductQuantiser::Turn::learned;
    kith::TrainedLists(std::move(content)).save((folder / (turned ? "turned" : "plain")).string());
  }
}

// The first file of a verifier, of codecs that learn and of one that doesn't.
void write_verifiers(const fs::path& folder) {
  fs::create_directories(folder);
  for (const char* codec : {"f16", "sq8", "lvq4x8"}) {
    kith::Matrix<float> rows(3, 4);
    for (std::size_t i = 0; i < 12; ++i) rows(i / 4, i % 4) = static_cast<float>(i * i % 7);
    kith::VerifierContent content{kith::Metric::cosine, kith::ElementType::f32, 4,
                                  kith::Stage(codec, true, 4, kith::Metric::cosine, 1)};
    content.vectors = {"elsewhere", 7};
    content.stage.keep_on_disk("");
    content.stage.train(rows, 1, {.threads = 1, .cancel = nullptr, .progress = {}});
    content.stage.resize(3);
    kith::KithFileWriter writer;
    kith::save_verifier(writer, content);
    writer.write((folder / codec).string(), {}, kith::kTieredFileVersion);
  }
}

// Of product codes and of stored ones.
void write_inverted_lists(const fs::path& folder) {
  fs::create_directories(folder);
  kith::Control control;
  control.threads = 1;
  for (const std::size_t parts : {0, 2}) {
    kith::Matrix<float> centres(3, 4);
    centres(1, 2) = 1;
    const kith::Cells cells(kith::Metric::l2, kith::Centres(std::move(centres)));
    const auto quantiser = parts == 0 ? kith::ProductQuantiser() : kith::ProductQuantiser(4, parts);
    const std::vector<kith::Id> ids = {3, 0, 4, 1};
    const kith::InvertedLists lists =
        kith::InvertedLists(cells, kith::ListBlocks(kith::Metric::l2, quantiser))
            .with([](std::size_t i, float* out) { std::fill_n(out, 4, static_cast<float>(i) / 8); },
                  ids, control);
    kith::KithFileWriter writer;
    kith::Meta meta;
    meta.set("metric", std::uint64_t{0});
    meta.set("dim", std::uint64_t{4});
    meta.set("vectors", std::uint64_t{5});
    lists.save(writer, meta);
    writer.add_text("meta", meta.text());
    writer.write((folder / (parts == 0 ? "rows" : "blocks")).string(), control);
  }
}

void write_binarisers(const fs::path& folder) {
  fs::create_directories(folder);
  for (const int bits : {1, 3}) {
    kith::TrainedBinariser(
        std::make_shared<const kith::Binariser>(kith::made_up_binariser(4, 6, bits, 2)))
        .save((folder / ("bits" + std::to_string(bits))).string());
  }
}

void write_codebooks(const fs::path& folder) {
  fs::create_directories(folder);
  for (const int bits : {1, 3}) {
    auto content = std::make_shared<kith::CodebooksContent>();
    content->codebooks = kith::Codebooks(5, 2, bits);
    content->codebooks.set(std::vector<float>(std::size_t{5} << bits, 0.5F));
    kith::TrainedCodebooks(std::move(content)).save((folder / std::to_string(bits)).string());
  }
}

// What encode/packed_tensors.h writes, of which this program has none: a tensor a packing.
void write_packed_tensors(const fs::path& folder) {
  fs::create_directories(folder);
  kith::KithFileWriter writer;
  writer.add_text("names", "a\nb\nc\n");
  writer.add_text("tensor0.codes", std::string(1, '\x24'));
  writer.add_text("tensor0.centres", std::string(2 * 3 * 1, '\x30'));
  writer.add_text("tensor0.expansion", std::string(2 * 1 * 2, '\x30'));
  writer.add_text("tensor1.centres", std::string(2 * 2 * 1, '\x30'));
  writer.add_text("tensor1.expansion", std::string(2 * 1 * 4, '\x30'));
  writer.add_text("tensor2.values", std::string(2 * 4, '\x11'));
  writer.add_text("tensor2.scales", std::string(4 * 2, '\x3c'));
  kith::Meta meta;
  meta.set("kind", "weights");
  meta.set("tensors", std::uint64_t{3});
  const char* const packings[] = {"codes", "low_rank", "int8"};
  for (std::size_t i = 0; i < std::size(packings); ++i) {
    const std::string prefix = "tensor" + std::to_string(i) + ".";
    meta.set(prefix + "packing", packings[i]);
    meta.set(prefix + "rows", std::uint64_t{2});
    meta.set(prefix + "cols", std::uint64_t{4});
    if (i < 2) meta.set(prefix + "dim", std::uint64_t{1});
  }
  meta.set("tensor0.sub", std::uint64_t{2});
  meta.set("tensor0.words", std::uint64_t{3});
  writer.add_text("meta", meta.text());
  writer.write((folder / "weights").string(), {});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    const fs::path root(argv[1]);
    for (const Family& family : kFamilies) {
      fs::create_directories(root / family.target);
      for (const Format* format : family.formats) {
        if (format->write_vectors != nullptr) write_vectors(root / family.target, *format);
        if (format->write_neighbours != nullptr) write_neighbours(root / family.target, *format);
      }
    }
    write_npy_kinds(root / "npy_fuzz");
    write_texts(root);
    write_tier(root / "tier_file_fuzz");
    write_tokenizers(root);
    write_model_configs(root);
    write_graph_model(root);
    write_suites(root);
    write_kith_file(root / "kith_file_fuzz");
    write_rows_and_runs(root);
    write_vector_sets(root);
    write_token_stores(root / "token_store_fuzz");
    write_postings(root / "postings_fuzz");
    write_items(root / "items_fuzz");
    write_relevance(root / "relevance_fuzz");
    write_lists(root / "lists_content_fuzz");
    write_verifiers(root / "verifier_content_fuzz");
    write_inverted_lists(root / "inverted_lists_fuzz");
    write_binarisers(root / "binariser_fuzz");
    write_codebooks(root / "codebooks_fuzz");
    write_packed_tensors(root / "packed_tensors_fuzz");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_seeds: %s\n", error.what());
    return 1;
  }
  return 0;
}

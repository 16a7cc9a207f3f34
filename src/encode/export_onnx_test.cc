// What ONNX files hold; that they compute the same is shown by tests/models/onnx.sh, which runs
// them.
#include "encode/export_onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encode/onnx_writer.h"
#include "encode/test_models.h"
#include "kith/error.h"

namespace kith::encode {
namespace {

using testing::HasSubstr;

TEST(ProtoMessage, FieldsAreEncodedAsProtocolBuffersSay) {
  ProtoMessage inner, outer;
  inner.whole(1, 300);
  inner.real(2, 1.0f);
  outer.bytes(16, "ab");
  outer.message(3, inner);
  const std::string expected(
      "\x82\x01\x02"
      "ab"
      "\x1a\x08"
      "\x08\xac\x02"
      "\x15\x00\x00\x80\x3f",
      15);
  EXPECT_EQ(outer.bytes(), expected);
  ProtoMessage negative;
  negative.whole(1, static_cast<std::uint64_t>(-1));
  EXPECT_EQ(negative.bytes(), std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

std::string exported(const Checkpoint& checkpoint) {
  formats::TemporaryFolder folder;
  write_folder(folder.file("model"), checkpoint);
  export_onnx(folder.file("model"), folder.file("model.onnx"));
  return formats::file_bytes(folder.file("model.onnx"));
}

TEST(ExportOnnx, FilesHoldInputsOutputsAndWeights) {
  const std::string bert = exported(tiny_bert("bert"));
  for (const char* name : {"input_ids", "attention_mask", "token_type_ids", "token_embeddings",
                           "sentence_embedding", "layers.2.mlp.down.weight"}) {
    EXPECT_THAT(bert, HasSubstr(name));
  }
  const std::string use = exported(tiny_use_lite());
  EXPECT_THAT(use, HasSubstr("projection.weight"));
  EXPECT_THAT(use, testing::Not(HasSubstr("token_type_ids")));
  EXPECT_EQ(use, exported(tiny_use_lite()));
}

TEST(ExportOnnx, WhatItCannotWriteIsNamed) {
  EXPECT_EQ(error_of([] { exported(tiny_llama("llama")); }), "llama: no rotary positions in ONNX");
  EXPECT_EQ(error_of([] { exported(tiny_mpnet()); }), "mpnet: no biases by distance in ONNX");
  EXPECT_EQ(error_of([] { exported(tiny_gpt2()); }), "gpt2: no windows in ONNX");
}

}  // namespace
}  // namespace kith::encode

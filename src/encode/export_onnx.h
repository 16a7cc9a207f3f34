// Models of texts as ONNX files, which other run times run.
#pragma once

#include <string>

namespace kith::encode {

// The model in `folder` from token ids to vectors, pooling and the modules behind it included.
// Inputs: input_ids and attention_mask, int64 of batch x tokens, with padding on either side, and
// token_type_ids where the model has segments. Outputs: token_embeddings, batch x tokens x width,
// and sentence_embedding, batch x dim. Throws unsupported for models with rotary positions or
// biases by distance, causal ones, and poolings other than by mean, cls, maximum and square root.
void export_onnx(const std::string& folder, const std::string& path);

}  // namespace kith::encode

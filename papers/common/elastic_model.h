// A model's vectors at any layer and width.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <tuple>

#include "kith/judge.h"
#include "kith/text_encoder.h"

namespace kith::papers {

// Texts are encoded once a layer, whatever the widths. Vectors have unit length after they are cut.
class ElasticModel : public Embedder {
 public:
  // Longer texts are cut at so many tokens. Throws as TextEncoder::open does.
  ElasticModel(const std::string& folder, std::size_t tokens);

  // What is given from now on: 0: the last layer, all dimensions. Throws invalid_argument for a
  // width that the model doesn't have.
  void choose(std::size_t layer, std::size_t dim);
  std::size_t layers() const { return model_.info().layers; }
  std::size_t dim() const { return model_.info().dim; }

  std::string name() const override { return name_; }
  Matrix<float> embed(const TextPart& part, std::span<const std::uint32_t> which,
                      const Control& control) override;

 private:
  using Key = std::tuple<const std::string*, std::size_t, std::size_t>;  // texts, how many, layer
  const Matrix<float>& whole(const TextPart& part, std::span<const std::uint32_t> which,
                             const Control& control);

  std::string name_;
  TextEncoder model_;
  std::size_t layer_, dim_;
  std::map<Key, Matrix<float>> vectors_;
};

// CPU seconds of encoding texts, so many layers deep; 0: all.
double encoding_seconds(const std::string& folder, std::span<const std::string> texts,
                        std::size_t tokens, std::size_t layer, const Control& control);

}  // namespace kith::papers

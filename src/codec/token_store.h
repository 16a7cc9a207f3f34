// The vectors of a collection's sets, stored by one of the codecs that are quickly decoded: f32,
// f16, lvq8, lvq4, or centroids and residuals, residual4 and residual2. MaxSim decodes them a few
// at a time into the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "codec/lvq.h"
#include "codec/plain.h"
#include "codec/residual.h"
#include "codec/token_rows.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

struct TokenStoreOptions {
  std::string codec = "f16";  // one of token_codec_names()
  std::size_t centroids = 0;  // of residual codes; 0 chooses
  std::uint64_t seed = 1;
  Control control = {};
};

// "f32, f16, ...", for messages and help.
std::string token_codec_names();

class TokenStore : public TokenRows {
 public:
  // Throws invalid_argument for an unknown codec, or a component that the codec can't hold.
  static std::unique_ptr<TokenStore> build(const AnyMatrixView& rows,
                                           const TokenStoreOptions& options);
  static std::unique_ptr<TokenStore> load(const KithFileReader& reader, const Meta& meta,
                                          std::size_t rows, std::size_t dim);
  void save(KithFileWriter& writer, Meta& meta) const;

  std::size_t dim() const override { return dim_; }
  void load(std::size_t first, std::size_t count, float* out, std::size_t stride) const override;

  const std::string& codec() const { return codec_name_; }
  const Residual* residual() const { return std::get_if<Residual>(&codec_); }
  ByteCounts bytes() const;

 private:
  using Any = std::variant<Plain<float>, Plain<Half>, Lvq<8>, Lvq<4>, Residual>;
  TokenStore(std::string name, Any codec, std::size_t dim)
      : codec_name_(std::move(name)), codec_(std::move(codec)), dim_(dim) {}
  static Any make(const std::string& name, std::size_t dim);

  std::string codec_name_;
  Any codec_;
  std::size_t dim_;
};

}  // namespace kith

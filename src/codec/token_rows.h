// The vectors of sets, wherever they are stored: what MaxSim asks for, a few at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "kith/matrix.h"
#include "simd/kernels.h"

namespace kith {

class TokenRows {
 public:
  TokenRows() = default;
  TokenRows(const TokenRows&) = delete;
  TokenRows& operator=(const TokenRows&) = delete;
  virtual ~TokenRows() = default;

  virtual std::size_t dim() const = 0;
  // Rows [first, first + count) as floats, `stride` floats from start to start. Thread-safe.
  virtual void load(std::size_t first, std::size_t count, float* out, std::size_t stride) const = 0;
};

// Rows that a view has.
class ViewedTokens : public TokenRows {
 public:
  explicit ViewedTokens(AnyMatrixView rows) : rows_(rows) {}

  std::size_t dim() const override { return rows_.dim(); }
  void load(std::size_t first, std::size_t count, float* out, std::size_t stride) const override {
    for (std::size_t i = 0; i < count; ++i) {
      simd::to_float(rows_.type(), rows_.row(first + i), rows_.dim(), out + i * stride);
    }
  }

 private:
  AnyMatrixView rows_;
};

}  // namespace kith

// Sparse rows from bytes in memory, in the .csr form of the big-ann sparse track (NeurIPS 2023):
// int64 rows, columns and entries; int64 a row and one more, where its entries start; int32 a
// column number and float32 a weight an entry. Little-endian.
#pragma once

#include "formats/format.h"
#include "kith/sparse.h"

namespace kith::formats {

SparseVectors parse_csr(const Input& in);

}  // namespace kith::formats

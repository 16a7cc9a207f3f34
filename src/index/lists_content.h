// What is learned of a collection before its inverted file can be filled: centres, to the nearest
// of which vectors belong, and a product code for what these leave over.
#pragma once

#include <cstdint>

#include "codec/product.h"
#include "formats/kith_file.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

struct ListsContent {
  Metric metric = Metric::l2;
  Matrix<float> centres;       // lists x dim; under cosine for vectors of length 1
  ProductQuantiser quantiser;  // without parts where lists are of stored codes
};

struct ListTraining {
  Metric metric = Metric::l2;
  std::size_t lists = 0, parts = 0;  // 0 parts: no product code
  ProductQuantiser::Turn turn = ProductQuantiser::Turn::none;
  double balance = 0;  // BuildOptions::balance
  std::uint64_t seed = 1;
  Control control;
};

inline constexpr std::size_t kTrainRowsOfList = 100;  // that k-means learns centres from

// By k-means, of a sample of the rows. Throws what kmeans and ProductQuantiser do.
ListsContent learn_lists(const AnyMatrixView& rows, const ListTraining& training);

// Throws corrupt.
ListsContent read_lists(const KithFileReader& reader);

}  // namespace kith

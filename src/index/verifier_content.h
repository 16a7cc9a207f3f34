// What the `.kith` file of a verifier holds: how its vectors are stored and where.
#pragma once

#include "codec/stage.h"
#include "formats/kith_file.h"
#include "index/tier_name.h"
#include "kith/types.h"

namespace kith {

inline constexpr char kVerifierKind[] = "verifier";

struct VerifierContent {
  Metric metric = Metric::l2;
  ElementType element = ElementType::f32;  // what it was built from
  std::size_t dim = 0;
  Stage stage;  // on disk; open() of `vectors` brings them
  TierName vectors = {};
};

// Throws corrupt.
VerifierContent read_verifier(const KithFileReader& reader);
// All sections; the bytes are borrowed until they are written.
void save_verifier(KithFileWriter& writer, const VerifierContent& content);

}  // namespace kith

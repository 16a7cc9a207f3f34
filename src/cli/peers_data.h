// What `kith bench peers` measures on: unit vectors, held-out queries and their exact neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"

namespace kith::cli {

struct PeersData {
  std::string name;
  Matrix<float> base, queries;  // rows of norm 1
  Neighbours truth;             // by cosine, from kith's exact search
  std::uint64_t key = 0;        // a checksum of the base: names what is cached for it
};

struct PeersDataOptions {
  std::string name, base, queries;  // paths of the two files
  std::string cache;                // folder that keeps the truth
  std::size_t most_queries = 2000;  // more are sampled
  std::uint64_t seed = 1;
  Control control;
};

// Throws invalid_argument when dimensions differ or a vector is zero.
PeersData load_peers_data(const PeersDataOptions& options);

}  // namespace kith::cli

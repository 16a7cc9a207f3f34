// The one entry of libkith-peers.so, which `kith bench peers` loads. The peers live in a module of
// their own because they are compiled for this very processor and link what libkith never does.
#pragma once

#include "bench/peers/peer.h"

namespace kith::bench {

struct PeersModule {
  std::vector<Variant> (*variants)(const Shape& shape);
  std::string (*blas)();  // the kernel OpenBLAS runs, in its own words
};

using PeersEntry = const PeersModule* (*)();
inline constexpr char kPeersEntry[] = "kith_peers_module";

}  // namespace kith::bench

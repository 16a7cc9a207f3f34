#include <cstdio>

#include "kith/index.h"

int main() {
  kith::Matrix<float> points(100, 2);
  for (int i = 0; i < 100; ++i) points(i, 0) = static_cast<float>(i);
  kith::Index::build(points, kith::Labels(), {}).save("points.kith");
  const kith::Index index = kith::Index::open("points.kith");
  const kith::Neighbours hits = index.search(points.view().slice(42, 1), 3);
  std::printf("%u %u %u\n", hits.ids(0, 0), hits.ids(0, 1), hits.ids(0, 2));
}

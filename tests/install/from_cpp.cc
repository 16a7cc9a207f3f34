#include <cstdio>

#include "kith/exact.h"

int main() {
  kith::Matrix<float> points(100, 2);
  for (int i = 0; i < 100; ++i) points(i, 0) = static_cast<float>(i);
  const kith::Neighbours hits = kith::exact_search(points, points.view().slice(42, 1), {.k = 3});
  std::printf("%u %u %u\n", hits.ids(0, 0), hits.ids(0, 1), hits.ids(0, 2));
}

#include <kith/kith.h>
#include <stdio.h>

int main(void) {
  float points[100][2] = {{0}};
  for (int i = 0; i < 100; ++i) points[i][0] = (float)i;
  kith_matrix base = {.data = points, .rows = 100, .dim = 2, .element = KITH_F32};
  kith_matrix query = {.data = points[42], .rows = 1, .dim = 2, .element = KITH_F32};
  uint32_t ids[3];
  if (kith_exact_search(&base, &query, 3, KITH_L2, NULL, ids, NULL) != KITH_OK) {
    fprintf(stderr, "%s\n", kith_last_error());
    return 1;
  }
  printf("%u %u %u\n", ids[0], ids[1], ids[2]);
  return 0;
}

#include <kith/kith.h>
#include <stdio.h>

int main(void) {
  float points[100][2] = {{0}};
  for (int i = 0; i < 100; ++i) points[i][0] = (float)i;
  kith_matrix base = {.data = points, .rows = 100, .dim = 2, .element = KITH_F32};
  kith_matrix query = {.data = points[42], .rows = 1, .dim = 2, .element = KITH_F32};
  kith_index* index = NULL;
  uint32_t ids[3];
  if (kith_index_build(&base, NULL, NULL, &index) != KITH_OK ||
      kith_index_search(index, &query, 3, NULL, ids, NULL) != KITH_OK) {
    fprintf(stderr, "%s\n", kith_last_error());
    return 1;
  }
  printf("%u %u %u\n", ids[0], ids[1], ids[2]);
  kith_index_free(index);
  return 0;
}

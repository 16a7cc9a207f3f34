#include "kith/matrix.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace kith::detail {

void* allocate_rows(std::size_t alignment, std::size_t bytes) {
  constexpr std::size_t kHugePage = 2 << 20;
  const bool large = bytes >= kHugePage;
  const std::size_t boundary = large ? kHugePage : alignment;
  // The size must be a multiple of the boundary.
  void* rows = std::aligned_alloc(boundary, (bytes + boundary - 1) / boundary * boundary);
  if (rows == nullptr) throw std::bad_alloc();
  // Whole huge pages only: what follows them in the heap is not ours to advise on.
  if (large) ::madvise(rows, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return rows;
}

}  // namespace kith::detail

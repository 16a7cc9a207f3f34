#include "learn/learn.h"
#include "learn/weights/merge_folders.h"

extern "C" void kith_learn_register(kith::learn::Registry& registry) {
  registry.merge = kith::learn::merge_folders;
}

// Several processes of a training as threads of a test.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "formats/test_files.h"
#include "learn/processes.h"

namespace kith::learn {

inline void run_together(std::size_t count,
                         const std::function<void(const std::shared_ptr<const Processes>&)>& work) {
  const formats::TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      const ProcessPlace place{.rank = rank, .count = count, .file = folder.file("processes")};
      const auto own = std::make_shared<const Processes>(place);
      work(own);
    });
  }
  for (std::thread& each : threads) each.join();
}

}  // namespace kith::learn

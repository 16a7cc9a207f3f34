// Tasks: the input is cut at zero bytes into the files of a folder.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "kith/error.h"
#include "kith/suite.h"

namespace {

// In memory, and this process' own.
const std::string& folder() {
  static const std::string path = "/dev/shm/kith-suite-fuzz-" + std::to_string(::getpid());
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<const char*, 6> kFiles = {"test.jsonl",   "train.jsonl",   "task.json",
                                                 "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::filesystem::remove_all(folder());
  std::filesystem::create_directories(folder() + "/qrels");
  for (const char* name : kFiles) {
    const std::string_view own = rest.substr(0, rest.find('\0'));
    if (!own.empty()) std::ofstream(folder() + "/" + name, std::ios::binary) << own;
    rest.remove_prefix(std::min(own.size() + 1, rest.size()));
  }
  try {
    const kith::Task task = kith::read_task(folder());
    volatile std::size_t sum = 0;
    for (const kith::TextPart* part : kith::text_parts(task)) {
      for (const std::string& text : part->texts) sum = sum + text.size();
    }
  } catch (const kith::Error&) {
  }
  std::filesystem::remove_all(folder());
  return 0;
}

// compare_ids TOKENIZER TEXTS IDS: encodes every text of TEXTS and compares with IDS (both as
// tests/tokenizers/reference.mjs writes them). Prints how many agree, the first few that don't, and
// the speed of one thread; fails when one doesn't.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "kith/error.h"
#include "kith/tokenizer.h"

namespace {

constexpr std::size_t kMostShown = 3;

class Records {
 public:
  Records(const std::string& path, std::size_t item)
      : file_(kith::MappedFile::open(path)), item_(item) {}

  bool next(std::string_view& record) {
    const auto bytes = file_->bytes();
    if (at_ == bytes.size()) return false;
    std::uint32_t count = 0;
    if (bytes.size() - at_ < sizeof count) fail();
    std::memcpy(&count, bytes.data() + at_, sizeof count);
    at_ += sizeof count;
    if ((bytes.size() - at_) / item_ < count) fail();
    record = {reinterpret_cast<const char*>(bytes.data()) + at_, count * item_};
    at_ += count * item_;
    return true;
  }

 private:
  [[noreturn]] void fail() const {
    throw kith::Error(kith::ErrorCode::corrupt, file_->path() + ": ends within a record");
  }
  std::shared_ptr<const kith::MappedFile> file_;
  std::size_t item_, at_ = 0;
};

void show(std::string_view text, const std::vector<std::uint32_t>& ours,
          const std::vector<std::uint32_t>& theirs, const kith::Tokenizer& tokenizer) {
  std::size_t at = 0;
  while (at < ours.size() && at < theirs.size() && ours[at] == theirs[at]) ++at;
  std::printf("  differs at token %zu: '%.*s'\n", at, static_cast<int>(text.size()), text.data());
  for (const auto* ids : {&ours, &theirs}) {
    std::printf("    %s", ids == &ours ? "kith     " : "reference");
    for (std::size_t i = at; i < ids->size() && i < at + 8; ++i) {
      std::printf(" %u '%s'", (*ids)[i], tokenizer.token((*ids)[i]).value_or("?").c_str());
    }
    std::printf("\n");
  }
}

bool compare(const std::string& model, const std::string& texts, const std::string& ids) {
  const kith::Tokenizer tokenizer = kith::Tokenizer::open(model);
  std::vector<std::string_view> all;
  std::size_t bytes = 0, same = 0, shown = 0, tokens = 0;
  Records records(texts, 1);
  for (std::string_view text; records.next(text); bytes += text.size()) all.push_back(text);
  kith::TokenizeOptions options{.use_file = false};
  options.control.threads = 1;
  const std::clock_t start = std::clock();
  const auto encodings = tokenizer.encode(all, options);
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  Records expected(ids, sizeof(std::uint32_t));
  std::size_t i = 0;
  for (std::string_view record; expected.next(record); ++i) {
    std::vector<std::uint32_t> theirs(record.size() / sizeof(std::uint32_t));
    if (!record.empty()) std::memcpy(theirs.data(), record.data(), record.size());
    if (i < all.size() && encodings[i].ids == theirs) {
      ++same;
      tokens += theirs.size();
    } else if (i < all.size() && shown++ < kMostShown) {
      show(all[i], encodings[i].ids, theirs, tokenizer);
    }
  }
  std::printf("%zu of %zu texts agree, %zu tokens, %.1f MB a CPU second\n", same, all.size(),
              tokens, static_cast<double>(bytes) / 1e6 / took);
  return same == all.size() && i == all.size();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: compare_ids TOKENIZER TEXTS IDS\n", stderr);
    return 2;
  }
  try {
    return compare(argv[1], argv[2], argv[3]) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare_ids: %s\n", error.what());
    return 2;
  }
}

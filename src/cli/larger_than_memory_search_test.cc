// Searches in a collection several times larger than the memory they may take, a memory cgroup's:
// an index in two tiers beside the same index as one mapped file. Larger by KITH_TIER_ROWS, for the
// checks that take long. Where no cgroup can be made, as by a user without that right, it is
// skipped.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "cli/test_base.h"
#include "cli/test_tool.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

// A group of processes that together get so many bytes, page cache included; of version 1 or 2,
// whichever the machine has.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::size_t bytes) {
    const std::string name = "/kith-test-" + std::to_string(::getpid());
    for (const std::string root : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
      const bool first = root.ends_with("memory");
      const std::string folder = root + name;
      if (::mkdir(folder.c_str(), 0755) != 0) continue;
      folder_ = folder;
      limit_ = first ? "/memory.limit_in_bytes" : "/memory.max";
      peak_ = first ? "/memory.max_usage_in_bytes" : "/memory.peak";
      if (write(limit_, std::to_string(bytes))) {
        works_ = true;
        return;
      }
      ::rmdir(folder.c_str());
      folder_.clear();
    }
  }
  ~MemoryGroup() {
    if (!folder_.empty()) ::rmdir(folder_.c_str());
  }

  bool works() const { return works_; }
  std::string processes() const { return folder_ + "/cgroup.procs"; }
  // The most that was used since the group was made, in bytes; 0 where the system doesn't say.
  std::size_t peak() const {
    std::size_t bytes = 0;
    std::ifstream(folder_ + peak_) >> bytes;
    return bytes;
  }

 private:
  bool write(const std::string& file, const std::string& text) const {
    std::ofstream out(folder_ + file);
    out << text << std::flush;
    return out.good();
  }

  std::string folder_, limit_, peak_;
  bool works_ = false;
};

struct Measured {
  double recall = 0, rate = 0;
  std::size_t peak = 0, anonymous = 0, read = 0;
  std::string error;
};

class LargerThanMemorySearch : public ToolTest {
 protected:
  // `kith arguments...`, in a group of its own that gets so much memory, with nothing cached.
  Measured run(const std::vector<std::string>& arguments, std::size_t limit) const {
    for (const std::string& name : files()) {
      const int fd = ::open(path(name).c_str(), O_RDONLY);
      ::fsync(fd);
      ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
      ::close(fd);
    }
    const MemoryGroup group(limit);
    std::string command = "echo $$ > '" + group.processes() + "' && exec '" + KITH_TOOL + "'";
    for (const std::string& argument : arguments) command += " '" + argument + "'";
    const pid_t child = ::fork();
    if (child == 0) {
      if (::chdir(path("").c_str()) != 0) ::_exit(126);
      const int flags = O_WRONLY | O_CREAT | O_TRUNC;
      ::dup2(::open("captured.out", flags, 0600), STDOUT_FILENO);
      ::dup2(::open("captured.err", flags, 0600), STDERR_FILENO);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    Measured seen;
    const std::string process = "/proc/" + std::to_string(child);
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0) {
      seen.anonymous = std::max(seen.anonymous, 1024 * number(process + "/status", "RssAnon:"));
      seen.read = std::max(seen.read, number(process + "/io", "read_bytes:"));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    seen.read = std::max(seen.read, number(process + "/io", "read_bytes:"));
    seen.peak = group.peak();
    const Outcome outcome = finish(child);
    if (outcome.exit != 0) {
      seen.error = "exit " + std::to_string(outcome.exit) + " " + outcome.err;
    } else {
      seen.rate = outcome.objects().at(0).at("qps_wall");
    }
    return seen;
  }

  static std::size_t number(const std::string& file, const std::string& key) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(key)) return std::stoull(line.substr(key.size()));
    }
    return 0;
  }
};

TEST_F(LargerThanMemorySearch, GivesTheSameHitsFromDiskWithinItsMemory) {
  const char* const given = std::getenv("KITH_TIER_ROWS");
  const bool large = given != nullptr;
  const std::uint32_t rows = large ? static_cast<std::uint32_t>(std::stoul(given)) : 100000;
  const std::uint32_t dim = large ? 768 : 256;
  const std::string index = large ? "ivf" : "flat", codes = large ? "pq192" : "rabitq1";
  const std::string disk = large ? "f16" : "f32";
  // One mapped file takes so long that it gets few queries and, in the quick form, all memory.
  constexpr std::uint32_t kQueries = 300, kFew = 20;
  constexpr std::size_t kLeast = std::size_t{24} << 20;  // the program itself takes some of it
  const std::size_t input = std::size_t{rows} * dim * sizeof(float);
  const std::size_t limit = std::max(kLeast, input / (large ? 8 : 4));
  if (!MemoryGroup(limit).works()) GTEST_SKIP() << "no memory cgroup can be made here";
  ASSERT_GE(input, 4 * limit) << "KITH_TIER_ROWS=" << rows << " is no large collection";

  write_clusters(path("base.fbin"), rows, dim);
  write_clusters(path("queries.fbin"), kQueries, dim, 6);
  write_clusters(path("few.fbin"), kFew, dim, 6);
  write_clusters(path("one.fbin"), 1, dim, 6);
  build("base.fbin", "one.kith", {"--index", index, "--codec", codes + "+" + disk});
  build("base.fbin", "two.kith", {"--index", index, "--codec", codes, "--disk", disk});
  const auto exact = [&](const char* queries) {
    ExactOptions options;
    options.k = 10;
    const Vectors base = read_vectors(path("base.fbin")), asked = read_vectors(path(queries));
    return exact_search(base.rows, asked.rows, options);
  };
  const Neighbours truth = exact("queries.fbin"), few_truth = exact("few.fbin");
  std::printf(
      "%u vectors of %u dimensions, %zu MiB of floats, %zu MiB as %s+%s; two tiers: %zu MiB in "
      "memory, %zu MiB on disk; a search may take %.1f MiB\n\n",
      rows, dim, input >> 20, fs::file_size(path("one.kith")) >> 20, codes.c_str(), disk.c_str(),
      fs::file_size(path("two.kith")) >> 20, fs::file_size(path("two.kith.disk")) >> 20,
      static_cast<double>(limit) / (1 << 20));
  std::printf("%-28s  recall@10  queries/s  KiB read/query  MiB at most  of it anonymous\n", "");
  std::fflush(stdout);

  struct Way {
    const char* name;
    const char* index;
    std::vector<std::string> options;
  };
  const auto arguments = [&](const Way& way, const char* queries) {
    std::vector<std::string> all = {"search", way.index, queries};
    all.insert(all.end(), {"-k", "10", "-o", "found.ibin", "--json", "--threads", "2"});
    if (!large) all.insert(all.end(), {"--rerank", "200"});
    all.insert(all.end(), way.options.begin(), way.options.end());
    return all;
  };
  const Way mapped{"one file, mapped", "one.kith", {}};
  std::vector<Way> ways = {
      {"two tiers, io_uring", "two.kith", {"--disk-reader", "io_uring"}},
      {"two tiers, threads", "two.kith", {"--disk-reader", "threads"}},
      {"two tiers, io_uring, direct", "two.kith", {"--disk-reader", "io_uring", "--direct"}},
      {"two tiers, threads, direct", "two.kith", {"--disk-reader", "threads", "--direct"}},
      {"two tiers, direct, cache",
       "two.kith",
       {"--direct", "--disk-cache", std::to_string(limit / 8)}}};
  if (large) ways.push_back(mapped);
  ASSERT_EQ(kith(arguments(mapped, "few.fbin")).exit, 0);
  const Neighbours expected = read_neighbours(path("found.ibin"));
  for (const Way& way : ways) {
    const bool one_file = way.index == std::string(mapped.index);
    const Measured opening = run(arguments(way, "one.fbin"), limit);
    const Measured seen = run(arguments(way, one_file ? "few.fbin" : "queries.fbin"), limit);
    if (!seen.error.empty()) {
      const bool cannot = seen.error.find("io_uring: the system refuses it") != std::string::npos ||
                          seen.error.find("can't read directly") != std::string::npos;
      std::printf("%-28s  %s\n", way.name, seen.error.c_str());
      EXPECT_TRUE(cannot) << way.name << ": " << seen.error;
      continue;
    }
    const Neighbours found = read_neighbours(path("found.ibin"));
    const double recall = recall_at(found, one_file ? few_truth : truth, 10);
    const double read = (static_cast<double>(seen.read) - static_cast<double>(opening.read)) /
                        static_cast<double>(found.queries());
    constexpr double kMiB = 1 << 20;
    std::printf("%-28s  %9.4f  %9.1f  %14.1f  %11.1f  %15.1f\n", way.name, recall, seen.rate,
                std::max(0.0, read / 1024), static_cast<double>(seen.peak) / kMiB,
                static_cast<double>(seen.anonymous) / kMiB);
    std::fflush(stdout);
    EXPECT_LE(seen.peak, limit);
    EXPECT_GE(recall, 0.8);
    for (std::size_t q = 0; q < kFew; ++q) {
      for (std::size_t i = 0; i < 10; ++i) {
        ASSERT_EQ(found.ids(q, i), expected.ids(q, i)) << way.name;
      }
    }
  }
}

}  // namespace
}  // namespace kith::cli

// A build reads its mapped input as it goes and keeps codes only. Larger by KITH_MEMORY_ROWS, for
// the checks that take long: then a graph over 768 dimensions.
#include <cstdlib>

#include "cli/test_base.h"
#include "cli/test_tool.h"
#include "kith/exact.h"
#include "kith/index.h"

namespace kith::cli {
namespace {

class LargerThanMemory : public ToolTest {
 protected:
  struct Peak {
    Outcome outcome;
    std::size_t bytes = 0;  // of memory that no file stands behind
  };

  // Runs the command and looks at it every few milliseconds.
  Peak watch(const std::vector<std::string>& arguments) const {
    Peak peak;
    const pid_t child = start(arguments);
    const std::string status = "/proc/" + std::to_string(child) + "/status";
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0) {
      std::ifstream lines(status);
      for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("RssAnon:")) continue;
        peak.bytes = std::max<std::size_t>(peak.bytes, 1024 * std::stoull(line.substr(8)));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    peak.outcome = finish(child);
    return peak;
  }
};

TEST_F(LargerThanMemory, ABuildTakesAShareOfItsInputAsPlanForecasts) {
  const char* const given = std::getenv("KITH_MEMORY_ROWS");
  const bool large = given != nullptr;
  const std::uint32_t rows = large ? static_cast<std::uint32_t>(std::stoul(given)) : 250000;
  const std::uint32_t dim = large ? 768 : 96;
  const std::size_t input = write_clusters(path("base.fbin"), rows, dim);
  const std::vector<std::string> choices = {"--index",  large ? "graph" : "flat",
                                            "--codec",  "rot-lvq4",
                                            "--metric", "cosine",
                                            "--degree", "32",
                                            "--json"};
  std::vector<std::string> plan = {"plan", "base.fbin"},
                           build = {"build", "base.fbin", "-o", "x.kith"};
  plan.insert(plan.end(), choices.begin(), choices.end());
  build.insert(build.end(), choices.begin(), choices.end());

  const auto forecast = kith(plan).objects().at(0).at("peak_memory_bytes").get<std::size_t>();
  const Peak peak = watch(build);
  ASSERT_EQ(peak.outcome.exit, 0) << peak.outcome.err;
  const double share = static_cast<double>(peak.bytes) / static_cast<double>(input);
  std::printf("input %zu MiB, at most %zu MiB of memory (%.2f), forecast %zu MiB\n", input >> 20,
              peak.bytes >> 20, share, forecast >> 20);
  EXPECT_LE(share, large ? 1.0 / 3 : 1.0 / 2);
  EXPECT_LE(static_cast<double>(peak.bytes), 1.25 * static_cast<double>(forecast));
  EXPECT_GE(static_cast<double>(peak.bytes), 0.6 * static_cast<double>(forecast));

  // The codes are whole: vectors find themselves.
  const Index index = Index::open(path("x.kith"));
  const Vectors base = read_vectors(path("base.fbin"));
  std::size_t found = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const std::uint32_t row = i * (rows / 100);
    found += index.search(base.rows.slice(row, 1), 1).ids(0, 0) == row ? 1 : 0;
  }
  EXPECT_GE(found, 95u);
}

}  // namespace
}  // namespace kith::cli

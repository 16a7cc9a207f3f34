// Reproductions that train models, through the command.
#ifdef KITH_TOOL
#include <algorithm>
#include <cmath>

#include "cli/test_tool.h"

namespace kith::papers {
namespace {

class PapersLearnTool : public cli::ToolTest {};

TEST_F(PapersLearnTool, QuickTrialsTrainTheirOwnModelsAndLeaveNothing) {
  for (const char* paper :
       {"2dmse", "atlas", "bidr", "cosine-adapter", "distill-vq", "leanvec", "longembed", "lr2vq",
        "multi-layer-pooling", "muvera", "nv-embed", "o1-embedder", "sesa", "simvq", "starbucks"}) {
    const cli::Outcome outcome = kith({"papers", "run", paper, "--quick", "--json"});
    ASSERT_EQ(outcome.exit, 0) << paper << outcome.err;
    std::size_t values = 0, verdicts = 0;
    for (const nlohmann::json& object : outcome.objects()) {
      verdicts += object.contains("verdict") ? 1 : 0;
      if (!object.contains("column")) continue;
      ++values;
      EXPECT_TRUE(object["mean"].is_number()) << object;
    }
    EXPECT_GT(values, 10u) << paper;
    EXPECT_GE(verdicts, 4u) << paper;
    EXPECT_TRUE(files().empty()) << paper;
  }
}

}  // namespace
}  // namespace kith::papers
#endif

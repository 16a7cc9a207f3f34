#include "cli/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace kith::cli {
namespace {

TEST(Interrupt, TheFirstRaisesTheFlag) {
  EXPECT_EXIT(
      {
        install_interrupt_handlers();
        if (interrupt_flag().load()) std::_Exit(1);
        std::raise(SIGINT);
        std::_Exit(interrupt_flag().load() ? interrupt_exit_code() : 2);
      },
      testing::ExitedWithCode(130), "");
}

TEST(Interrupt, TheSecondKills) {
  EXPECT_EXIT(
      {
        install_interrupt_handlers();
        std::raise(SIGINT);
        std::raise(SIGINT);
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(Interrupt, TerminationIsToldApart) {
  EXPECT_EXIT(
      {
        install_interrupt_handlers();
        std::raise(SIGTERM);
        std::_Exit(interrupt_exit_code());
      },
      testing::ExitedWithCode(143), "");
}

}  // namespace
}  // namespace kith::cli

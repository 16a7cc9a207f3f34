#include "cli/interrupt.h"

#include <csignal>

namespace kith::cli {
namespace {

std::atomic<bool> interrupted{false};
volatile std::sig_atomic_t received = SIGINT;
static_assert(std::atomic<bool>::is_always_lock_free);  // or the handler could not set it

extern "C" void on_signal(int signal) {
  received = signal;
  interrupted.store(true);
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND | SA_RESTART;  // reset: the second signal has its usual effect
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

const std::atomic<bool>& interrupt_flag() { return interrupted; }

int interrupt_exit_code() { return 128 + received; }

}  // namespace kith::cli

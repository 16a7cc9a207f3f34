// Ctrl-C (and SIGTERM): the first raises a flag that long-running calls poll, so that they end with
// nothing half-written; the second kills.
#pragma once

#include <atomic>

namespace kith::cli {

void install_interrupt_handlers();

// What Control::cancel points to.
const std::atomic<bool>& interrupt_flag();

// The exit code a shell expects after the signal that came: 130 for Ctrl-C, 143 for SIGTERM.
int interrupt_exit_code();

}  // namespace kith::cli

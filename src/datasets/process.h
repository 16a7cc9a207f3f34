// Runs another program and waits for it: how packages are fetched. The program gets no input.
#pragma once

#include <string>
#include <vector>

#include "kith/control.h"

namespace kith::datasets {

struct Outcome {
  int exit = 0;        // 128 + the signal when it was killed by one
  std::string output;  // what it wrote to standard output and error
};

// `arguments` begins with the program's name, found on PATH; it runs in `folder`. Throws not_found
// when there is no such program, io when it can't be run, cancelled (the program is ended first).
Outcome run_program(const std::vector<std::string>& arguments, const std::string& folder,
                    const Control& control);

}  // namespace kith::datasets

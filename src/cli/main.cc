#include "cli/cli.h"

int main(int argc, char** argv) { return kith::cli::run(argc, argv); }

#include <cstdio>
#include <exception>

#include "cli/cli.h"
#include "kith/error.h"

int main(int argc, char** argv) {
  CLI::App app("kith: learn, compress, index, search and judge vectors", "kith");
  app.require_subcommand(1);
  kith::cli::add_verbs(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const kith::Error& error) {
    std::fprintf(stderr, "kith: %s\n", error.what());
    if (error.code() == kith::ErrorCode::cancelled) return 130;
    return error.code() == kith::ErrorCode::invalid_argument ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kith: %s\n", error.what());
    return 1;
  }
  return 0;
}

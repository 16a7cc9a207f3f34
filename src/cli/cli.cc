#include "cli/cli.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "cli/format.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

constexpr int kFailure = 1, kUsage = 2;
constexpr std::size_t kMostThreads = 1024;

// "build" in `kith build ...`, "bench kernels" in `kith bench kernels ...`.
std::string verb_name(const CLI::App& root) {
  std::string name;
  for (const CLI::App* app = &root; !app->get_subcommands().empty();) {
    app = app->get_subcommands().front();
    name += (name.empty() ? "" : " ") + app->get_name();
  }
  return name;
}

// What CLI11 makes of arguments that nothing takes names them in no useful order.
std::string unexpected(const CLI::App& root) {
  const std::vector<std::string> rest = root.remaining(true);
  const auto option = std::find_if(rest.begin(), rest.end(),
                                   [](const std::string& word) { return word.starts_with('-'); });
  if (option != rest.end()) return "unknown option '" + printable(*option) + "'";
  return "unexpected '" + printable(rest.front()) + "'";
}

int usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const std::string verb = verb_name(root);
  const std::string command = verb.empty() ? "kith" : "kith " + verb;
  std::string message = error.what();
  const std::vector<std::string> rest = root.remaining();
  if (verb.empty() && !rest.empty()) {
    const std::string& word = rest.front();
    message = word.starts_with('-') ? unexpected(root)
                                    : "'" + printable(word) + "': expected one of kith's verbs";
  } else if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    message = unexpected(root);
  }
  std::fprintf(stderr, "%s: %s (see %s --help)\n", command.c_str(), message.c_str(),
               command.c_str());
  return kUsage;
}

int failure(const Error& error) {
  if (error.code() == ErrorCode::cancelled) {
    // A verb that keeps what it has says so itself.
    const bool kept = std::string_view(error.what()).find("are kept") != std::string_view::npos;
    std::fprintf(stderr, "kith: %s\n", kept ? error.what() : "cancelled: nothing was written");
    return interrupt_exit_code();
  }
  std::fprintf(stderr, "kith: %s\n", error.what());
  return error.code() == ErrorCode::invalid_argument ? kUsage : kFailure;
}

// A result that could not be delivered (a full disk behind a redirection) is a failure.
int flush_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  std::fputs("kith: standard output: cannot write\n", stderr);
  return kFailure;
}

}  // namespace

Control CommonOptions::control() const {
  Control control;
  control.threads = threads;
  control.cancel = &interrupt_flag();
  if (::isatty(STDERR_FILENO) == 1) {
    auto bar = std::make_shared<ProgressBar>(stderr);
    control.progress = [bar](std::string_view stage, std::size_t done, std::size_t total) {
      bar->report(stage, done, total);
    };
  }
  return control;
}

void add_common_options(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--threads", options.threads, "Threads to use (default: all processors)")
      ->check(whole_number(1, kMostThreads))
      ->type_name("N");
  verb.add_option("--seed", options.seed, "Seed of everything random (default: 1)")
      ->check(whole_number(0, ~std::size_t{0}))
      ->type_name("N");
  verb.add_flag("--json", options.json, "Print JSON, one object a line, instead of tables");
}

void add_examples(CLI::App& verb, const std::string& examples) {
  std::string footer = "Examples:\n";
  std::size_t begin = 0;
  while (begin < examples.size()) {
    const std::size_t end = std::min(examples.find('\n', begin), examples.size());
    footer += "  " + examples.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  footer.pop_back();
  verb.footer(footer);
}

int run(int argc, char** argv) {
  install_interrupt_handlers();
  CLI::App root("kith finds nearest neighbours among vectors.", "kith");
  root.set_version_flag("--version", "kith " KITH_VERSION);
  root.require_subcommand(1);
  root.footer("'kith VERB --help' lists a verb's options with examples.");
  add_verbs(root);
  if (argc == 1) {
    std::fputs(root.help().c_str(), stderr);
    return kUsage;
  }
  try {
    root.parse(argc, argv);
    return flush_output();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error);  // --help, --version
    return usage_error(root, error);
  } catch (const Error& error) {
    return failure(error);
  } catch (const std::bad_alloc&) {
    std::fputs("kith: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kith: %s\n", error.what());
  }
  return kFailure;
}

}  // namespace kith::cli

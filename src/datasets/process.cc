#include "datasets/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/parallel.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

[[noreturn]] void fail(const std::string& program, int error) {
  throw Error(error == ENOENT ? ErrorCode::not_found : ErrorCode::io,
              "program " + program + ": " + std::strerror(error));
}

class Pipe {
 public:
  explicit Pipe(const std::string& program) {
    if (::pipe2(ends_, O_CLOEXEC) != 0) fail(program, errno);
  }
  ~Pipe() {
    close_writing();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
};

pid_t start(const std::vector<std::string>& arguments, const std::string& folder, int output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(arguments.front(), error);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// All that comes through the pipe until its other end closes.
std::string read_all(int from, const Control& control) {
  constexpr int kPatience = 100;  // milliseconds between looks at the flag
  std::string all;
  char buffer[4096];
  for (;;) {
    throw_if_cancelled(control);
    pollfd waiting{from, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kPatience);
    if (ready <= 0) continue;
    const ssize_t bytes = ::read(from, buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(bytes));
  }
}

}  // namespace

Outcome run_program(const std::vector<std::string>& arguments, const std::string& folder,
                    const Control& control) {
  Pipe pipe(arguments.front());
  const pid_t child = start(arguments, folder, pipe.writing());
  pipe.close_writing();
  Outcome outcome;
  try {
    outcome.output = read_all(pipe.reading(), control);
  } catch (...) {
    ::kill(child, SIGTERM);
    wait_for(child);
    throw;
  }
  outcome.exit = wait_for(child);
  return outcome;
}

}  // namespace kith::datasets

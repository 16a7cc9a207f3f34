#include "cli/train_processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "cli/load_learn.h"
#include "cli/options.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::size_t number(const char* name, std::size_t most) {
  const std::string text = variable(name);
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > most) {
    throw Error(ErrorCode::invalid_argument, std::string(name) + ": '" + text +
                                                 "', expected a whole number up to " +
                                                 std::to_string(most));
  }
  return value;
}

bool is_of_lost_process(const Error& error) {
  return std::string_view(error.what()).find(learn::kLostOthers) != std::string_view::npos;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// A folder for the file that processes meet by.
class MeetingFolder {
 public:
  MeetingFolder() {
    std::string pattern = (fs::temp_directory_path() / "kith-train-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Error(ErrorCode::io, pattern + ": cannot be made");
    }
    path_ = pattern;
  }
  ~MeetingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  MeetingFolder(const MeetingFolder&) = delete;
  MeetingFolder& operator=(const MeetingFolder&) = delete;

  std::string file() const { return (path_ / "processes").string(); }

 private:
  fs::path path_;
};

// A process of the training, which says through a pipe why it failed.
class Member {
 public:
  Member(Training training, const learn::TrainRequest& request, const Report& report)
      : rank_(request.place.rank) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorCode::io, "no pipe to a new process");
    const pid_t parent = ::getpid();
    std::fflush(nullptr);
    process_ = ::fork();
    if (process_ == 0) run(training, request, report, parent, ends[1]);
    ::close(ends[1]);
    pipe_ = ends[0];
    if (process_ < 0) throw Error(ErrorCode::io, "no new process can be started");
  }
  Member(Member&& other) noexcept
      : rank_(other.rank_),
        process_(std::exchange(other.process_, -1)),
        pipe_(std::exchange(other.pipe_, -1)) {}
  ~Member() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    if (pipe_ >= 0) ::close(pipe_);
  }

  bool lost_others() const { return lost_; }
  void interrupt() const {
    if (process_ > 0) ::kill(process_, SIGTERM);
  }
  // Throws why it failed, of its own accord, where that is known now.
  bool has_ended() {
    int status = 0;
    if (process_ < 0) return true;
    if (::waitpid(process_, &status, WNOHANG) != process_) return false;
    process_ = -1;
    const std::string name = rank_ == 0 ? "" : "process " + std::to_string(rank_) + ": ";
    if (WIFSIGNALED(status)) {
      throw Error(ErrorCode::io, "process " + std::to_string(rank_) + ": ended by signal " +
                                     std::to_string(WTERMSIG(status)));
    }
    lost_ = WEXITSTATUS(status) != 0;
    std::string said(kMostSaid, '\0');
    const ssize_t size = ::read(pipe_, said.data(), said.size());
    if (size < 1) return true;
    said.resize(static_cast<std::size_t>(size));
    throw Error(static_cast<ErrorCode>(said[0]), name + said.substr(1));
  }

 private:
  static constexpr std::size_t kMostSaid = 4096;  // that a pipe takes at once

  [[noreturn]] static void run(Training training, const learn::TrainRequest& request,
                               const Report& report, pid_t parent, int pipe) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setpgid(0, 0);  // a terminal's Ctrl-C comes by way of the parent, once
    if (::getppid() != parent) ::_exit(1);
    try {
      const learn::TrainSummary summary = (load_learn().*training)(request);
      if (request.place.rank == 0) report(summary);
      std::fflush(stdout);
    } catch (const Error& error) {
      // That others are gone is theirs to explain; that all were cancelled, the first one's.
      if (is_of_lost_process(error)) ::_exit(1);
      const bool told = error.code() == ErrorCode::cancelled && request.place.rank != 0;
      if (!told) say(pipe, error.code(), error.what());
    } catch (const std::exception& error) {
      say(pipe, ErrorCode::io, first_line(error.what()));
    }
    ::_exit(0);
  }

  // A byte for the code, then the message.
  static void say(int pipe, ErrorCode code, const std::string& message) {
    const std::string said = static_cast<char>(code) + message.substr(0, kMostSaid - 1);
    if (::write(pipe, said.data(), said.size()) < 0) ::_exit(1);
  }

  std::size_t rank_;
  pid_t process_ = -1;
  int pipe_ = -1;
  bool lost_ = false;
};

// Until all have ended. Throws the first failure that one of them explains.
void wait_for(std::vector<Member>& members, const std::atomic<bool>* cancel) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  constexpr int kMostPauses = 250;  // in which the one that failed says why
  int pauses_after_loss = 0;
  bool interrupted = false;
  for (std::size_t ended = 0; ended < members.size();) {
    std::this_thread::sleep_for(kPause);
    if (!interrupted && cancel != nullptr && cancel->load()) {
      interrupted = true;
      for (const Member& each : members) each.interrupt();
    }
    ended = 0;
    for (Member& each : members) ended += each.has_ended() ? 1 : 0;
    if (std::ranges::none_of(members, &Member::lost_others)) continue;
    if (ended == members.size() || ++pauses_after_loss == kMostPauses) {
      throw Error(ErrorCode::io, "the training's processes lost each other");
    }
  }
}

// This process' place by the environment; alone where WORLD_SIZE isn't set.
learn::ProcessPlace place_in_environment() {
  constexpr std::size_t kMostProcesses = 1 << 16, kMostPorts = 65535;
  learn::ProcessPlace place;
  if (variable("WORLD_SIZE").empty()) return place;
  place.count = number("WORLD_SIZE", kMostProcesses);
  if (place.count <= 1) return {};
  place.rank = number("RANK", place.count - 1);
  place.address = variable("MASTER_ADDR");
  if (place.address.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "MASTER_ADDR is not set, expected where process 0 is, as WORLD_SIZE is set");
  }
  place.port = static_cast<std::uint16_t>(number("MASTER_PORT", kMostPorts));
  return place;
}

void train_together(std::size_t count, Training training, learn::TrainRequest request,
                    const Report& report) {
  const MeetingFolder folder;
  request.place.count = count;
  request.place.file = folder.file();
  request.control.threads = std::max<std::size_t>(1, thread_count(request.control) / count);
  std::vector<Member> members;
  members.reserve(count);
  for (std::size_t rank = 0; rank < count; ++rank) {
    request.place.rank = rank;
    members.emplace_back(training, request, report);
    request.control.progress = {};  // the first one's alone
  }
  wait_for(members, request.control.cancel);
}

}  // namespace

void add_processes_option(CLI::App& verb, std::size_t& processes) {
  constexpr std::size_t kMostProcesses = 1024;
  verb.add_option("--processes", processes,
                  "Train by so many processes of this machine, which share --threads (default: 1, "
                  "or what RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say)")
      ->check(whole_number(1, kMostProcesses))
      ->type_name("N");
}

void train_by(std::size_t processes, Training training, learn::TrainRequest request,
              const Report& report) {
  if (processes > 1) return train_together(processes, training, std::move(request), report);
  if (processes == 0) request.place = place_in_environment();
  const learn::TrainSummary summary = (load_learn().*training)(request);
  if (request.place.rank == 0) report(summary);
}

}  // namespace kith::cli

// What the tests of the verbs share: a folder that goes away, the kith command run in it, and small
// files of seeded random vectors.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/vectors.h"

namespace kith::cli {

struct Outcome {
  int exit = -1;  // 128 + signal when killed by one
  std::string out, err;

  // The objects that --json printed.
  std::vector<nlohmann::json> objects() const {
    std::vector<nlohmann::json> result;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) {
      result.push_back(nlohmann::json::parse(line));
    }
    return result;
  }
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A test runs in its own folder; every path it passes is relative to that.
class ToolTest : public testing::Test {
 protected:
  ToolTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kith-cli-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = pattern;
  }
  ~ToolTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // Names in the folder, hidden ones included, but the captured output's.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("captured.")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // Starts `kith arguments...` in the folder, its output captured in files.
  pid_t start(const std::vector<std::string>& arguments) const {
    std::vector<const char*> argv{KITH_TOOL};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    ::dup2(::open("captured.out", flags, 0600), STDOUT_FILENO);
    ::dup2(::open("captured.err", flags, 0600), STDERR_FILENO);
    ::execv(KITH_TOOL, const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }

  // Waits until the command catches SIGINT itself, which under a sanitizer takes a while.
  static bool catches_interrupts(pid_t child) {
    for (int tries = 0; tries < 3000; ++tries) {
      std::ifstream status("/proc/" + std::to_string(child) + "/status");
      for (std::string line; std::getline(status, line);) {
        if (!line.starts_with("SigCgt:")) continue;
        const std::uint64_t caught = std::stoull(line.substr(7), nullptr, 16);
        if ((caught >> (SIGINT - 1) & 1) != 0) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  Outcome finish(pid_t child) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            read_file(path("captured.out")), read_file(path("captured.err"))};
  }

  Outcome kith(const std::vector<std::string>& arguments) const { return finish(start(arguments)); }

  // The command must fail with this exit code and say in one line what was wrong, leaving every
  // file as it was.
  void expect_error(const std::vector<std::string>& arguments, int exit,
                    const std::vector<std::string>& said) const {
    const std::vector<std::string> before = files();
    const Outcome outcome = kith(arguments);
    EXPECT_EQ(outcome.exit, exit) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("kith")) << outcome.err;
    for (const std::string& part : said) {
      EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err << "lacks: " << part;
    }
    EXPECT_EQ(files(), before);
  }

  // Clustered rows, so that neighbours mean something.
  static Matrix<float> vectors(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    constexpr std::size_t kClusters = 20;
    Matrix<float> result(rows, dim);
    for (std::size_t i = 0; i < rows; ++i) {
      Random own(seed, i);
      Random centre(7, own.below(kClusters));
      for (std::size_t j = 0; j < dim; ++j) {
        result(i, j) = static_cast<float>(2 * centre.normal() + own.normal());
      }
    }
    return result;
  }

  void make_vectors(const std::string& name, std::size_t rows, std::size_t dim,
                    std::uint64_t seed) const {
    write_vectors(path(name), vectors(rows, dim, seed), Labels());
  }

  // word2vec text whose labels are "w0", "w1", ...
  void make_words(const std::string& name, std::size_t rows, std::size_t dim,
                  std::uint64_t seed) const {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < rows; ++i) words.push_back("w" + std::to_string(i));
    WriteOptions options;
    options.format = "word2vec-text";
    write_vectors(path(name), vectors(rows, dim, seed), Labels(words), options);
  }

  void build(const std::string& base, const std::string& index,
             std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"build", base, "-o", index});
    const Outcome outcome = kith(options);
    ASSERT_EQ(outcome.exit, 0) << outcome.err;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace kith::cli

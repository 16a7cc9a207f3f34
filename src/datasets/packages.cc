#include "datasets/packages.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "datasets/process.h"
#include "kith/error.h"

namespace kith::datasets {
namespace {

namespace fs = std::filesystem;

void make_folder(const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) throw Error(ErrorCode::io, path + ": " + failed.message());
}

// A folder that goes away unless what was made in it was moved out.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& parent) {
    make_folder(parent);
    path_ = parent + "/.fetch.XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) {
      throw Error(ErrorCode::io, parent + ": no folder can be made there");
    }
    // apt-get downloads as another user when it is run by root.
    fs::permissions(path_, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const std::string& path() const { return path_; }

  // The one file whose name ends so; "" when there is none.
  std::string find(const std::string& ending) const {
    for (const auto& entry : fs::directory_iterator(path_)) {
      std::string path = entry.path().string();
      if (path.ends_with(ending)) return path;
    }
    return {};
  }

 private:
  std::string path_;
};

// The first lines of what a program said, in one.
std::string first_words(const std::string& output) {
  constexpr std::size_t kMost = 300;
  std::string words = output.substr(0, kMost);
  std::replace(words.begin(), words.end(), '\n', ' ');
  while (words.ends_with(' ')) words.pop_back();
  return words;
}

std::string hexadecimal(const std::string& base64) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  unsigned bits = 0, count = 0;
  for (const char c : base64) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;  // padding
    bits = bits << 6 | static_cast<unsigned>(digit);
    for (count += 6; count >= 4; count -= 4) {
      hex += kHex[bits >> (count - 4) & 15];
    }
  }
  hex.resize(std::min<std::size_t>(hex.size(), 128));  // of SHA-512; the rest is padding
  return hex;
}

}  // namespace

Packages::Packages(const std::string& cache, Control control,
                   std::function<void(const std::string&)> say)
    : control_(std::move(control)), say_(std::move(say)) {
  make_folder(cache);
  cache_ = fs::canonical(cache).string();  // programs run in other folders
}

std::string Packages::run(const std::string& what, const std::vector<std::string>& arguments,
                          const std::string& folder) {
  std::string reason;
  try {
    Outcome outcome = run_program(arguments, folder, control_);
    if (outcome.exit == 0) return std::move(outcome.output);
    reason = arguments.front() + " ended with " + std::to_string(outcome.exit) + ": " +
             first_words(outcome.output);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    reason = error.what();
  }
  throw Error(ErrorCode::not_found, what + " can't be had: " + reason);
}

std::string Packages::debian_lists() {
  const std::string apt = cache_ + "/apt";
  std::string lists = apt + "/lists";
  const std::string stamp = lists + "/.complete";
  if (fs::exists(stamp)) return lists;
  make_folder(lists + "/partial");
  say_("fetching Debian's package lists");
  run("Debian's package lists",
      {"apt-get", "update", "-qq", "-o", "Dir::State::lists=" + lists, "-o", "Dir::Cache=" + apt,
       "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::GzipIndexes=false", "-o",
       "Acquire::Languages=en,de,fr,it,da,sk,ja,ko,uk,pl,ru,pt_BR,es,cs,pt,zh_CN"},
      cache_);
  std::ofstream(stamp).flush();
  return lists;
}

std::string Packages::deb(const std::string& name) {
  std::string folder = cache_ + "/deb/" + name;
  if (fs::exists(folder)) return folder;
  const std::string lists = debian_lists(), what = "Debian package " + name;
  const WorkFolder work(cache_ + "/deb");
  say_("fetching " + what);
  run(what,
      {"apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "-o",
       "Dir::State::lists=" + lists, name},
      work.path());
  run(what, {"dpkg-deb", "-x", work.find(".deb"), "unpacked"}, work.path());
  fs::rename(work.path() + "/unpacked", folder);
  return folder;
}

std::string Packages::npm(const std::string& name, const std::string& version,
                          const std::string& sha512) {
  std::string plain = name;
  std::replace(plain.begin(), plain.end(), '/', '-');
  std::string folder = cache_ + "/npm/" + plain + "-" + version;
  if (fs::exists(folder + "/package.json")) return folder;
  const std::string spec = name + "@" + version, what = "npm package " + spec;
  const WorkFolder work(cache_ + "/npm");
  say_("fetching " + what);
  run(what, {"npm", "pack", "--loglevel", "error", "--ignore-scripts", spec}, work.path());
  const std::string archive = work.find(".tgz");
  const std::string sum = run(what, {"sha512sum", archive}, work.path());
  if (!sum.starts_with(hexadecimal(sha512))) {
    throw Error(ErrorCode::corrupt, what + ": its SHA-512 isn't " + sha512);
  }
  make_folder(work.path() + "/unpacked");
  run(what, {"tar", "-xzf", archive, "-C", "unpacked", "--strip-components=1", "--no-same-owner"},
      work.path());
  run(what, {"chmod", "-R", "u+rwX,go+rX", "unpacked"}, work.path());
  fs::remove_all(folder);  // of something incomplete
  fs::rename(work.path() + "/unpacked", folder);
  return folder;
}

}  // namespace kith::datasets

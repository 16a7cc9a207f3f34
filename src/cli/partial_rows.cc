#include "cli/partial_rows.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "cli/output.h"
#include "formats/labels_file.h"
#include "json/json.h"
#include "kith/error.h"
#include "kith/vectors.h"

namespace kith::cli {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Error(ErrorCode::io, path + ": " + what + ": " + std::strerror(errno));
}

int open_part(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) fail(path, "cannot be opened");
  return file;
}

// Cuts off what was written behind the last record, and stands at the end.
void cut(int file, const std::string& path, std::uint64_t bytes) {
  if (::lseek(file, 0, SEEK_END) < static_cast<off_t>(bytes)) {
    throw Error(ErrorCode::corrupt,
                path + ": shorter than its record says; remove it to start anew");
  }
  if (::ftruncate(file, static_cast<off_t>(bytes)) != 0) fail(path, "cannot be cut");
  ::lseek(file, static_cast<off_t>(bytes), SEEK_SET);
}

void write_all(int file, const std::string& path, const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(file, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot write");
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

}  // namespace

PartialRows::PartialRows(std::string output, std::size_t dim, const nlohmann::json& settings)
    : output_(std::move(output)), dim_(dim), settings_(settings) {
  data_ = open_part(part(""));
  if (::flock(data_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(data_, -1));
    throw Error(ErrorCode::invalid_argument, part("") + ": another process is writing it");
  }
  labels_ = open_part(part(".labels"));
  const std::string record = part(".json");
  if (std::filesystem::exists(record)) {
    const Json json = Json::read(record);
    if (json.required("settings").raw() != settings_) {
      throw Error(ErrorCode::invalid_argument,
                  record + ": begun with another model, input or options; remove " + part("*") +
                      " to start anew");
    }
    rows_ = json.whole("rows", 0, std::size_t{1} << 48);
    label_bytes_ = json.whole("label_bytes", 0, std::size_t{1} << 48);
    state_ = json.member("state").raw();
    recorded_ = rows_;
  }
  cut(data_, part(""), rows_ * dim_ * sizeof(float));
  cut(labels_, part(".labels"), label_bytes_);
}

PartialRows::~PartialRows() {
  if (rows_ == 0) remove_parts();
  try {
    if (recorded_ < rows_) write_record();
  } catch (const std::exception&) {
    // A full disk, say: the next run goes on from the record before.
  }
  if (data_ >= 0) ::close(data_);
  if (labels_ >= 0) ::close(labels_);
}

void PartialRows::append(MatrixView<const float> rows, const std::vector<std::string>& labels,
                         const nlohmann::json& state) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    write_all(data_, part(""), rows.row(i), dim_ * sizeof(float));
  }
  std::string lines;
  for (const std::string& label : labels) lines += label + '\n';
  write_all(labels_, part(".labels"), lines.data(), lines.size());
  rows_ += rows.rows();
  label_bytes_ += lines.size();
  state_ = state;
  constexpr std::chrono::seconds kBetween(1);
  if (std::chrono::steady_clock::now() - last_record_ >= kBetween) write_record();
}

void PartialRows::write_record() {
  if (::fdatasync(data_) != 0) fail(part(""), "cannot sync");
  if (::fdatasync(labels_) != 0) fail(part(".labels"), "cannot sync");
  const nlohmann::json record = {
      {"settings", settings_}, {"rows", rows_}, {"label_bytes", label_bytes_}, {"state", state_}};
  write_text(part(".json"), record.dump(2) + "\n");
  recorded_ = rows_;
  last_record_ = std::chrono::steady_clock::now();
}

void PartialRows::finish(const Control& control) {
  {
    const auto rows = map();
    rows->advise_sequential();
    formats::Input names;
    const auto file = MappedFile::open(part(".labels"));
    names.name = part(".labels");
    names.bytes = file->bytes();
    const Labels labels = label_bytes_ == 0 ? Labels() : formats::parse_labels(names, rows_);
    WriteOptions options;
    options.control = control;
    write_vectors(output_, view(*rows), labels, options);
  }
  discard();
}

void PartialRows::discard() {
  remove_parts();
  recorded_ = rows_;
}

void PartialRows::remove_parts() const {
  for (const char* end : {".json", ".labels", ""}) ::unlink(part(end).c_str());
}

}  // namespace kith::cli

// Rows of vectors that take long to make, kept beside the file they are for, so that an interrupted
// run goes on where it was: OUT.partial holds rows, OUT.partial.labels their labels and
// OUT.partial.json how many of each count, with what the maker wants to find again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith::cli {

class PartialRows {
 public:
  // Goes on with what is there, or starts. `settings` tell what the rows are made of. Throws
  // invalid_argument when what is there was made with others, or when another process is at it; io.
  PartialRows(std::string output, std::size_t dim, const nlohmann::json& settings);
  // Records what there is, unless it is finished or nothing.
  ~PartialRows();
  PartialRows(const PartialRows&) = delete;
  PartialRows& operator=(const PartialRows&) = delete;

  const std::string& output() const { return output_; }
  std::size_t rows() const { return rows_; }
  // What the maker gave with the last rows; null at the start.
  const nlohmann::json& state() const { return state_; }

  // Appends rows, with one label each or none at all, or where finish() isn't used any lines. Once
  // a second they are made to outlive a crash.
  void append(MatrixView<const float> rows, const std::vector<std::string>& labels,
              const nlohmann::json& state);

  // Writes the file, by its extension, and removes the parts.
  void finish(const Control& control);

  // For makers that write something else of them: what there is outlives a crash from now on; the
  // rows so far, mapped; and their end without a file.
  void keep() { write_record(); }
  std::shared_ptr<const MappedFile> map() const { return MappedFile::open(part("")); }
  std::shared_ptr<const MappedFile> map_labels() const { return MappedFile::open(part(".labels")); }
  MatrixView<const float> view(const MappedFile& mapped) const {
    return {reinterpret_cast<const float*>(mapped.bytes().data()), rows_, dim_};
  }
  void discard();

 private:
  std::string part(const char* end) const { return output_ + ".partial" + end; }
  void write_record();
  void remove_parts() const;

  std::string output_;
  std::size_t dim_, rows_ = 0, recorded_ = 0;
  std::chrono::steady_clock::time_point last_record_ = std::chrono::steady_clock::now();
  std::uint64_t label_bytes_ = 0;
  nlohmann::json settings_, state_;
  int data_ = -1, labels_ = -1;
};

}  // namespace kith::cli

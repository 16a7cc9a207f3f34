// What `kith ingest` keeps on disk while it works, in a folder beside the collection to be: so that
// memory doesn't grow with the texts, and an interrupted run goes on.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "base/mapped_file.h"

namespace kith::cli {

// Bytes that are written one after the other and then mapped.
class Spool {
 public:
  explicit Spool(std::string path);
  void append(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  // All of them; nothing is appended afterwards.
  std::shared_ptr<const MappedFile> map();

 private:
  void check() const;

  std::string path_;
  std::ofstream file_;
  std::uint64_t size_ = 0;
};

// The folder COLLECTION.partial. When it goes, so does what a later run can't use; all of it where
// no vectors were recorded.
class Staging {
 public:
  explicit Staging(const std::string& collection);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // This process is the one that works in it. Makes the folder result() anew.
  void own();
  std::string path(const char* name) const { return folder_ + "/" + name; }
  const std::string& folder() const { return folder_; }
  // The vectors' file, as PartialRows takes its name.
  std::string vectors() const { return path("vectors"); }
  // The folder that becomes the collection.
  std::string result() const { return path("collection"); }
  // Gives it the collection's name, at once; what had that name goes.
  void put_in_place();

 private:
  std::string collection_, folder_;
  bool own_ = false;
};

}  // namespace kith::cli

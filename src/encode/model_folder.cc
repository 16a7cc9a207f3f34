#include "encode/model_folder.h"

#include <unistd.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "base/folder_path.h"
#include "formats/tensors.h"
#include "kith/error.h"

namespace kith::encode {

namespace fs = std::filesystem;

NewFolder::NewFolder(const std::string& path) {
  path_ = folder_path(path).string();
  std::error_code error;
  if (fs::exists(path_, error) && !(fs::is_directory(path_, error) && fs::is_empty(path_, error))) {
    throw Error(ErrorCode::invalid_argument,
                path_ + ": exists already, expected the name of a new folder");
  }
  temporary_ = path_ + ".tmp-" + std::to_string(::getpid());
  if (!fs::create_directories(temporary_, error)) {
    throw Error(ErrorCode::io, temporary_ + ": cannot be made: " + error.message());
  }
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

std::string NewFolder::file(const std::string& name) const {
  const fs::path path = fs::path(temporary_) / name;
  fs::create_directories(path.parent_path());
  return path.string();
}

void NewFolder::commit() {
  std::error_code error;
  fs::rename(temporary_, path_, error);
  if (error) throw Error(ErrorCode::io, path_ + ": cannot be made: " + error.message());
  temporary_.clear();
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  write_text(path, json.dump(2) + "\n");
}

void write_tensors(const std::string& path, const std::vector<NamedTensor>& tensors) {
  AtomicFile file(path);
  formats::TensorHeaderWriter header;
  for (const NamedTensor& tensor : tensors) {
    header.add(tensor.name, "F32", tensor.shape, tensor.values.size_bytes());
  }
  header.write(file);
  for (const NamedTensor& tensor : tensors) {
    file.write(tensor.values.data(), tensor.values.size_bytes());
  }
  file.commit();
}

void write_modules(const NewFolder& folder, const std::vector<Module>& modules) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const auto add = [&](const std::string& type, const std::string& path) {
    list.push_back({{"idx", list.size()},
                    {"name", std::to_string(list.size())},
                    {"path", path},
                    {"type", type}});
  };
  for (const Module& module : modules) add(module.type, module.folder);
  write_json(folder.file("modules.json"), list);
}

}  // namespace kith::encode

// Writing a model folder: all of it or nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace kith::encode {

// Files go to a folder of another name beside the wanted one, which commit() renames; without it
// they are removed.
class NewFolder {
 public:
  // Throws invalid_argument when `path` exists and is no empty folder, io when none can be made.
  explicit NewFolder(const std::string& path);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  // Where a file belongs; makes the folders above it.
  std::string file(const std::string& name) const;
  void commit();

 private:
  std::string path_, temporary_;
};

void write_text(const std::string& path, const std::string& text);
void write_json(const std::string& path, const nlohmann::ordered_json& json);

struct NamedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::span<const float> values;
};
// A safetensors file, in F32.
void write_tensors(const std::string& path, const std::vector<NamedTensor>& tensors);

// What follows a transformer in modules.json.
struct Module {
  std::string type;    // "sentence_transformers.models.Pooling"
  std::string folder;  // which the caller fills
};
// modules.json of a sentence-transformers folder.
void write_modules(const NewFolder& folder, const std::vector<Module>& modules);

}  // namespace kith::encode

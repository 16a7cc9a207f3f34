#include "learn/train/checkpoint.h"

#include <cstring>
#include <sstream>

#include "formats/kith_file.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr std::uint64_t kMostSteps = 1'000'000'000'000;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint,
                      const Control& control) {
  Meta meta;
  meta.set("kind", std::string("training"));
  meta.set("step", static_cast<std::uint64_t>(checkpoint.step));
  // A line a tensor: its name and shape; the values lie one behind the other in "values".
  std::string list;
  std::vector<float> values;
  for (const Parameter& each : checkpoint.tensors) {
    const at::Tensor flat = each.value.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    list += each.name;
    for (const std::int64_t extent : flat.sizes()) list += ' ' + std::to_string(extent);
    list += '\n';
    values.insert(values.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  KithFileWriter file;
  file.add_text("meta", meta.text());
  file.add_text("recipe", checkpoint.recipe);
  file.add_text("progress", checkpoint.progress);
  file.add_text("task", checkpoint.task);
  file.add_text("tensors", std::move(list));
  file.add_array("values", std::span<const float>(values));
  file.write(path, control);
}

Checkpoint read_checkpoint(const std::string& path, const Control& control) {
  const KithFileReader file = KithFileReader::open(path, true, control);
  const Meta meta = file.meta();
  if (!meta.has("kind") || meta.string("kind") != "training") file.fail("not a training's state");
  Checkpoint checkpoint;
  checkpoint.step = static_cast<std::int64_t>(meta.number("step", kMostSteps));
  checkpoint.recipe = text_of(file.bytes("recipe"));
  checkpoint.progress = text_of(file.bytes("progress"));
  checkpoint.task = text_of(file.bytes("task"));
  const std::span<const std::byte> values = file.bytes("values");
  std::istringstream list(text_of(file.bytes("tensors")));
  std::size_t at = 0;
  for (std::string line; std::getline(list, line);) {
    std::istringstream parts(line);
    std::string name;
    parts >> name;
    std::vector<std::int64_t> shape;
    std::uint64_t bytes = sizeof(float);
    for (std::int64_t extent = 0; parts >> extent;) {
      shape.push_back(extent);
      if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) {
        file.fail("tensor '" + name + "' has no such size");
      }
    }
    if (bytes > values.size() - at) file.fail("tensor '" + name + "' is cut off");
    at::Tensor tensor = torch::empty(shape);
    std::memcpy(tensor.data_ptr<float>(), values.data() + at, bytes);
    at += bytes;
    checkpoint.tensors.add(name, tensor);
  }
  if (at != values.size()) file.fail("values that belong to no tensor");
  return checkpoint;
}

}  // namespace kith::learn

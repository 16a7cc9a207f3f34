#include "cli/onnx_session.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "kith/error.h"

namespace kith::cli {
namespace {

// onnxruntime's C interface is a table of functions whose order is fixed for good. These are the
// places of those that are used here.
enum class Entry : std::size_t {
  error_message = 2,
  create_environment = 3,
  create_session = 7,
  run = 9,
  create_options = 10,
  set_optimization = 23,
  set_threads = 24,
  input_count = 30,
  create_tensor = 49,
  tensor_data = 51,
  create_memory_info = 69,
  release_environment = 92,
  release_status = 93,
  release_memory_info = 94,
  release_session = 95,
  release_value = 96,
  release_options = 100,
};

using Status = void*;  // null: all went well
using Object = void*;

struct ApiBase {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

constexpr std::uint32_t kApiVersion = 1;
constexpr int kWarnings = 2, kOptimizeAll = 99, kArena = 1, kDefaultMemory = 0, kInt64 = 7;

// Of a batch: row-major, padded behind.
struct Padded {
  std::vector<std::int64_t> ids, mask, types;
  std::int64_t shape[2];
};

Padded padded(std::span<const TokenSequence> sequences) {
  std::size_t longest = 0;
  for (const TokenSequence& each : sequences) longest = std::max(longest, each.ids.size());
  Padded batch;
  const std::size_t cells = sequences.size() * longest;
  batch.ids.resize(cells);
  batch.mask.resize(cells);
  batch.types.resize(cells);
  batch.shape[0] = static_cast<std::int64_t>(sequences.size());
  batch.shape[1] = static_cast<std::int64_t>(longest);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const TokenSequence& each = sequences[s];
    for (std::size_t i = 0; i < each.ids.size(); ++i) {
      batch.ids[s * longest + i] = each.ids[i];
      batch.mask[s * longest + i] = 1;
      if (!each.types.empty()) batch.types[s * longest + i] = each.types[i];
    }
  }
  return batch;
}

}  // namespace

struct OnnxSession::State {
  const ApiBase* base = nullptr;
  void* const* table = nullptr;
  Object environment = nullptr, options = nullptr, session = nullptr, memory = nullptr;
  bool has_types = false;

  template <class... Arguments>
  Status call(Entry entry, Arguments... arguments) const {
    using Function = Status (*)(Arguments...);
    return reinterpret_cast<Function>(table[static_cast<std::size_t>(entry)])(arguments...);
  }

  template <class... Arguments>
  void check(Entry entry, Arguments... arguments) const {
    const Status status = call(entry, arguments...);
    if (status == nullptr) return;
    using Message = const char* (*)(Status);
    const auto message =
        reinterpret_cast<Message>(table[static_cast<std::size_t>(Entry::error_message)]);
    const std::string words = message(status);
    release(Entry::release_status, status);
    throw Error(ErrorCode::corrupt, "onnxruntime: " + words);
  }

  void release(Entry entry, Object object) const {
    if (object == nullptr) return;
    using Function = void (*)(Object);
    reinterpret_cast<Function>(table[static_cast<std::size_t>(entry)])(object);
  }

  Object tensor(std::vector<std::int64_t>& values, const std::int64_t* shape) const {
    Object value = nullptr;
    check(Entry::create_tensor, memory, static_cast<void*>(values.data()),
          values.size() * sizeof(std::int64_t), shape, std::size_t{2}, kInt64, &value);
    return value;
  }

  ~State() {
    if (table == nullptr) return;
    release(Entry::release_memory_info, memory);
    release(Entry::release_session, session);
    release(Entry::release_options, options);
    release(Entry::release_environment, environment);
  }
};

OnnxSession::OnnxSession(const std::string& library, const std::string& model, std::size_t threads)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  void* loaded = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (loaded == nullptr) throw Error(ErrorCode::not_found, ::dlerror());
  using Base = const ApiBase* (*)();
  const auto base = reinterpret_cast<Base>(::dlsym(loaded, "OrtGetApiBase"));
  if (base != nullptr) s.base = base();
  if (s.base != nullptr) s.table = s.base->table(kApiVersion);
  if (s.table == nullptr) {
    throw Error(ErrorCode::corrupt, library +
                                        ": not onnxruntime's library, or one without version " +
                                        std::to_string(kApiVersion) + " of its interface");
  }
  s.check(Entry::create_environment, kWarnings, static_cast<const char*>("kith"), &s.environment);
  s.check(Entry::create_options, &s.options);
  s.check(Entry::set_optimization, s.options, kOptimizeAll);
  s.check(Entry::set_threads, s.options, static_cast<int>(threads));
  s.check(Entry::create_session, s.environment, model.c_str(), s.options, &s.session);
  s.check(Entry::create_memory_info, kArena, kDefaultMemory, &s.memory);
  std::size_t inputs = 0;
  s.check(Entry::input_count, s.session, &inputs);
  s.has_types = inputs == 3;
}

OnnxSession::~OnnxSession() = default;

std::string OnnxSession::version() const { return state_->base->version(); }

Matrix<float> OnnxSession::encode(std::span<const TokenSequence> sequences, std::size_t dim) const {
  const State& s = *state_;
  Padded batch = padded(sequences);
  const char* names[] = {"input_ids", "attention_mask", "token_type_ids"};
  const char* output_name[] = {"sentence_embedding"};
  Object inputs[3] = {}, output = nullptr;
  const auto release = [&] {
    for (const Object input : inputs) s.release(Entry::release_value, input);
    s.release(Entry::release_value, output);
  };
  Matrix<float> vectors(sequences.size(), dim);
  try {
    inputs[0] = s.tensor(batch.ids, batch.shape);
    inputs[1] = s.tensor(batch.mask, batch.shape);
    if (s.has_types) inputs[2] = s.tensor(batch.types, batch.shape);
    s.check(Entry::run, s.session, Object(nullptr), static_cast<const char* const*>(names),
            static_cast<const Object*>(inputs), std::size_t{s.has_types ? 3u : 2u},
            static_cast<const char* const*>(output_name), std::size_t{1}, &output);
    void* values = nullptr;
    s.check(Entry::tensor_data, output, &values);
    const auto* from = static_cast<const float*>(values);
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
      std::memcpy(vectors.row(i), from + i * dim, dim * sizeof(float));
    }
  } catch (...) {
    release();
    throw;
  }
  release();
  return vectors;
}

}  // namespace kith::cli

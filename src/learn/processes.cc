#include "learn/processes.h"

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <csignal>
#include <cstring>

#include "kith/error.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr minutes kJoin{10};
// A process that is lost closes its connections; one may mine or validate for long.
constexpr hours kAnswer{48};

c10::intrusive_ptr<c10d::Store> meeting_place(const ProcessPlace& place) {
  if (!place.file.empty()) {
    return c10::make_intrusive<c10d::FileStore>(place.file, static_cast<int>(place.count));
  }
  c10d::TCPStoreOptions options;
  options.port = place.port;
  options.isServer = place.rank == 0;
  options.numWorkers = place.count;
  options.timeout = kJoin;
  return c10::make_intrusive<c10d::TCPStore>(place.address, options);
}

bool is_this_machine(const ProcessPlace& place) {
  return !place.file.empty() || place.address == "localhost" || place.address.starts_with("127.");
}

}  // namespace

struct Processes::State {
  std::size_t rank = 0, count = 1;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group;

  std::string name() const {
    return "process " + std::to_string(rank) + " of " + std::to_string(count);
  }
  // LibTorch's errors hold a stack below their first line.
  template <class Work>
  void run(const Work& work) const {
    try {
      work();
    } catch (const std::exception& error) {
      const std::string reason = error.what();
      throw Error(ErrorCode::io,
                  name() + ": " + kLostOthers + ": " + reason.substr(0, reason.find('\n')));
    }
  }
};

Processes::Processes() : state_(std::make_unique<State>()) {}
Processes::~Processes() = default;

Processes::Processes(const ProcessPlace& place) : Processes() {
  if (place.count < 1 || place.rank >= place.count) {
    refuse("process " + std::to_string(place.rank) + " of " + std::to_string(place.count) +
           ", expected numbers from 0");
  }
  state_->rank = place.rank;
  state_->count = place.count;
  if (place.count == 1) return;
  // Gloo writes to processes that may be gone, which is an error to name and no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  state_->run([&] {
    const auto store = meeting_place(place);
    store->setTimeout(kJoin);
    auto options = c10d::ProcessGroupGloo::Options::create(kAnswer);
    options->devices.push_back(is_this_machine(place)
                                   ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                   : c10d::ProcessGroupGloo::createDefaultDevice());
    state_->group = c10::make_intrusive<c10d::ProcessGroupGloo>(
        store, static_cast<int>(place.rank), static_cast<int>(place.count), options);
  });
}

std::size_t Processes::rank() const { return state_->rank; }
std::size_t Processes::count() const { return state_->count; }

std::vector<std::size_t> Processes::share(std::size_t parts) const {
  std::vector<std::size_t> own;
  for (std::size_t part = rank(); part < parts; part += count()) own.push_back(part);
  return own;
}

void Processes::sum(at::Tensor& values) const {
  if (count() == 1) return;
  std::vector<at::Tensor> sums = {values.cpu().contiguous()};
  state_->run([&] { state_->group->allreduce(sums)->wait(); });
  const torch::NoGradGuard constant;
  if (!sums[0].is_same(values)) values.copy_(sums[0]);
}

void Processes::sum_gradients(const Parameters& trained) const {
  if (count() == 1) return;
  const torch::NoGradGuard constant;
  at::Tensor there = torch::zeros({static_cast<std::int64_t>(trained.size())});
  at::Tensor values = torch::zeros({trained.values()});
  std::int64_t number = 0, at = 0;
  for (const Parameter& each : trained) {
    const std::int64_t size = each.value.numel();
    if (each.value.grad().defined()) {
      there[number] = 1;
      values.narrow(0, at, size).copy_(each.value.grad().flatten());
    }
    ++number;
    at += size;
  }
  sum(there);
  sum(values);
  number = at = 0;
  for (const Parameter& each : trained) {
    const std::int64_t size = each.value.numel();
    if (there[number].item<float>() > 0) {
      at::Tensor value = each.value;
      if (!value.grad().defined()) value.mutable_grad() = torch::empty_like(value);
      value.mutable_grad().copy_(values.narrow(0, at, size).view(value.sizes()));
    }
    ++number;
    at += size;
  }
}

bool Processes::any(bool value) const {
  if (count() == 1) return value;
  at::Tensor votes = torch::full({1}, value ? 1.0f : 0.0f);
  sum(votes);
  return votes.item<float>() > 0;
}

std::string Processes::from_first(const std::string& text) const {
  if (count() == 1) return text;
  at::Tensor size = torch::zeros({1}, torch::kInt64);
  if (is_first()) size[0] = static_cast<std::int64_t>(text.size());
  sum(size);
  at::Tensor bytes = torch::zeros({size.item<std::int64_t>()}, torch::kUInt8);
  if (is_first()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  if (bytes.numel() > 0) sum(bytes);
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

}  // namespace kith::learn

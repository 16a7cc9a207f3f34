#include "base/read_many.h"

#include <linux/io_uring.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "kith/error.h"

namespace kith {
namespace {

constexpr unsigned kDepth = 128;             // reads that one call has under way
constexpr std::size_t kThreads = 32;         // what a pool has instead
constexpr std::size_t kMostAsked = 1 << 30;  // bytes the kernel takes in one read

// What became of a piece: bytes that are there, and an error or 0.
struct Progressed {
  std::size_t done = 0;
  int error = 0;
};

[[noreturn]] void fail(const std::string& file, const ReadPiece& piece, const Progressed& seen) {
  std::string message = file + ": cannot read " + std::to_string(piece.bytes) + " bytes at byte " +
                        std::to_string(piece.offset) + ": ";
  message += seen.error != 0 ? std::strerror(seen.error)
                             : "the file ends at byte " + std::to_string(piece.offset + seen.done);
  throw Error(ErrorCode::io, message);
}

Progressed read_piece(int fd, const ReadPiece& piece) {
  Progressed seen;
  while (seen.done < piece.bytes) {
    const ssize_t n =
        ::pread(fd, piece.to + seen.done, std::min(piece.bytes - seen.done, kMostAsked),
                static_cast<off_t>(piece.offset + seen.done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) seen.error = errno;
    if (n <= 0) break;
    seen.done += static_cast<std::size_t>(n);
  }
  return seen;
}

void read_in_turn(int fd, const std::string& file, std::span<const ReadPiece> pieces) {
  for (const ReadPiece& piece : pieces) {
    const Progressed seen = read_piece(fd, piece);
    if (seen.done < piece.bytes) fail(file, piece, seen);
  }
}

// A submission and a completion queue shared with the kernel (io_uring(7)). For one thread at a
// time.
class Ring {
 public:
  // Check valid() before anything else; error() says why it isn't.
  Ring() {
    io_uring_params params{};
    fd_ = static_cast<int>(::syscall(__NR_io_uring_setup, kDepth, &params));
    if (fd_ < 0) {
      error_ = errno;
      return;
    }
    // The first came with Linux 5.4, the second with 5.6, as did the operation that is used here.
    constexpr unsigned kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_RW_CUR_POS;
    if ((params.features & kNeeded) != kNeeded) {
      error_ = ENOSYS;
      return;
    }
    ring_bytes_ = std::max(params.sq_off.array + params.sq_entries * sizeof(unsigned),
                           params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    sqe_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
    ring_ = map(ring_bytes_, IORING_OFF_SQ_RING);
    sqes_ = map(sqe_bytes_, IORING_OFF_SQES);
    if (ring_ == nullptr || sqes_ == nullptr) return;
    auto* const base = static_cast<std::byte*>(ring_);
    const auto at = [&](unsigned offset) { return reinterpret_cast<unsigned*>(base + offset); };
    sq_tail_ = at(params.sq_off.tail);
    sq_mask_ = *at(params.sq_off.ring_mask);
    sq_array_ = at(params.sq_off.array);
    cq_head_ = at(params.cq_off.head);
    cq_tail_ = at(params.cq_off.tail);
    cq_mask_ = *at(params.cq_off.ring_mask);
    cqes_ = reinterpret_cast<io_uring_cqe*>(base + params.cq_off.cqes);
  }
  ~Ring() {
    if (sqes_ != nullptr) ::munmap(sqes_, sqe_bytes_);
    if (ring_ != nullptr) ::munmap(ring_, ring_bytes_);
    if (fd_ >= 0) ::close(fd_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  bool valid() const { return error_ == 0; }
  int error() const { return error_; }

  // Reads all pieces, or all that can be: seen[i] is what became of piece i. Returns false where
  // the ring can't be used any more; nothing is under way then either.
  bool read(int fd, std::span<const ReadPiece> pieces, std::vector<Progressed>& seen) {
    std::vector<std::size_t> again;  // pieces of which a part came
    std::size_t next = 0;
    unsigned waiting = 0, under_way = 0;  // queued but not handed over; handed over
    bool usable = true;
    while (usable || under_way > 0) {
      while (usable && waiting + under_way < kDepth && (next < pieces.size() || !again.empty())) {
        std::size_t piece = next;
        if (again.empty()) {
          ++next;
        } else {
          piece = again.back();
          again.pop_back();
        }
        queue(fd, pieces[piece], seen[piece].done, piece);
        ++waiting;
      }
      if (waiting + under_way == 0) break;
      if (usable) {
        const long taken = ::syscall(__NR_io_uring_enter, fd_, waiting, 1U, IORING_ENTER_GETEVENTS,
                                     nullptr, std::size_t{0});
        if (taken >= 0) {
          waiting -= static_cast<unsigned>(taken);
          under_way += static_cast<unsigned>(taken);
        } else if (errno != EINTR && errno != EAGAIN && errno != EBUSY) {
          usable = false;
        }
      } else {
        ::sched_yield();  // what is under way writes to the pieces: wait for it
      }
      under_way -= reap(pieces, seen, again);
    }
    return usable;
  }

 private:
  void* map(std::size_t bytes, off_t what) {
    void* const mapped =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, what);
    if (mapped != MAP_FAILED) return mapped;
    error_ = errno;
    return nullptr;
  }

  void queue(int fd, const ReadPiece& piece, std::size_t done, std::size_t number) {
    const unsigned tail = *sq_tail_;  // only this side moves it
    const unsigned slot = tail & sq_mask_;
    io_uring_sqe& entry = static_cast<io_uring_sqe*>(sqes_)[slot];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_READ;
    entry.fd = fd;
    entry.off = piece.offset + done;
    entry.addr = reinterpret_cast<std::uint64_t>(piece.to + done);
    entry.len = static_cast<std::uint32_t>(std::min(piece.bytes - done, kMostAsked));
    entry.user_data = number;
    sq_array_[slot] = slot;
    std::atomic_ref(*sq_tail_).store(tail + 1, std::memory_order_release);
  }

  unsigned reap(std::span<const ReadPiece> pieces, std::vector<Progressed>& seen,
                std::vector<std::size_t>& again) {
    unsigned head = *cq_head_, count = 0;
    const unsigned tail = std::atomic_ref(*cq_tail_).load(std::memory_order_acquire);
    for (; head != tail; ++head, ++count) {
      const io_uring_cqe& entry = cqes_[head & cq_mask_];
      const auto piece = static_cast<std::size_t>(entry.user_data);
      const int result = entry.res;
      if (result > 0) seen[piece].done += static_cast<std::size_t>(result);
      if (result < 0 && result != -EINTR && result != -EAGAIN) seen[piece].error = -result;
      const bool more = result != 0 && seen[piece].error == 0;
      if (more && seen[piece].done < pieces[piece].bytes) again.push_back(piece);
    }
    std::atomic_ref(*cq_head_).store(head, std::memory_order_release);
    return count;
  }

  int fd_ = -1, error_ = 0;
  void *ring_ = nullptr, *sqes_ = nullptr;
  std::size_t ring_bytes_ = 0, sqe_bytes_ = 0;
  unsigned *sq_tail_ = nullptr, *sq_array_ = nullptr, *cq_head_ = nullptr, *cq_tail_ = nullptr;
  unsigned sq_mask_ = 0, cq_mask_ = 0;
  io_uring_cqe* cqes_ = nullptr;
};

// A ring a call, handed out and taken back.
class RingReads : public ManyReads {
 public:
  RingReads(int fd, std::string file, std::unique_ptr<Ring> first)
      : fd_(fd), file_(std::move(file)) {
    free_.push_back(std::move(first));
  }

  std::string_view way() const override { return "io_uring"; }

  void read(std::span<const ReadPiece> pieces) override {
    if (pieces.size() <= 1) return read_in_turn(fd_, file_, pieces);
    std::unique_ptr<Ring> ring = take();
    if (!ring->valid()) return read_in_turn(fd_, file_, pieces);  // so many rings aren't granted
    std::vector<Progressed> seen(pieces.size());
    if (!ring->read(fd_, pieces, seen)) return read_in_turn(fd_, file_, pieces);
    give(std::move(ring));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (seen[i].done < pieces[i].bytes) fail(file_, pieces[i], seen[i]);
    }
  }

 private:
  std::unique_ptr<Ring> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<Ring> ring = std::move(free_.back());
        free_.pop_back();
        return ring;
      }
    }
    return std::make_unique<Ring>();
  }
  void give(std::unique_ptr<Ring> ring) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(ring));
  }

  int fd_;
  std::string file_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Ring>> free_;
};

// Threads that wait for calls; each call's pieces are shared by all that are free, the caller too.
class ThreadReads : public ManyReads {
 public:
  ThreadReads(int fd, std::string file) : fd_(fd), file_(std::move(file)) {}
  ~ThreadReads() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::string_view way() const override { return "threads"; }

  void read(std::span<const ReadPiece> pieces) override {
    if (pieces.size() <= 1) return read_in_turn(fd_, file_, pieces);
    const auto call = std::make_shared<Call>(pieces);
    {
      const std::lock_guard lock(mutex_);
      while (threads_.size() < std::min(kThreads, pieces.size() - 1)) {
        threads_.emplace_back([this] { work(); });
      }
      calls_.push_back(call);
    }
    changed_.notify_all();
    help(*call);
    std::unique_lock lock(call->mutex);
    call->ended.wait(lock, [&] { return call->left == 0; });
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (call->seen[i].done < pieces[i].bytes) fail(file_, pieces[i], call->seen[i]);
    }
  }

 private:
  struct Call {
    explicit Call(std::span<const ReadPiece> asked)
        : pieces(asked), seen(asked.size()), left(asked.size()) {}
    std::span<const ReadPiece> pieces;
    std::vector<Progressed> seen;
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable ended;
    std::size_t left;
  };

  void help(Call& call) {
    for (;;) {
      const std::size_t piece = call.next.fetch_add(1);
      if (piece >= call.seen.size()) return;
      call.seen[piece] = read_piece(fd_, call.pieces[piece]);
      const std::lock_guard lock(call.mutex);
      if (--call.left == 0) call.ended.notify_all();
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || !calls_.empty(); });
      if (stop_) return;
      const std::shared_ptr<Call> call = calls_.front();
      lock.unlock();
      help(*call);
      lock.lock();
      std::erase(calls_, call);  // all of its pieces are taken
    }
  }

  int fd_;
  std::string file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Call>> calls_;
  std::vector<std::thread> threads_;
  bool stop_ = false;
};

}  // namespace

ReadWay parse_read_way(std::string_view name) {
  if (name.empty()) {
    const char* const said = std::getenv("KITH_DISK_READER");
    if (said != nullptr && *said != '\0') name = said;
  }
  if (name.empty() || name == "auto") return ReadWay::automatic;
  if (name == "io_uring") return ReadWay::io_uring;
  if (name == "threads") return ReadWay::threads;
  throw Error(ErrorCode::invalid_argument,
              "disk reader '" + std::string(name) + "', expected auto, io_uring or threads");
}

std::unique_ptr<ManyReads> ManyReads::make(int fd, const std::string& file, ReadWay way) {
  if (way != ReadWay::threads) {
    auto ring = std::make_unique<Ring>();
    if (ring->valid()) return std::make_unique<RingReads>(fd, file, std::move(ring));
    if (way == ReadWay::io_uring) {
      throw Error(ErrorCode::unsupported, std::string("io_uring: the system refuses it (") +
                                              std::strerror(ring->error()) +
                                              "), expected disk reader threads or auto");
    }
  }
  return std::make_unique<ThreadReads>(fd, file);
}

}  // namespace kith

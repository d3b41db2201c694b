#include "io/remote/transfer.hpp"

#include <weft/remote.hpp>
#include <weft/this_task.hpp>

#include "io/files/open_file.hpp"

#if WEFT_HAS_CURL
#include "io/remote/exchange.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace weft::io {
namespace remote {
namespace {

thread_local int kept_slots = 0;

}  // namespace

KeepSlot::KeepSlot() { ++kept_slots; }
KeepSlot::~KeepSlot() { --kept_slots; }

}  // namespace remote

bool can_read_remote() { return remote::curl() != nullptr; }

namespace remote {
namespace {

using Clock = std::chrono::steady_clock;

/// Requests of one call that are on their way at once, and calls of this process.
constexpr std::size_t kAtOnce = 8, kCalls = 16;

/// Handles that keep their connections open for the next call.
/// Owns: the handles.  Threading: any thread.
class Lines {
 public:
  CURLM* take() {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return !free_.empty() || made_ < kCalls; });
    if (!free_.empty()) {
      CURLM* const line = free_.back();
      free_.pop_back();
      return line;
    }
    ++made_;
    return curl()->multi_init();
  }
  void give(CURLM* line) {
    {
      const std::scoped_lock lock(mutex_);
      free_.push_back(line);
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<CURLM*> free_;
  std::size_t made_ = 0;
};

Lines& lines() {
  static Lines& all = *new Lines;  // never destroyed: tasks may still run while the process ends
  return all;
}

/// The requests of one call.
/// Owns: its exchanges, and a line while it lives.  Threading: one thread.
class Batch {
 public:
  Batch(std::span<const Request> requests, std::vector<Reply>& replies) : line_(lines().take()) {
    if (line_ == nullptr) fail(requests[0].path, "cannot be reached: there is no memory");
    for (std::size_t i = 0; i < requests.size(); ++i) {
      waiting_.push_back({Clock::time_point{}, std::make_unique<Exchange>(requests[i], replies[i])});
    }
  }
  ~Batch() {
    for (const auto& one : active_) curl()->multi_remove(line_, one->handle());
    active_.clear();
    lines().give(line_);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void run() {
    while (!waiting_.empty() || !active_.empty()) {
      start();
      int running = 0, left = 0;
      curl()->multi_perform(line_, &running);
      bool ended = false;
      while (const CURLMsg* const message = curl()->multi_read(line_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        finish(message->easy_handle, message->data.result);
        ended = true;
      }
      if (!ended) wait();
    }
  }

 private:
  struct Waiting {
    Clock::time_point due;
    std::unique_ptr<Exchange> exchange;
  };

  void start() {
    const Clock::time_point now = Clock::now();
    for (auto at = waiting_.begin(); at != waiting_.end() && active_.size() < kAtOnce;) {
      if (at->due > now) {
        ++at;
        continue;
      }
      active_.push_back(std::move(at->exchange));
      at = waiting_.erase(at);
      curl()->multi_add(line_, active_.back()->begin());
    }
  }

  void finish(CURL* handle, CURLcode code) {
    const auto found =
        std::find_if(active_.begin(), active_.end(), [&](const auto& one) { return one->handle() == handle; });
    curl()->multi_remove(line_, handle);
    std::unique_ptr<Exchange> exchange = std::move(*found);
    active_.erase(found);
    if (!exchange->end(code)) waiting_.push_back({Clock::now() + exchange->pause(), std::move(exchange)});
  }

  /// Until something comes, or something is due again.
  void wait() {
    Clock::time_point next = Clock::now() + std::chrono::seconds(1);
    if (active_.size() < kAtOnce) {
      for (const Waiting& one : waiting_) next = std::min(next, one.due);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    if (left.count() <= 0) return;
    if (active_.empty()) return std::this_thread::sleep_for(left);
    curl()->multi_poll(line_, nullptr, 0, static_cast<int>(left.count()), nullptr);
  }

  CURLM* const line_;
  std::deque<Waiting> waiting_;
  std::vector<std::unique_ptr<Exchange>> active_;
};

}  // namespace

std::vector<Reply> perform(std::span<const Request> requests) {
  std::vector<Reply> replies(requests.size());
  if (requests.empty()) return replies;
  if (curl() == nullptr) {
    fail(requests[0].path, "cannot be reached: this machine has no libcurl (libcurl4, libcurl, spack install curl)");
  }
  const auto send = [&] { Batch(requests, replies).run(); };
  // A slot whose task waits for the network runs another; of these so many that their results do not fill the memory.
  static std::atomic<std::size_t> seceded{0};
  const bool may = kept_slots == 0 && this_task::running();
  if (!may || seceded.fetch_add(1) >= kCalls) {
    if (may) seceded.fetch_sub(1);
    send();
    return replies;
  }
  struct Back {
    ~Back() { seceded.fetch_sub(1); }
  } back;
  this_task::secede(send);
  return replies;
}

}  // namespace remote
}  // namespace weft::io

#else

namespace weft::io {

bool can_read_remote() { return false; }

namespace remote {

KeepSlot::KeepSlot() = default;
KeepSlot::~KeepSlot() = default;

std::vector<Reply> perform(std::span<const Request> requests) {
  if (requests.empty()) return {};
  fail(requests[0].path,
       "cannot be reached: this build of weft has no libcurl (libcurl4-openssl-dev when it is built)");
}

}  // namespace remote
}  // namespace weft::io

#endif

namespace weft::io::remote {

Reply perform_one(const Request& request) { return std::move(perform({&request, 1})[0]); }

}  // namespace weft::io::remote

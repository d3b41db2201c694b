#include "gpu/memory/host_room.hpp"

#include "gpu/memory/store.hpp"

#include <weft/log.hpp>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <span>
#include <utility>

namespace weft::gpu::detail {
namespace {

const logging::Room kLog("gpu");

/// From this part of the limit on the disk is at work.
constexpr double kMark = 0.75;

Buffer host_buffer(std::size_t bytes) {
  try {
    return Buffer::allocate(bytes, pinned_memory());
  } catch (const MemoryError&) {
    return Buffer::allocate(bytes);
  }
}

}  // namespace

HostRoom::~HostRoom() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void HostRoom::set_limits(HostLimits limits) {
  limits_ = std::move(limits);
  known_ = true;
  wake_.notify_all();
}

void HostRoom::ensure_limits() {
  if (!known_) set_limits(host_limits());
}

bool HostRoom::above() const {
  return static_cast<double>(used_) > kMark * static_cast<double>(limits_.bytes) || used_ + asked_ > limits_.bytes;
}

/// Returns what is to go next: the longest evicted that nobody wants; null where nothing can go.
Entry* HostRoom::next() const {
  if (broken_ || !limits_.directory.usable()) return nullptr;
  const auto idle =
      std::find_if(copies_.begin(), copies_.end(), [](const Entry* one) { return one->wanted == 0 && !one->moving; });
  return idle == copies_.end() ? nullptr : *idle;
}

bool HostRoom::needs_room(const Entry& entry) {
  return !entry.counted && !entry.kept.valid() && (!entry.host_valid || entry.host.unique());
}

bool HostRoom::takes(std::size_t bytes) {
  if (bytes == 0) return true;
  ensure_limits();
  if (used_ + bytes <= limits_.bytes) return true;
  const auto moves = [](const Entry* one) { return one->moving; };
  // Rather too much memory than a work that waits for ever.
  if (next() == nullptr && std::none_of(copies_.begin(), copies_.end(), moves)) return true;
  asked_ = std::max(asked_, bytes);
  wake_.notify_all();
  return false;
}

void HostRoom::add(Entry& entry) {
  if (entry.counted || !entry.host.unique()) return;
  ensure_limits();
  entry.counted = true;
  entry.host_place = copies_.insert(copies_.end(), &entry);
  used_ += entry.size;
  asked_ = 0;
  if (!thread_.joinable() && limits_.directory.usable()) thread_ = std::thread([this] { work(); });
  wake_.notify_all();
}

void HostRoom::forget(Entry& entry) {
  copies_.erase(entry.host_place);
  used_ -= entry.size;
  entry.counted = false;
  entry.host = {};
  entry.host_valid = false;
}

void HostRoom::leave(Entry& entry, Lock& lock) noexcept {
  changed_.wait(lock, [&] { return !entry.moving; });
  if (entry.counted) {
    copies_.erase(entry.host_place);
    used_ -= entry.size;
    entry.counted = false;
  }
  if (entry.kept.valid()) file_->free(std::exchange(entry.kept, {}));
}

void HostRoom::bring_back(Entry& entry, Lock& lock) {
  changed_.wait(lock, [&] { return !entry.moving; });
  if (entry.host_valid || entry.device != nullptr || !entry.kept.valid()) return;
  entry.moving = true;
  lock.unlock();
  try {
    Buffer bytes = host_buffer(entry.size);
    file_->read(entry.kept, {bytes.data(), bytes.size()});
    lock.lock();
    entry.host = std::move(bytes);
    entry.host_valid = true;
    entry.downloaded = {};
    add(entry);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    entry.moving = false;
    changed_.notify_all();
    throw;
  }
  entry.moving = false;
  changed_.notify_all();
}

void HostRoom::work() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "weft gpu disk");
  Lock lock(mutex_);
  while (!ending_) {
    Entry* const entry = above() ? next() : nullptr;
    if (entry == nullptr) {
      wake_.wait(lock);
      continue;
    }
    if (entry->device == nullptr && !entry->kept.valid() && !write(*entry, lock)) continue;
    if (entry->wanted == 0) forget(*entry);
    changed_.notify_all();
    moved_();
  }
}

/// Returns whether the bytes are on disk now. Without the mutex while they move.
bool HostRoom::write(Entry& entry, Lock& lock) {
  entry.moving = true;
  const Buffer bytes = entry.host;
  const Event downloaded = entry.downloaded;
  lock.unlock();
  SpillTicket ticket;
  std::string problem;
  try {
    if (file_ == nullptr)
      file_ = std::make_unique<SpillFile>(SpillFileOptions{.directory = limits_.directory.path, .disk = limits_.disk});
    if (driver_.synchronize(downloaded) == EventState::Reached)
      ticket = file_->write(std::span(bytes.data(), bytes.size()));
    else
      problem = "the device failed";
  } catch (const Error& error) {
    problem = error.what();
  }
  lock.lock();
  entry.moving = false;
  entry.kept = ticket;
  if (ticket.valid()) {
    spilled_ += bytes.size();
    return true;
  }
  broken_ = true;
  kLog.warning("what devices have no room for stays in memory: ", problem);
  changed_.notify_all();
  moved_();
  return false;
}

}  // namespace weft::gpu::detail

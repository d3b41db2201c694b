// Plain single calls: submit(f, x) one after another.
//
// The machines decide about packets, and a packet for every call would cost each of them several decisions. So such
// calls are counted into one packet that stays open: the machines are told when it opens, and when it has ended.
//   1. launch_call counts the task into the open packet; open_calls submits a fresh one where there is none.
//   2. Its tasks run as those of any active packet; while it is not active (memory is full), they are parked in it.
//   3. end_calls closes it: when it is large, when the machines have something else to decide (a task with needs or a
//      priority, other memory), when nothing of it is left and a slot goes to sleep, and when the client closes.

#include "core/runtime/local_runtime.hpp"

namespace weft {
namespace {

/// Calls of one packet: what the machines hear of is a thousandth of what it costs to run them.
constexpr std::uint32_t kMostCalls = 4096;

}  // namespace

void LocalRuntime::launch_call(TaskId task) {
  PacketId full = kNone;
  {
    const std::lock_guard lock(calls_mutex_);
    if (calls_packet_ == kNone) calls_packet_ = open_calls(task);
    executor_.join(calls_packet_, task);
    if (++calls_tasks_ == kMostCalls) full = std::exchange(calls_packet_, kNone);
  }
  executor_.release_guard(task);
  if (full != kNone) executor_.end_one(full);
}

PacketId LocalRuntime::open_calls(TaskId first) {
  const std::lock_guard lock(machines_mutex_);
  const PacketId packet = take_packet_id();
  executor_.prepare(packet, 1, {}, false);
  submit_packet(packet, first, 1, true, nullptr);
  // Its tasks are counted as they come, as children are.
  packets_[packet].tasks = 0;
  flush_submission();
  calls_tasks_ = 0;
  return packet;
}

bool LocalRuntime::end_calls(bool only_idle) noexcept {
  PacketId packet = kNone;
  {
    const std::lock_guard lock(calls_mutex_);
    if (calls_packet_ == kNone) return false;
    if (only_idle && executor_.entry(calls_packet_).remaining.load(std::memory_order_acquire) != 1) return false;
    packet = std::exchange(calls_packet_, kNone);
  }
  executor_.end_one(packet);
  return true;
}

LocalRuntime::Counts LocalRuntime::counts() {
  const std::lock_guard calls_lock(calls_mutex_);
  const std::lock_guard lock(machines_mutex_);
  Counts counts{tasks_done_.load(std::memory_order_relaxed), tasks_total_.load(std::memory_order_relaxed),
                tasks_failed_.load(std::memory_order_relaxed)};
  for (PacketId packet = 0; packet < next_packet_; ++packet) {
    if (packets_[packet].holders != 2) continue;
    const PacketEntry& entry = executor_.entry(packet);
    const std::uint64_t tasks = packets_[packet].tasks + entry.children.load(std::memory_order_acquire);
    const std::uint64_t left = entry.remaining.load(std::memory_order_acquire) - (packet == calls_packet_ ? 1 : 0);
    if (left < tasks) counts.tasks_done += tasks - left;
    counts.tasks_failed += entry.failed.load(std::memory_order_relaxed);
  }
  return counts;
}

}  // namespace weft

#pragma once

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/simulate/context.hpp"
#include "core/simulate/store.hpp"

namespace weft::sim {

/// Takes what a pretended executor has to say to its worker machine.
class ExecutorListener {
 public:
  virtual void tell(WorkerEventBody body) = 0;
  /// Before each message about memory that changed.
  virtual void memory_changed() = 0;

 protected:
  ~ExecutorListener() = default;
};

/// The slots of one worker, pretended: a task takes its planned time and gives its value. It starts when its inputs are
/// held here or were made by packets that are active here.
/// Checks that each input is there, or will be made here, when a packet is activated.
/// Owns: the active packets.  Threading: none.
class PretendedExecutor {
 public:
  PretendedExecutor(Context& context, Store& store, ExecutorListener& listener, WorkerId worker, std::uint32_t slots);

  // What the machine decided. go_on() follows when all of an event's decisions are carried out.
  void activate(PacketId packet, Attempt attempt, const PacketSpec& spec, std::uint32_t slots);
  void cancel(PacketId packet, Attempt attempt);
  /// `refuse`: gives nothing up, as if all its tasks had begun.
  void give_up(PacketId packet, Attempt attempt, bool refuse);
  void hold_roots();
  void release_roots(std::uint32_t count);
  /// Starts the tasks that can.
  void go_on();

  /// Later tasks take `factor` times as long.
  void slow_down(double factor) { slowness_ = factor; }
  /// No task ends before `time`.
  void freeze_until(Nanoseconds time) { frozen_until_ = time; }
  /// The process is gone; what ran is told by running_packets() before.
  void stop();

  /// Active packets with a task that runs or has run.
  [[nodiscard]] std::vector<PacketId> running_packets() const;
  [[nodiscard]] std::uint32_t active_count() const { return static_cast<std::uint32_t>(numbers_.size()); }

 private:
  struct Active {
    PacketId packet = kNone;
    Attempt attempt = 0;
    bool dropped = false;
    std::uint32_t slots = 1;
    TaskId first = 0, next = 0, end = 0;
    std::uint32_t running = 0;
    std::uint32_t done = 0;
    std::uint32_t failed = 0;
    std::uint32_t told = 0;  // tasks told as progress
    Nanoseconds run_ns = 0;
    std::uint64_t kept_bytes = 0;
    std::vector<Value> values;
    std::vector<bool> finished;
  };

  Active* find(PacketId packet);
  Active* find(PacketId packet, Attempt attempt);
  void drop(Active& active);
  bool may_start(const Active& active, TaskId task);
  void check_inputs(const Active& active);
  void start(std::uint64_t number, Active& active, TaskId task);
  void task_ended(std::uint64_t number, TaskId task, Nanoseconds took);
  bool breaks(const Active& active, TaskId task);
  void keep_value(Active& active, TaskId task);
  void finish(std::uint64_t number, Active& active);
  /// Returns the value if it is here.
  const Value* find_value(TaskId input);

  Context& context_;
  Store& store_;
  ExecutorListener& listener_;
  const WorkerId worker_;
  std::uint32_t free_slots_;
  double slowness_ = 1;
  Nanoseconds frozen_until_ = 0;
  bool stopped_ = false;
  bool hold_roots_ = false;
  std::uint32_t roots_allowed_ = 0;
  std::uint64_t next_number_ = 0;
  std::unordered_map<std::uint64_t, Active> actives_;    // by number; entries that are dropped stay while a task runs
  std::unordered_map<PacketId, std::uint64_t> numbers_;  // of those not dropped, by packet
  std::vector<std::uint64_t> unchecked_;                 // activated since the last go_on()
  std::set<PacketId> left_;                              // packets that broke here or were given up
  bool idle_told_ = false;                               // nothing has begun since the last SlotsIdle
  std::vector<std::uint64_t> startable_;  // numbers with tasks that have not begun, in order of activation
};

}  // namespace weft::sim

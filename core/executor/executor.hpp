#pragma once

#include "core/diagnostics/ledger.hpp"
#include "core/executor/futex.hpp"
#include "core/executor/packet_table.hpp"
#include "core/executor/sleepers.hpp"
#include "core/executor/slot.hpp"
#include "core/executor/task_log.hpp"
#include "core/executor/time_left.hpp"

#include <condition_variable>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

namespace weft {

namespace detail {
class FarClient;
}

struct ExecutorOptions {
  unsigned slots = 1;
  /// Threads of its own. Without them only callers of `help_until` run tasks (sync mode).
  bool threads = true;
  bool pin = true;
  /// How long an idle slot looks for work before it sleeps.
  Nanoseconds spin_ns = 50'000;
  unsigned most_lent_threads = 256;
  /// Processors to pin to, in order; empty: no pinning.
  std::vector<int> processors;
};

/// Runs the tasks of active packets.
///
/// For: the one concurrent piece of a worker. Owns: its slots and their threads. Threading: any thread may activate,
/// launch and help; the listener is called by slots without any lock held.
///
/// How a packet runs:
///  1. `prepare` fills its entry; tasks of it that become ready are parked in it.
///  2. `activate` puts its roots, and what was parked, into the queue of starts.
///  3. A slot takes a start (`work_once`), walks its roots, and after each root runs whatever became ready, newest
///     first: the last enabled successor inline (`run_chain`), the others from its deque. Idle slots steal.
///  4. Whoever brings the entry's `remaining` to zero calls `Listener::packet_done`.
class Executor {
 public:
  /// Runs short tasks alone: help_once.
  static constexpr TaskId kAnyTask = kNone - 1;
  /// For help_until: waits for what others do, and runs none.
  static constexpr TaskId kOnlyLook = kNone - 2;
  /// For help_until: waits for a graph, and runs tasks of graphs.
  static constexpr TaskId kGraphs = kNone - 3;

  class Listener {
   public:
    virtual ~Listener() = default;
    /// All tasks of the packet have ended.
    virtual void packet_done(PacketId packet) noexcept = 0;
    /// A task of a packet that is not active has all its inputs.
    virtual void packet_ready(PacketId packet) noexcept = 0;
    /// A slot has ended a task after request_poll.
    virtual void polled() noexcept = 0;
    /// A slot found nothing to run while roots are held.
    virtual void starved() noexcept = 0;
    /// A slot has nothing to run and looks for work, again and again: here the process may fetch some, on its thread.
    /// Called once let_seek is on.
    virtual void seek_work() noexcept {}
    /// A slot or a waiting caller has found nothing to run for as long as it looks, and will sleep. Returns whether it
    /// should look again.
    virtual bool about_to_sleep() noexcept { return false; }
    /// A task of the packet has ended without a result; its record still tells why.
    virtual void task_failed(PacketId, TaskId) noexcept {}
    /// A ready task of the packet is not started: it would not end before the program does.
    virtual void packet_held(PacketId) noexcept {}
  };

  /// `ledger` has a book for each slot and outlives the executor.
  Executor(ExecutorOptions options, Ledger& ledger, Listener& listener);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Describes a packet before it is activated.
  void prepare(PacketId packet, std::uint32_t tasks, std::vector<TaskRange> roots, bool urgent);
  /// `caller_helps`: the caller runs tasks next, so that nobody is woken for a single task, nor for the last free slot.
  void activate(PacketId packet, bool caller_helps = false);
  /// Counts a task into an active packet that cannot end meanwhile.
  void join(PacketId packet, TaskId task);
  /// Takes one off what the packet waits for that is no task; reports the packet if that was the last.
  void end_one(PacketId packet);
  PacketEntry& entry(PacketId packet) { return packets_[packet]; }
  /// Ends what is left of an active packet without running it. It is reported as any other.
  void cancel_packet(PacketId packet);

  /// Takes the guard off a described task; a task with nothing left to wait for is started.
  void release_guard(TaskId task);
  /// Counts a child into the packet of the task that submits it, from within that task, and takes its guard off.
  void launch_child(TaskId child);

  /// While held, no task without inputs is started, except one for each call of `allow_roots`.
  void hold_roots(bool held);
  void allow_roots(std::uint32_t count);

  /// Runs tasks on the calling thread, or sleeps while all slots are taken, until `done()` holds. `task`: whose end
  /// decides, or one of the above or kNone: then whoever makes `done` true must call `wake_waiters`. Where others run
  /// tasks too, it runs what is waited for and what that needs, because any other task might wait for what the caller
  /// does next; with kNone it runs anything.
  template <class Done>
  void help_until(TaskId task, const Done& done) {
    if (!done()) help(task, &invoke<Done>, const_cast<void*>(static_cast<const void*>(&done)));
  }
  void wake_waiters() noexcept;
  void wake_all_slots() noexcept;
  /// Runs short tasks that are ready on the calling thread, which runs none, if a slot is free. Returns whether any
  /// ran.
  bool help_once();
  /// Returns how many slots nobody works in.
  unsigned idle_slots() const;
  /// Makes the next slot that ends a task call `Listener::polled`.
  void request_poll() noexcept { poll_.store(true, std::memory_order_relaxed); }

  void let_seek(bool seeks) noexcept { seeks_.store(seeks, std::memory_order_release); }

  /// What reaches the named objects that its tasks use, where these live in another process. Set before any task runs.
  void set_far_client(detail::FarClient* far) noexcept { far_client_ = far; }
  detail::FarClient* far_client() const noexcept { return far_client_; }

  /// Returns whether the calling thread runs a task of this executor now.
  bool inside() const;
  /// Returns whether anything waits that an idle slot could run.
  bool something_to_do() const;
  /// Returns whether a task that waits may lend its slot to another thread.
  bool may_lend() const;
  unsigned slot_count() const { return static_cast<unsigned>(slots_.size()); }
  Slot& slot(unsigned index) { return *slots_[index]; }
  const Slot& slot(unsigned index) const { return *slots_[index]; }
  /// What has run, while somebody wants to know.
  TaskLog& task_log() { return task_log_; }
  /// Calls it from inside a task whose slot is lent meanwhile, if there is somebody to lend it to.
  void call_without_slot(void (*call)(void*), void* argument);
  /// The program ends in so long: tasks that are expected to take longer are not started any more.
  void set_time_left(double seconds) { time_left_.set(seconds); }
  /// Starts what is held anew: it ends if it has been cancelled, and else may be held again.
  void retry_held();
  TimeLeft& time_left() { return time_left_; }
  const TimeLeft& time_left() const { return time_left_; }
  /// Returns whether a thread sleeps because what it waits for is not there.
  bool somebody_waits() const { return doorbell_.anybody_waits(); }
  /// From now on tasks are not run but end as cancelled; waiting ones are woken by that.
  void drain();
  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  /// Starts nothing any more; running tasks end, the threads are joined.
  void stop();

 private:
  friend class Slot;
  struct PoolThread;

  template <class Done>
  static bool invoke(const void* done) {
    return (*static_cast<const Done*>(done))();
  }
  using DoneFunction = bool (*)(const void*);

  void help(TaskId task, DoneFunction done, const void* argument);
  void help_from_outside(TaskId task, DoneFunction done, const void* argument);
  bool help_as_slot(Slot& slot, TaskId task, DoneFunction done, const void* argument);
  void wait_inside(TaskId task, DoneFunction done, const void* argument);
  /// Lends the calling task's slot while `meanwhile` runs, which must not throw, and takes one back.
  template <class Meanwhile>
  void lend_slot(const Meanwhile& meanwhile);
  void sleep_until(TaskId task, DoneFunction done, const void* argument);
  Slot* lease_any(unsigned preferred);
  void give_back(Slot& slot);
  void thread_main(PoolThread& self);
  void run_lease(Slot& slot);
  void park(PoolThread& self);
  /// Guarded by threads_mutex_.
  void start_thread();

  bool take_urgent(Slot& slot);
  /// Gives the slot the next start to walk: false when there is none it may take.
  bool take_start(Slot& slot);
  bool steal_for(Slot& slot);
  /// Returns whether the slot must not start the roots it holds; then they have been given back.
  bool must_hold(Slot& slot);
  /// `holdable`: tasks without inputs of plain packets. `front`: given back, so it goes first again.
  /// Returns whether nothing waited before it.
  bool put_start(TaskRange range, bool holdable, bool front, bool urgent);
  struct Start {
    TaskRange range;
    bool holdable;
  };
  /// Takes one task out of a start, with starts_mutex_ held; the others stay in their place.
  void take_from_start(std::deque<Start>::iterator at, TaskId task);
  /// Returns whether the ready task may be run by the calling slot now; else it has been parked or queued.
  bool may_start(PacketId packet, TaskId task);
  /// Keeps a ready task that would not end in time from being started. Returns whether it did.
  bool hold(TaskId task, std::uint32_t site, Ticks now);
  void learn_time(std::uint32_t site, Ticks took, Ticks now);
  void start_again(const std::vector<TaskId>& tasks);
  void poll() noexcept;
  void wake_one() noexcept;
  /// Returns whether the pool's threads that do not sleep, and the caller, are enough for all slots.
  bool enough_are_awake() const;
  /// Wakes somebody for a task that a slot has made ready, where a slot is free.
  void wake_for_ready() noexcept {
    if (sleepers_.any() && free_slots_.load(std::memory_order_relaxed) != 0) wake_one();
  }
  /// Wakes a slot for a lone task, unless one looks soon anyway: whoever asks for the result may be faster, and need
  /// not pay for the waking.
  void wake_soon() noexcept;
  /// Sleeps in short pieces, and looks for work after each, while there has been some lately. Returns false where there
  /// is none and the thread should sleep until it is woken.
  bool doze(PoolThread& self, std::uint32_t seen);

  /// How long a thread has found nothing to run.
  struct Idling {
    Nanoseconds since = 0;
    unsigned rounds = 0;
    /// How long it looks at most.
    Nanoseconds most = std::numeric_limits<Nanoseconds>::max();
  };
  /// Waits a moment for something to run, longer each time. Returns false once the slot should sleep.
  bool idle(Slot& slot, Idling& idling);

  const ExecutorOptions options_;
  Listener& listener_;
  detail::FarClient* far_client_ = nullptr;
  TaskLog task_log_;
  TimeLeft time_left_;
  PacketTable packets_;
  std::vector<std::unique_ptr<Slot>> slots_;

  // Guarded by starts_mutex_; the counts are read without it.
  std::mutex starts_mutex_;
  std::deque<Start> starts_;
  std::deque<Start> urgent_;
  std::atomic<std::uint32_t> start_count_{0};
  std::atomic<std::uint32_t> urgent_count_{0};
  std::atomic<bool> roots_held_{false};
  std::atomic<std::uint32_t> allowed_roots_{0};

  // Sleeping and waking: threads of the pool in beds, callers of help_until at the door.
  using Sleepers = BasicSleepers<std::atomic, futex::Kernel>;
  Sleepers sleepers_;
  BasicDoorbell<std::atomic, futex::Kernel> doorbell_;
  /// A sleeping thread will look for work within kDoze, and once more after it has taken this back.
  std::atomic<bool> dozing_{false};
  /// Starts taken so far: shows the dozing one that there is work from time to time.
  std::atomic<std::uint32_t> takes_{0};
  /// Slots that nobody works in. Whoever frees one looks for work after that, or wakes somebody who does.
  std::atomic<std::uint32_t> free_slots_{0};
  std::atomic<std::uint32_t> wanting_slot_{0};
  std::atomic<std::uint32_t> blocked_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> poll_{false};
  std::atomic<bool> seeks_{false};
  std::atomic<unsigned> thread_count_{0};
  std::mutex threads_mutex_;
  std::vector<std::unique_ptr<PoolThread>> threads_;
};

}  // namespace weft

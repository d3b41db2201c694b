#pragma once

#include "core/diagnostics/slot_book.hpp"
#include "core/executor/deque.hpp"
#include "core/executor/inbox.hpp"
#include "core/executor/roots.hpp"

#include <weft/task_type.hpp>

#include <exception>

namespace weft {

class Executor;
struct PacketEntry;

/// A place where one task runs at a time: its deque, its range of roots, its books.
/// Owns: the deque; borrows its books from the ledger.  Threading: whoever holds the lease is its owner; others only
/// steal.
///
/// Orders: `lease` is taken with acquire and given back with release, so everything the last owner did is seen by the
/// next. All else that thieves touch is in Deque, RootRange and Inbox.
class Slot {
 public:
  Slot(Executor& executor, unsigned index, SlotBook& book);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  bool try_lease() {
    return !leased_.load(std::memory_order_relaxed) && !leased_.exchange(true, std::memory_order_acquire);
  }
  void unlease() { leased_.store(false, std::memory_order_release); }
  bool leased() const { return leased_.load(std::memory_order_relaxed); }

  /// Runs one piece of work: a ready task with all it enables, or a few roots. Returns false when there was none.
  bool work_once();
  /// Runs ready tasks that are newer than `mark` in the deque. Returns false when there was none.
  bool run_newer_than(std::int64_t mark);
  /// As run_newer_than, but only one that the awaited task is, or needs, if it is among the newest.
  bool run_newer_for(std::int64_t mark, TaskId awaited);
  /// Pushes a ready task; an idle slot is woken for it.
  void push_ready(TaskId task);
  /// Makes roots that were taken and not started available to others again.
  void return_batch();
  /// Reports finished tasks to their packet; after that this slot owes nobody anything.
  void settle();

  /// Counts tasks of a formula that ran inside the present task.
  void count_inner_tasks(std::uint64_t tasks) { inner_tasks_ += tasks; }

  unsigned index() const { return index_; }
  Executor& executor() const { return executor_; }
  Deque& deque() { return ready_; }
  Inbox& inbox() { return inbox_; }
  RootRange& roots() { return roots_; }
  SlotBook& book() { return book_; }
  /// By any thread: a hint, for those who watch.
  TaskId running() const { return running_.load(std::memory_order_relaxed); }
  std::int64_t mark() const { return mark_; }
  /// Takes in a task that was taken from another slot.
  void take_stolen(TaskId task);

 private:
  friend class Executor;

  void run_chain(TaskId task);
  /// Calls the task's function; false when it threw for good.
  bool call(TaskId task, TaskRecord& record, const TaskType& type);
  /// Returns now, and notes that a timed task has run, if somebody wants to know.
  static Ticks end_timed(TaskId task, Ticks begun, bool well);
  /// Gives the journal the result of a task that has run; returns how long that took.
  static Ticks keep_in_journal(TaskId task, Ticks took);
  /// Settles what becomes of a task that threw; returns whether it is called again now.
  static bool runs_again(TaskId task, std::exception_ptr thrown);
  /// Puts a task that asked to run later behind what waits; returns false for one that did not.
  bool postpone(TaskId task);
  /// As call, after a failure that is tried again.
  bool call_again(TaskId task, TaskRecord& record, const TaskType& type);
  /// Looks at inputs that failed, requests to cancel, and records that were abandoned. Returns whether to run the task;
  /// else it has been ended, with its successor in `next`.
  bool may_run(TaskId task, TaskRecord& record, std::uint64_t word, TaskId& next);
  /// Ends the task, and returns one of the consumers it made ready; the others are in the deque.
  TaskId complete(TaskId task, TaskRecord& record, const TaskType& type, PacketId packet, std::uint32_t home,
                  bool well);
  void tell_watchers(TaskId task, std::uint64_t word);
  bool sample_due() {
    if (!SlotBook::kBooks || --until_sample_ != 0) [[likely]]
      return false;
    until_sample_ = book_.next_interval();
    return true;
  }
  /// Before a task that may take long: wakes somebody for the ready ones, should a slot have become free meanwhile.
  void look_for_free_slots();
  /// Returns whether the owner, who waits, should leave this task, which nobody else can take now, to others.
  bool refuses(TaskId task) const;
  /// As refuses, where it is asked of every task.
  bool leaves(TaskId task) const;
  /// As !refuses, for the first of another slot's roots, which that one may begin meanwhile: a guess.
  bool may_steal_roots(TaskId first) const;
  /// Leaves a task that has just become ready to the slot that its middle input belongs to, so that neighbours stay
  /// with each other, or keeps it for its turn. Returns what this slot should run at once: the task, or kNone.
  TaskId choose_slot(TaskId task, TaskRecord& record);
  bool hand_over(TaskId task, const TaskRecord& record, Slot& to);
  /// Returns the ready task whose turn it is, or Deque::kEmpty.
  std::uint64_t next_ready();
  std::uint64_t next_in_grid();
  static void fetch_grid(const TaskRecord& record);
  /// Puts what others have left here among the ready tasks.
  void take_gifts();
  /// Waits a moment for what others leave here. Returns whether something came.
  bool await_gift();
  /// Returns the slot that a root, and the column of tasks behind it, belong to.
  std::uint32_t home_of_root(TaskId root) const;
  /// Gives the owner roots to walk. `divide`: few ones are divided between the slots.
  void assign_roots(TaskRange range, bool divide);
  /// Takes back what was handed over to a slot that has not got round to it.
  void take_back();
  /// `running`: the packet of the task that made it ready.
  void found_ready(TaskId task, PacketId running, TaskId& candidate);
  /// Counts one ended task of a packet; the packet hears of it in batches.
  void count_end(PacketId packet, bool well);
  void settle_one(unsigned place);
  void book_stretch();
  void run_roots(TaskRange range);

  Executor& executor_;
  const unsigned index_;
  SlotBook& book_;
  std::atomic<bool> leased_{false};
  Deque ready_;
  // Beside what thieves read, nothing that the owner writes for every task.
  alignas(64) RootRange roots_;
  std::atomic<bool> roots_holdable_{false};  // thieves copy it with the range
  alignas(64) Inbox inbox_;                  // written by those who hand over

  // The owner's own.
  alignas(64) TaskRange batch_;
  std::atomic<TaskId> running_{kNone};  // others only look
  TaskId swap_running(TaskId task) {
    const TaskId before = running_.load(std::memory_order_relaxed);
    running_.store(task, std::memory_order_relaxed);
    return before;
  }
  /// Where the deque ended when the running task began: what lies above is its descendants'.
  std::int64_t mark_ = 0;
  /// What the owner waits for while it helps: a task, or one of the Executor's k..., or kNone: then it runs anything.
  TaskId awaited_ = kNone;
  /// Ended tasks not yet told to their packets: a few packets at once, because a chain may wander between them.
  struct Tally {
    PacketId packet = kNone;
    std::uint32_t done = 0;
    std::uint32_t failed = 0;
  };
  static constexpr unsigned kTallies = 16;
  Tally tallies_[kTallies];
  std::uint32_t tallies_used_ = 0;
  std::uint32_t stretch_tasks_ = 0;
  /// Tasks until the next one is timed by itself.
  std::uint32_t until_sample_ = 1;
  std::uint64_t inner_tasks_ = 0;
  /// The slot that a task was handed over to since take_back, or null.
  Slot* handed_to_ = nullptr;
  /// Roots that are divided between the slots, the first part being this one's.
  TaskRange divided_;
  /// The task that has just thrown asked to run later.
  bool postponed_ = false;
  /// The completing task ran inside another one that waits.
  bool nested_ = false;
  /// Tasks with many inputs were made ready since this slot had nothing to do.
  bool in_grid_ = false;
  /// Something came, or was left to another, not long ago: what this slot lacks will be given to it.
  bool awaits_gifts_ = false;
  /// Tasks stolen since something was left here last; whoever steals on and on keeps what it steals.
  std::uint8_t steals_ = kKeepsSteals;
  static constexpr std::uint8_t kKeepsSteals = 16;
};

/// Returns the slot the calling thread owns, or null.
Slot* current_slot() noexcept;
void set_current_slot(Slot* slot) noexcept;

/// Writes what the slots of this process run now, kNone where nothing, for the first `most` of them; returns how many
/// there are. Any thread; a hint: a task may have ended meanwhile.
unsigned running_tasks(TaskId* tasks, unsigned most);

/// Counts records whose task failed; while it is zero no task looks at how its inputs ended.
extern std::atomic<std::uint32_t> failed_records;

}  // namespace weft

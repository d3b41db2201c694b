#include "core/executor/slot.hpp"

#include "core/diagnostics/inject.hpp"
#include "core/executor/aside.hpp"
#include "core/executor/executor.hpp"
#include "core/executor/failing.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/release.hpp"
#include "core/graph/resend.hpp"
#include "core/graph/sites.hpp"
#include "core/journal/journal.hpp"

#include <weft/build.hpp>
#include <weft/trace_point.hpp>

#include <mutex>
#include <vector>

namespace weft {
namespace {

constinit thread_local Slot* mine = nullptr;

/// Tasks between two stamps of the ledger.
constexpr std::uint32_t kStretch = 512;
/// Roots taken from the range at once, while it is long.
constexpr std::uint32_t kBatch = 8;
/// Records between the one that runs and the one that is fetched for later; in a grid, where consumers touch them
/// before, more of them.
constexpr std::ptrdiff_t kAhead = 8;
constexpr std::uint32_t kAheadInGrid = 24;
/// Tasks with so many inputs go to the slot that their middle input belongs to: with fewer, whoever made one ready ran
/// half of them.
constexpr std::uint32_t kManyInputs = 3;
/// As few roots for each slot are divided between the slots before they run: the first one is through with them before
/// another one is awake.
constexpr std::uint32_t kFewRoots = 16;
/// Gifts put in order at once.
constexpr unsigned kMostGifts = 16;
/// Pauses that a slot waits for what others leave to it before it looks elsewhere: some hundred nanoseconds.
constexpr unsigned kGiftPauses = 32;
/// A kernel that takes longer is not run by a caller who waits for something else: about 20 us.
constexpr Ticks kShortTicks = 50'000;

/// All slots of this process, for those who watch them.
struct LiveSlots {
  std::mutex mutex;
  std::vector<const Slot*> slots;  // guarded by mutex
};

LiveSlots& live_slots() {
  static LiveSlots* const kept = new LiveSlots;
  return *kept;
}

/// The uses that a task which ends has of its inputs: told before its end, dropped after it, so that consumers do not
/// wait. Those of a task with many inputs are dropped at once.
class HeldInputs {
 public:
  HeldInputs(const TaskRecord& record, bool keeps, PacketId only_of) {
    const std::uint32_t inputs = keeps || record.borrows ? 0 : record.input_count;
    for (std::uint32_t k = 0; k < inputs; ++k) {
      const TaskId producer = arena::edge(record.first_input + k).producer;
      // What lies outside a graph is kept for its next run.
      if (only_of != kNone && arena::task(producer).packet != only_of) continue;
      if (inputs > kMost) {
        arena::drop_use(producer);
      } else {
        producers_[count_++] = producer;
      }
    }
  }
  void drop() {
    for (std::uint32_t k = 0; k < count_; ++k) arena::drop_use(producers_[k]);
  }

 private:
  static constexpr std::uint32_t kMost = 16;
  std::uint32_t count_ = 0;
  TaskId producers_[kMost];
};

}  // namespace

std::atomic<std::uint32_t> failed_records{0};

Slot::Slot(Executor& executor, unsigned index, SlotBook& book) : executor_(executor), index_(index), book_(book) {
  const std::lock_guard lock(live_slots().mutex);
  live_slots().slots.push_back(this);
}

Slot::~Slot() {
  const std::lock_guard lock(live_slots().mutex);
  std::erase(live_slots().slots, this);
}

unsigned running_tasks(TaskId* tasks, unsigned most) {
  const std::lock_guard lock(live_slots().mutex);
  unsigned count = 0;
  for (const Slot* const slot : live_slots().slots) {
    if (count == most) break;
    tasks[count++] = slot->running();
  }
  return count;
}

Slot* current_slot() noexcept { return mine; }
void set_current_slot(Slot* slot) noexcept { mine = slot; }

inline bool Slot::leaves(TaskId task) const {
  if (awaited_ == kNone) return false;
  if (awaited_ != Executor::kGraphs) return refuses(task);
  return (arena::task(task).word.load(std::memory_order_relaxed) & task_word::kKept) == 0;
}

bool Slot::work_once() {
  if (executor_.urgent_count_.load(std::memory_order_relaxed) != 0 && executor_.take_urgent(*this)) return true;
  const std::uint64_t item = next_ready();
  if (item != Deque::kEmpty) {
    const auto task = static_cast<TaskId>(item);
    if (leaves(task)) {
      executor_.put_start({task, task + 1}, false, true, false);
      executor_.wake_one();
      return false;
    }
    run_chain(task);
    return true;
  }
  const std::uint32_t left = roots_.peek().size();
  if (left != 0 && !executor_.must_hold(*this)) {
    // One at a time near the end, so that others can still take their share.
    const TaskRange taken = roots_.take(left > kBatch * 64 ? kBatch : 1);
    if (!taken.empty()) {
      run_roots(taken);
      return true;
    }
  }
  book_stretch();
  if (awaits_gifts_ && await_gift()) return true;
  in_grid_ = false;
  const bool found = executor_.take_start(*this) || executor_.steal_for(*this);
  book_.stamp(Phase::Queue);
  return found;
}

inline std::uint64_t Slot::next_ready() { return in_grid_ || !inbox_.empty() ? next_in_grid() : ready_.pop(); }

/// Row by row: what has been ready for longest is what the others wait for.
std::uint64_t Slot::next_in_grid() {
  if (!inbox_.empty()) take_gifts();
  const std::uint64_t oldest = ready_.steal();
  return oldest != Deque::kEmpty ? oldest : ready_.pop();
}

void Slot::take_gifts() {
  TaskId gifts[kMostGifts];
  unsigned count = 0;
  for (TaskId task = inbox_.take(); task != kNone;) {
    TaskRecord& record = arena::task(task);
    const TaskId next = std::exchange(record.link, index_);
    __builtin_prefetch(&arena::edge(record.first_input));
    if (count == kMostGifts) {
      push_ready(task);
    } else {
      gifts[count++] = task;
    }
    task = next;
  }
  if (count == 0) return;
  // They come newest first.
  while (count != 0) push_ready(gifts[--count]);
  steals_ = 0;
  awaits_gifts_ = true;
}

void Slot::take_stolen(TaskId task) {
  if (steals_ == kKeepsSteals) {
    arena::task(task).link = index_;
  } else {
    ++steals_;
  }
  ready_.push(task);
}

bool Slot::await_gift() {
  for (unsigned i = 0; i < kGiftPauses && inbox_.empty(); ++i) __builtin_ia32_pause();
  awaits_gifts_ = !inbox_.empty();
  book_.stamp(Phase::Idle);
  return awaits_gifts_;
}

std::uint32_t Slot::home_of_root(TaskId root) const {
  const std::uint32_t slots = executor_.slot_count();
  if (divided_.empty() || root < divided_.first || root >= divided_.end) return index_;
  return (index_ + (root - divided_.first) * slots / divided_.size()) % slots;
}

void Slot::assign_roots(TaskRange range, bool divide) {
  divided_ = divide && range.size() <= kFewRoots * executor_.slot_count() ? range : TaskRange{};
  roots_.assign(range);
}

void Slot::run_roots(TaskRange range) {
  if (!divided_.empty()) {
    for (TaskId root = range.first; root < range.end; ++root) arena::task(root).link = home_of_root(root);
  }
  batch_ = range;
  while (!batch_.empty()) {
    // Those that were stolen may be others than were looked at.
    if (leaves(batch_.first)) [[unlikely]] {
      return_batch();
      return executor_.wake_one();
    }
    const TaskId root = batch_.first++;
    run_chain(root);
    Slot* const slot = mine;
    if (slot != this) return;
    // Depth first: what this root enabled comes before the next root.
    for (std::uint64_t item = next_ready(); item != Deque::kEmpty; item = next_ready()) {
      if (leaves(static_cast<TaskId>(item))) [[unlikely]] {
        push_ready(static_cast<TaskId>(item));
        return return_batch();
      }
      run_chain(static_cast<TaskId>(item));
      if (mine != this) return;
    }
  }
}

bool Slot::run_newer_than(std::int64_t mark) {
  if (ready_.bottom() <= mark) return false;
  const std::uint64_t item = ready_.pop();
  if (item == Deque::kEmpty) return false;
  run_chain(static_cast<TaskId>(item));
  return true;
}

/// Fetches what a later task of the column will touch: whoever built the graph, on another core, wrote it last.
inline void Slot::fetch_grid(const TaskRecord& record) {
  __builtin_prefetch(&record + kAheadInGrid, 1);
  __builtin_prefetch(&arena::edge(record.first_input + kAheadInGrid * record.input_count));
}

void Slot::run_chain(TaskId task) {
  // The slot of this thread may change while a task waits for another: it is read again after each call.
  Slot* slot = this;
  const TaskId outer = slot->running();
  const std::int64_t outer_mark = mark_;
  do {
    const Ticks found = slot->sample_due() ? ticks_now() : 0;
    inject::delay(Phase::Launch);
    TaskRecord& record = arena::task(task);
    const std::uint64_t word = record.word.load(std::memory_order_acquire);
    // What completing it will look at, and what comes next in most graphs: on its way while the task runs.
    __builtin_prefetch(&arena::edge(task_word::edge_of(word) - 1));
    __builtin_prefetch(&record + kAhead, 1);
    if (slot->in_grid_) fetch_grid(record);
    slot->swap_running(task);
    if ((word & (task_word::kExtra | task_word::kDone)) != 0 || failed_records.load(std::memory_order_relaxed) != 0)
        [[unlikely]] {
      TaskId next = kNone;
      if (!slot->may_run(task, record, word, next)) {
        task = next;
        slot = mine;
        continue;
      }
    }
    Site& at = site(record.site);
    const TaskType& type = *at.type;
    const PacketId packet = arena::packet_of(task);
    const std::uint32_t home = record.link;
    slot->mark_ = slot->ready_.bottom();
    // With a journal each is: one of a short kind may be a long one.
    const bool timed = found != 0 || at.pace.load(std::memory_order_relaxed) != Site::kShort ||
                       journal::writes_results.load(std::memory_order_relaxed);
    if (timed && slot->executor_.sleepers_.any()) slot->look_for_free_slots();
    const Ticks begun = timed ? ticks_now() : 0;
    if (timed && slot->executor_.time_left_.known() && slot->executor_.hold(task, record.site, begun)) [[unlikely]] {
      task = kNone;
      continue;
    }
    bool well = slot->call(task, record, type);
    if (!well && mine->postpone(task)) [[unlikely]] {
      slot = mine;
      task = kNone;
      continue;
    }
    if (well && (record.word.load(std::memory_order_relaxed) & task_word::kExtra) != 0) [[unlikely]]
      well = !failing::cancelled_meanwhile(task, record);
    const Ticks ended = timed ? end_timed(task, begun, well) : 0;
    const bool keeps =
        timed && well && ended - begun > kShortTicks && journal::writes_results.load(std::memory_order_relaxed);
    const Ticks kept = keeps ? keep_in_journal(task, ended - begun) : 0;
    inject::delay(Phase::Complete);
    slot = mine;
    slot->nested_ = outer != kNone;
    TaskId next = slot->complete(task, record, type, packet, home, well);
    slot = mine;
    // Only now: once its packet is told of the last end, the records may go.
    slot->count_end(packet, well);
    if (timed) [[unlikely]] {
      if (at.pace.load(std::memory_order_relaxed) != kPaceWaits)
        at.pace.store(ended - begun > kShortTicks ? Site::kLong : Site::kShort, std::memory_order_relaxed);
      if (well && slot->executor_.time_left_.known())
        slot->executor_.learn_time(static_cast<std::uint32_t>(&at - &site(0)), ended - begun, ended);
      const Ticks now = ticks_now();
      slot->book_.sample(found != 0 ? begun - found : 0, ended - begun, now - ended - kept);
      if (slot->handed_to_ != nullptr) slot->take_back();
    }
    if (SlotBook::kBooks && ++slot->stretch_tasks_ >= kStretch) [[unlikely]]
      slot->book_stretch();
    // Who looks how far the run is sees the ends of long tasks at once. After the task is in the stretch: its time is
    // no decision's.
    if (timed && ended - begun > kShortTicks) slot->settle();
    if (slot->executor_.poll_.load(std::memory_order_relaxed)) [[unlikely]]
      slot->executor_.poll();
    if (next != kNone && slot->leaves(next)) [[unlikely]] {
      slot->push_ready(next);
      next = kNone;
    }
    task = next;
  } while (task != kNone);
  slot->swap_running(outer);
  slot->mark_ = outer_mark;
}

Ticks Slot::end_timed(TaskId task, Ticks begun, bool well) {
  const Ticks now = ticks_now();
  if (mine->executor_.task_log_.on()) [[unlikely]]
    mine->executor_.task_log_.note(task, mine->index_, now - begun, !well);
  return now;
}

[[gnu::noinline]] Ticks Slot::keep_in_journal(TaskId task, Ticks took) {
  const Ticks begin = ticks_now();
  const Aside aside(Phase::Journal);
  const TaskRecord& record = arena::task(task);
  journal::task_ended(task, record, *site(record.site).type, static_cast<double>(took) / ticks_per_second());
  return ticks_now() - begin;
}

inline bool Slot::call(TaskId task, TaskRecord& record, const TaskType& type) {
  try {
    TaskFrame frame(task);
    type.run(frame);
    if (detail::checking_transfer()) [[unlikely]]
      resend_result(record, type);
    return true;
  } catch (const detail::TracePoint&) {
    throw;  // there is none: what is thrown goes on to the next line
  } catch (...) {
    if (!runs_again(task, std::current_exception())) return false;
  }
  return call_again(task, record, type);
}

bool Slot::runs_again(TaskId task, std::exception_ptr thrown) {
  const failing::Next next = failing::after_throw(task, std::move(thrown));
  mine->postponed_ = next == failing::Next::RunsLater;
  return next == failing::Next::RunsAgain;
}

bool Slot::postpone(TaskId task) {
  if (!std::exchange(postponed_, false)) return false;
  executor_.put_start({task, task + 1}, false, false, false);
  executor_.wake_for_ready();
  return true;
}

bool Slot::call_again(TaskId task, TaskRecord& record, const TaskType& type) {
  for (;;) {
    try {
      TaskFrame frame(task);
      type.run(frame);
      if (detail::checking_transfer()) resend_result(record, type);
      return true;
    } catch (const detail::TracePoint&) {
      throw;
    } catch (...) {
      if (!runs_again(task, std::current_exception())) return false;
    }
  }
}

bool Slot::may_run(TaskId task, TaskRecord& record, std::uint64_t word, TaskId& next) {
  if ((word & task_word::kDone) != 0) {
    // Abandoned while it was only described; its last producer has just let go of it.
    arena::free_record(task);
    return false;
  }
  if (executor_.draining_.load(std::memory_order_relaxed)) {
    failing::cancel_closed(task);
  } else if (executor_.entry(arena::packet_of(task)).cancelled.load(std::memory_order_relaxed)) {
    failing::request_cancel(task);
    failing::cancel_requested(task, arena::task(task).word.load(std::memory_order_relaxed));
  } else if (!failing::input_failed(task, record) && !failing::cancel_requested(task, word)) {
    return true;
  }
  const PacketId packet = arena::packet_of(task);
  next = complete(task, record, *site(record.site).type, packet, kNone, false);
  count_end(packet, false);
  return false;
}

[[gnu::always_inline]] inline TaskId Slot::complete(TaskId task, TaskRecord& record, const TaskType& type,
                                                    PacketId packet, std::uint32_t home, bool well) {
  constexpr std::uint64_t kept_plain = task_word::kKept | task_word::kPlain;
  std::uint64_t old = record.word.load(std::memory_order_relaxed);
  bool holds_inputs = false;
  if (well) [[likely]] {
    if ((old & kept_plain) == 0 && type.destroy_closure != nullptr) type.destroy_closure(record.payload);
  } else {
    holds_inputs = failing::settle(task, record);
    executor_.listener_.task_failed(packet, task);
  }
  // Once the end is told, whoever holds the last use may free the record, and its edges with it.
  HeldInputs held(record, holds_inputs, (old & task_word::kKept) != 0 ? record.packet : kNone);
  // From here on consumers may read the result. Its own use ends with it; a task with rare things keeps it until its
  // callbacks have run.
  while (!record.word.compare_exchange_weak(
      old, old + task_word::kDone - ((old & task_word::kExtra) != 0 ? 0 : task_word::kUse), std::memory_order_acq_rel,
      std::memory_order_relaxed)) {
  }
  TaskId candidate = kNone;
  for (std::uint32_t e = task_word::edge_of(old); e != 0;) {
    const std::uint32_t input = e - 1;
    const Edge& edge = arena::edge(input);
    const TaskId consumer = edge.consumer;
    e = edge.next;
    __builtin_prefetch(&arena::edge(e - 1));
    TaskRecord& its_record = arena::task(consumer);
    std::atomic<std::uint32_t>& join = its_record.join;
    // Before it is counted down: whoever makes it ready reads it.
    if (in_grid_ && input == its_record.first_input + its_record.input_count / 2) its_record.link = home;
    // The last one needs no atomic: nobody else will count any more.
    if (join.load(std::memory_order_acquire) == 1 || join.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      found_ready(consumer, packet, candidate);
    }
  }
  if ((old & (task_word::kWatched | task_word::kExtra)) != 0) [[unlikely]] {
    // A callback may wait for what has just become ready.
    if ((old & task_word::kExtra) != 0 && candidate != kNone) push_ready(std::exchange(candidate, kNone));
    tell_watchers(task, old);
  }
  // Of a graph's plain task nothing is left to do: its graph keeps the record, and the rest needs no end.
  const bool last_use = (old & task_word::kExtra) == 0 && task_word::uses_of(old) == 1;
  if (last_use && (old & kept_plain) != kept_plain)
    arena::last_use_gone(task, old + task_word::kDone - task_word::kUse);
  held.drop();
  return candidate;
}

void Slot::tell_watchers(TaskId task, std::uint64_t word) {
  if ((word & task_word::kWatched) != 0) executor_.wake_waiters();
  if ((word & task_word::kExtra) != 0) {
    failing::call_back(task);
    arena::drop_use(task);
  }
}

inline void Slot::found_ready(TaskId task, PacketId running, TaskId& candidate) {
  const PacketId packet = arena::packet_of(task);
  if (packet != running && tallies_[packet % kTallies].packet != packet && !executor_.may_start(packet, task)) return;
  TaskRecord& record = arena::task(task);
  __builtin_prefetch(&arena::edge(record.first_input));
  if (record.input_count >= kManyInputs && executor_.slot_count() > 1) {
    task = choose_slot(task, record);
    if (task == kNone) return;
  }
  if (candidate != kNone) push_ready(candidate);
  candidate = task;
}

TaskId Slot::choose_slot(TaskId task, TaskRecord& record) {
  in_grid_ = true;
  // Where no input's end has told it, as in the first row, the middle one is asked.
  if (record.link == kNone)
    record.link = arena::task(arena::edge(record.first_input + record.input_count / 2).producer).link;
  if (record.link >= executor_.slot_count()) record.link = index_;
  const std::uint32_t home = record.link;
  if (home != index_ && hand_over(task, record, executor_.slot(home))) return kNone;
  if (nested_ || (ready_.empty() && inbox_.empty())) return task;
  push_ready(task);
  return kNone;
}

bool Slot::hand_over(TaskId task, const TaskRecord& record, Slot& to) {
  // Of long tasks the inputs' way does not matter, and the owner might be busy with another one for long.
  if (!to.leased() || site(record.site).pace.load(std::memory_order_relaxed) != Site::kShort) return false;
  to.inbox_.give(task, [](TaskId given, TaskId next) { arena::task(given).link = next; });
  handed_to_ = &to;
  awaits_gifts_ = true;
  executor_.wake_for_ready();
  return true;
}

[[gnu::noinline]] void Slot::take_back() {
  const std::uint32_t home = handed_to_->index_;
  for (TaskId task = std::exchange(handed_to_, nullptr)->inbox_.take(); task != kNone;) {
    const TaskId next = std::exchange(arena::task(task).link, home);
    push_ready(task);
    task = next;
  }
}

void Slot::look_for_free_slots() {
  // A slot that was given back just before a task was pushed: either its last owner has seen the task, or it is seen
  // here that the slot is free.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!ready_.empty()) executor_.wake_for_ready();
}

void Slot::push_ready(TaskId task) {
  ready_.push(task);
  executor_.wake_for_ready();
}

void Slot::return_batch() {
  if (!batch_.empty()) executor_.put_start(std::exchange(batch_, {}), roots_holdable_, true, false);
  const TaskRange rest = roots_.take(kNone);
  if (!rest.empty()) executor_.put_start(rest, roots_holdable_, true, false);
}

inline void Slot::count_end(PacketId packet, bool well) {
  const unsigned place = packet % kTallies;
  Tally& tally = tallies_[place];
  if (tally.packet != packet) {
    if (tally.packet != kNone) settle_one(place);
    tally.packet = packet;
    tallies_used_ |= 1u << place;
  }
  ++tally.done;
  if (!well) ++tally.failed;
}

void Slot::settle_one(unsigned place) {
  const Tally tally = std::exchange(tallies_[place], {});
  tallies_used_ &= ~(1u << place);
  PacketEntry& entry = executor_.entry(tally.packet);
  if (tally.failed != 0) entry.failed.fetch_add(tally.failed, std::memory_order_relaxed);
  if (entry.remaining.fetch_sub(tally.done, std::memory_order_acq_rel) != tally.done) return;
  book_stretch();
  executor_.listener_.packet_done(tally.packet);
  book_.stamp(Phase::Schedule);
}

void Slot::settle() {
  while (tallies_used_ != 0) settle_one(static_cast<unsigned>(__builtin_ctz(tallies_used_)));
}

void Slot::book_stretch() {
  if (stretch_tasks_ == 0) return;
  book_.end_stretch(std::exchange(stretch_tasks_, 0) + std::exchange(inner_tasks_, 0));
  book_.begin_stretch();
}

}  // namespace weft

#include "core/executor/executor.hpp"

#include "core/executor/clock.hpp"
#include "core/executor/signal_stack.hpp"

#include <weft/error.hpp>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <system_error>

namespace weft {
namespace {

/// Sleeps are bounded, in case the kernel has no membarrier.
constexpr Nanoseconds kLongestSleep = 100'000'000;
/// A dozing thread looks for work this often: sooner than a sleeping one could be woken on many a machine.
constexpr Nanoseconds kDoze = 200'000;
/// Looks without any work in between after which a dozing thread sleeps.
constexpr unsigned kQuietDozes = 5;
/// How long a thread that was woken looks for its first task.
constexpr Nanoseconds kFruitless = 5'000;

void relax() noexcept { __builtin_ia32_pause(); }

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

}  // namespace

/// A thread of the pool: takes a free slot when it is woken, gives it back when there is nothing to do.
struct Executor::PoolThread {
  unsigned index = 0;
  Sleepers::Bed bed;
  /// The processor it is bound to, or -1.
  int processor = -1;
  /// Executor::takes_ when it looked last.
  std::uint32_t takes_seen = 0;
  std::thread thread;
};

Executor::Executor(ExecutorOptions options, Ledger& ledger, Listener& listener)
    : options_(std::move(options)), listener_(listener) {
  for (unsigned i = 0; i < options_.slots; ++i) slots_.push_back(std::make_unique<Slot>(*this, i, ledger.slot(i)));
  free_slots_.store(options_.slots);
  for (auto& slot : slots_) {
    slot->book().start();
    slot->book().announce(Phase::Idle);
  }
  if (!options_.threads) return;
  try {
    const std::lock_guard lock(threads_mutex_);
    for (unsigned i = 0; i < options_.slots; ++i) start_thread();
  } catch (const std::system_error& error) {
    const std::size_t started = threads_.size();
    stop();
    throw Error("only " + std::to_string(started) + " of " + std::to_string(options_.slots) +
                " threads could be started: " + error.what() + "; set --weft-threads, or raise `ulimit -u`");
  }
}

Executor::~Executor() { stop(); }

void Executor::drain() {
  draining_.store(true, std::memory_order_relaxed);
  failed_records.fetch_add(1, std::memory_order_seq_cst);
  start_again(time_left_.forget());
  hold_roots(false);
}

void Executor::stop() {
  if (stopping_.exchange(true)) return;
  wake_waiters();
  {
    const std::lock_guard lock(threads_mutex_);
    for (auto& thread : threads_) Sleepers::rouse(thread->bed);
  }
  // Without the lock, which a thread on its way out may want; none is added any more.
  for (auto& thread : threads_) thread->thread.join();
  if (draining_.load(std::memory_order_relaxed)) failed_records.fetch_sub(1, std::memory_order_relaxed);
}

void Executor::start_thread() {
  threads_.push_back(std::make_unique<PoolThread>());
  PoolThread& self = *threads_.back();
  self.index = static_cast<unsigned>(threads_.size() - 1);
  thread_count_.store(self.index + 1, std::memory_order_relaxed);
  if (options_.pin && self.index < options_.processors.size()) self.processor = options_.processors[self.index];
  try {
    self.thread = std::thread([this, &self] { thread_main(self); });
  } catch (...) {
    threads_.pop_back();
    throw;
  }
}

// --- Packets ---------------------------------------------------------------------------------------------------------

void Executor::prepare(PacketId packet, std::uint32_t tasks, std::vector<TaskRange> roots, bool urgent) {
  packets_.prepare(packet);
  PacketEntry& entry = packets_[packet];
  entry.remaining.store(tasks, std::memory_order_relaxed);
  entry.parked.store(kNone, std::memory_order_relaxed);
  entry.failed.store(0, std::memory_order_relaxed);
  entry.children.store(0, std::memory_order_relaxed);
  entry.bytes.store(0, std::memory_order_relaxed);
  entry.ticks.store(0, std::memory_order_relaxed);
  entry.urgent = urgent;
  entry.cancelled.store(false, std::memory_order_relaxed);
  entry.roots = std::move(roots);
  entry.active.store(false, std::memory_order_release);
}

void Executor::activate(PacketId packet, bool caller_helps) {
  PacketEntry& entry = packets_[packet];
  const std::vector<TaskRange> roots = std::exchange(entry.roots, {});
  const bool urgent = entry.urgent;
  entry.active.store(true, std::memory_order_seq_cst);
  bool lone = caller_helps && roots.size() == 1 && roots.front().size() == 1;
  for (const TaskRange range : roots) lone = put_start(range, !urgent, false, urgent) && lone;
  for (TaskId task = entry.parked.exchange(kNone, std::memory_order_seq_cst); task != kNone;) {
    const TaskId next = arena::task(task).link;
    put_start({task, task + 1}, false, false, urgent);
    task = next;
    lone = false;
  }
  if (!lone && !(caller_helps && enough_are_awake())) wake_one();
}

bool Executor::enough_are_awake() const {
  if (blocked_.load(std::memory_order_relaxed) != 0) return false;
  const unsigned caller = current_slot() == nullptr ? 1 : 0;  // else it is one of the pool's, or in its place
  return thread_count_.load(std::memory_order_relaxed) - sleepers_.count() + caller >= slot_count();
}

void Executor::join(PacketId packet, TaskId task) {
  arena::task(task).packet = packet;
  packets_[packet].remaining.fetch_add(1, std::memory_order_relaxed);
  packets_[packet].children.fetch_add(1, std::memory_order_relaxed);
}

void Executor::end_one(PacketId packet) {
  if (packets_[packet].remaining.fetch_sub(1, std::memory_order_acq_rel) == 1) listener_.packet_done(packet);
}

void Executor::cancel_packet(PacketId packet) {
  packets_[packet].cancelled.store(true, std::memory_order_relaxed);
  // From now on every task looks whether it may run.
  failed_records.fetch_add(1, std::memory_order_seq_cst);
  retry_held();
}

bool Executor::may_start(PacketId packet, TaskId task) {
  // One that was only described, and has been given up since: to be freed by whoever looks at it next.
  if (packet == kNone) return true;
  PacketEntry& entry = packets_[packet];
  if (entry.active.load(std::memory_order_acquire)) {
    if (!entry.urgent) return true;
    put_start({task, task + 1}, false, false, true);
    return false;
  }
  TaskId head = entry.parked.load(std::memory_order_relaxed);
  do {
    arena::task(task).link = head;
  } while (!entry.parked.compare_exchange_weak(head, task, std::memory_order_seq_cst));
  // It may have been activated meanwhile: then whoever empties the list starts what hangs there.
  if (entry.active.load(std::memory_order_seq_cst)) {
    for (TaskId parked = entry.parked.exchange(kNone, std::memory_order_seq_cst); parked != kNone;) {
      const TaskId next = arena::task(parked).link;
      put_start({parked, parked + 1}, false, false, entry.urgent);
      parked = next;
    }
    wake_one();
  } else if (entry.urgent) {
    listener_.packet_ready(packet);
  }
  return false;
}

void Executor::release_guard(TaskId task) {
  std::atomic<std::uint32_t>& join = arena::task(task).join;
  if (join.load(std::memory_order_acquire) != 1 && join.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!may_start(arena::packet_of(task), task)) return;
  if (put_start({task, task + 1}, false, false, false)) {
    wake_soon();
  } else {
    wake_one();
  }
}

void Executor::launch_child(TaskId child) {
  Slot& slot = *current_slot();
  join(arena::packet_of(slot.running()), child);
  std::atomic<std::uint32_t>& join = arena::task(child).join;
  if (join.load(std::memory_order_acquire) == 1 || join.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    slot.push_ready(child);
  }
}

// --- Threads of the pool ---------------------------------------------------------------------------------------------

void Executor::thread_main(PoolThread& self) {
  const SignalStack signal_stack;
  if (self.processor >= 0) pin_to(self.processor);
  while (!stopping_.load(std::memory_order_relaxed)) {
    Slot* const slot = lease_any(self.index);
    if (slot != nullptr) run_lease(*slot);
    park(self);
  }
}

Slot* Executor::lease_any(unsigned preferred) {
  const unsigned count = slot_count();
  for (unsigned i = 0; i < count; ++i) {
    Slot& slot = *slots_[(preferred + i) % count];
    if (!slot.try_lease()) continue;
    free_slots_.fetch_sub(1, std::memory_order_relaxed);
    slot.book().stamp(Phase::Idle);
    set_current_slot(&slot);
    return &slot;
  }
  return nullptr;
}

void Executor::give_back(Slot& slot) {
  slot.return_batch();
  slot.settle();
  slot.book_stretch();
  slot.book().announce(Phase::Idle);
  set_current_slot(nullptr);
  slot.unlease();
  free_slots_.fetch_add(1, std::memory_order_seq_cst);
  if (!options_.threads && doorbell_.anybody_waits()) wake_waiters();
}

void Executor::poll() noexcept {
  if (poll_.exchange(false, std::memory_order_relaxed)) listener_.polled();
}

bool Executor::idle(Slot& slot, Idling& idling) {
  // A gap in a fine-grained graph is over in a moment, so the first looks come soon after each other; who looks on
  // disturbs the slots it looks at, so later ones take their time.
  constexpr unsigned kMostPauses = 32;
  poll();
  if (roots_held_.load(std::memory_order_relaxed)) listener_.starved();
  const unsigned pauses = std::min(1u << std::min(idling.rounds, 31u), kMostPauses);
  // The clock is read when that costs little beside the pause.
  if (pauses == kMostPauses || !options_.threads) {
    const Nanoseconds now = now_ns();
    if (idling.since == 0) idling.since = now;
    if (now - idling.since > (options_.threads ? std::min(idling.most, options_.spin_ns) : 0)) {
      if (!listener_.about_to_sleep()) return false;
      idling = {};
      return true;
    }
  }
  ++idling.rounds;
  if (pauses == kMostPauses && seeks_.load(std::memory_order_acquire)) listener_.seek_work();
  for (unsigned i = 0; i < pauses; ++i) relax();
  slot.book().stamp(Phase::Idle);
  return true;
}

void Executor::run_lease(Slot& leased) {
  // Woken for a task that somebody else has run meanwhile, it gives the processor back soon.
  Idling idling{.most = kFruitless};
  leased.awaited_ = kNone;
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (wanting_slot_.load(std::memory_order_relaxed) != 0) break;
    if (current_slot()->work_once()) {
      idling = {};
      continue;
    }
    Slot& mine = *current_slot();
    mine.settle();
    if (!idle(mine, idling)) break;
  }
  Slot& mine = *current_slot();
  mine.book().stamp(Phase::Idle);
  give_back(mine);
}

void Executor::park(PoolThread& self) {
  const auto has_work = [this] {
    const bool free_slot = std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return !slot->leased(); });
    return stopping_.load() || (free_slot && something_to_do());
  };
  const auto rest = [&](const std::atomic<std::uint32_t>& wakes, std::uint32_t seen) {
    if (doze(self, seen)) return true;
    futex::wait(wakes, seen, kLongestSleep);
    return false;
  };
  if (sleepers_.sleep_as(self.bed, has_work, rest)) wake_one();
}

bool Executor::doze(PoolThread& self, std::uint32_t seen) {
  if (self.takes_seen == takes_.load(std::memory_order_relaxed)) return false;  // nothing since it dozed last
  if (dozing_.exchange(true, std::memory_order_seq_cst)) return false;
  const std::atomic<std::uint32_t>& wakes = self.bed.wakes;
  bool found = false;
  for (unsigned quiet = 0; !found && quiet < kQuietDozes; ++quiet) {
    futex::wait(wakes, seen, kDoze);
    if (stopping_.load(std::memory_order_relaxed) || wakes.load(std::memory_order_acquire) != seen) break;
    found = something_to_do();
    if (self.takes_seen != takes_.load(std::memory_order_relaxed)) quiet = 0;
    self.takes_seen = takes_.load(std::memory_order_relaxed);
  }
  // Whoever still counted on it has put its start before this; wake_soon has the other half. It looks once more: here,
  // or, when it has been woken, as any woken thread does.
  dozing_.store(false, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return found || (wakes.load(std::memory_order_acquire) == seen && something_to_do());
}

void Executor::wake_soon() noexcept {
  if (!sleepers_.any()) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!dozing_.load(std::memory_order_relaxed)) wake_one();
}

void Executor::wake_one() noexcept {
  if (!sleepers_.any()) return;
  const std::lock_guard lock(threads_mutex_);
  // Rather one that need not push the caller off its processor.
  const int here = ::sched_getcpu();
  for (auto& thread : threads_) {
    if (thread->processor != here && sleepers_.wake(thread->bed)) return;
  }
  for (auto& thread : threads_) {
    if (sleepers_.wake(thread->bed)) return;
  }
}

void Executor::wake_all_slots() noexcept {
  for (unsigned i = 0; i < slot_count(); ++i) wake_one();
}

// --- Waiting ---------------------------------------------------------------------------------------------------------

bool Executor::inside() const {
  const Slot* const slot = current_slot();
  return slot != nullptr && &slot->executor_ == this && slot->running() != kNone;
}

void Executor::help(TaskId task, DoneFunction done, const void* argument) {
  if (inside()) return wait_inside(task, done, argument);
  Slot* const others = current_slot();
  if (others == nullptr || others->running() == kNone) return help_from_outside(task, done, argument);
  // A task of another client waits for one of this: there it lends its slot, here it is a caller as any.
  const auto wait = [&] {
    Slot* const kept = current_slot();
    set_current_slot(nullptr);
    struct Restore {
      Slot* slot;
      ~Restore() { set_current_slot(slot); }
    } const restore{kept};
    help_from_outside(task, done, argument);
  };
  others->executor().call_without_slot([](void* call) { (*static_cast<const decltype(wait)*>(call))(); },
                                       const_cast<void*>(static_cast<const void*>(&wait)));
}

void Executor::help_from_outside(TaskId task, DoneFunction done, const void* argument) {
  while (!done(argument) && !stopping_.load(std::memory_order_relaxed)) {
    Slot* const slot = lease_any(slot_count() - 1);
    if (slot == nullptr || !help_as_slot(*slot, task, done, argument)) sleep_until(task, done, argument);
  }
}

bool Executor::help_once() {
  constexpr unsigned kMost = 64;
  if (!something_to_do()) return false;
  Slot* const leased = lease_any(slot_count() - 1);
  if (leased == nullptr) return false;
  leased->awaited_ = options_.threads ? kAnyTask : kNone;
  bool worked = false;
  for (unsigned i = 0; i < kMost && current_slot()->work_once(); ++i) worked = true;
  Slot& slot = *current_slot();
  slot.settle();
  slot.awaited_ = kNone;
  if (!worked) slot.book().stamp(Phase::Idle);
  give_back(slot);
  if (something_to_do()) wake_one();
  return worked;
}

unsigned Executor::idle_slots() const {
  return static_cast<unsigned>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return !slot->leased(); }));
}

bool Executor::help_as_slot(Slot& leased, TaskId task, DoneFunction done, const void* argument) {
  leased.awaited_ = options_.threads ? task : kNone;
  const bool picks = leased.awaited_ != kNone;
  Idling idling;
  while (!done(argument)) {
    if (current_slot()->work_once()) {
      idling = {};
      continue;
    }
    current_slot()->settle();
    // What this one leaves to others needs its slot.
    if (done(argument) || (picks && something_to_do()) || !idle(*current_slot(), idling)) break;
  }
  Slot& slot = *current_slot();
  slot.awaited_ = kNone;
  give_back(slot);
  if (something_to_do()) wake_one();
  return done(argument);
}

void Executor::sleep_until(TaskId task, DoneFunction done, const void* argument) {
  if (task < kGraphs) arena::task(task).word.fetch_or(task_word::kWatched, std::memory_order_acq_rel);
  const auto spin = [&] {
    const Nanoseconds spin_end = now_ns() + (options_.threads ? options_.spin_ns : 0);
    while (!done(argument) && now_ns() < spin_end) relax();
  };
  doorbell_.wait(
      spin, [&] { return done(argument) || stopping_.load(); }, kLongestSleep);
}

void Executor::wake_waiters() noexcept { doorbell_.ring(); }

}  // namespace weft

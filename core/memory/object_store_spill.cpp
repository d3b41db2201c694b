#include "core/diagnostics/assert.hpp"
#include "core/diagnostics/ticks.hpp"
#include "core/memory/object_store.hpp"

#include <weft/error.hpp>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <span>

namespace weft {

namespace {

constexpr std::chrono::milliseconds kPauseAfterNothing{20};
/// After so long without work a disk thread gives back what is free in the process.
constexpr std::chrono::seconds kIdleTime{1};
/// About a second.
constexpr Ticks kRefusalTicks = Ticks{1} << 31;

}  // namespace

/// What one thread writes in one go: small values share a write, a large one goes alone.
struct ObjectStore::Batch {
  static constexpr std::size_t kBytes = std::size_t{8} << 20;
  static constexpr std::size_t kMost = 256;

  // Already on disk, and to be written; all of them are in state Writing.
  std::vector<Held*> clean;
  std::vector<Held*> dirty;
  std::vector<std::span<const std::byte>> pieces;
  std::vector<Writer> encodings;
  std::size_t bytes = 0;

  std::size_t count() const { return clean.size() + dirty.size(); }
  // Once something is claimed nothing may throw but the user's encoding.
  void reserve() {
    clean.reserve(kMost);
    dirty.reserve(kMost);
    pieces.reserve(kMost);
    encodings.reserve(kMost);
  }
};

SpillFile& ObjectStore::file() {
  if (SpillFile* const made = made_file_.load(std::memory_order_acquire)) return *made;
  const std::lock_guard lock(file_mutex_);
  if (file_ == nullptr) {
    if (!options_.directory.usable()) throw MemoryError(options_.directory.note);
    file_ = std::make_unique<SpillFile>(SpillFileOptions{.directory = options_.directory.path,
                                                         .segment_bytes = options_.segment_bytes,
                                                         .direct = options_.direct,
                                                         .disk = options_.disk});
    made_file_.store(file_.get(), std::memory_order_release);
  }
  return *file_;
}

void ObjectStore::measure() { file().measure(); }

// --- choosing ----------------------------------------------------------------------------------------------------

// Looks through all entries, so each time enough are taken to serve for a while: what is needed, and a sixteenth of
// all.
void ObjectStore::collect_victims(std::size_t wanted) {
  std::size_t bytes = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (Held& held : shard.entries) {
      const std::uint32_t word = held.word.load(std::memory_order_acquire);
      if ((word != Held::Resident && word != Held::Fresh) || !held.spillable) continue;
      // Bytes that others share too would stay in memory.
      if (held.payload != nullptr && !held.payload->sole(held.value)) continue;
      victims_.push_back({&held, held.serial, held.priority.load(std::memory_order_relaxed),
                          held.last_use.load(std::memory_order_relaxed), held.bytes});
      bytes += held.bytes;
    }
  }
  if (victims_.empty()) return;
  const auto spilled_first = [](const Victim& a, const Victim& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.last_use < b.last_use;
  };
  const std::size_t usual = bytes / victims_.size() + 1;
  const std::size_t count = std::min(victims_.size(), std::max(wanted, bytes / 16) / usual + 1);
  const auto middle = victims_.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(victims_.begin(), middle - 1, victims_.end(), spilled_first);
  victims_.erase(middle, victims_.end());
  std::sort(victims_.begin(), victims_.end(), [&](const Victim& a, const Victim& b) { return spilled_first(b, a); });
}

bool ObjectStore::take_victim(Victim& victim, std::size_t wanted) {
  const std::lock_guard lock(victims_mutex_);
  if (victims_.empty()) collect_victims(wanted);
  if (victims_.empty()) return false;
  victim = victims_.back();
  victims_.pop_back();
  return true;
}

bool ObjectStore::claim(const Victim& victim) {
  Held& held = *victim.held;
  const std::lock_guard lock(shard_of(&held).mutex);
  if (held.serial != victim.serial || !held.spillable) return false;
  // Used since: it will be looked at again in the next collection.
  if (held.last_use.load(std::memory_order_relaxed) != victim.last_use) return false;
  std::uint32_t expected = Held::Resident;
  if (held.word.compare_exchange_strong(expected, Held::Writing, std::memory_order_acq_rel)) return true;
  if (expected != Held::Fresh) return false;
  if (!held.word.compare_exchange_strong(expected, Held::Writing, std::memory_order_acq_rel)) return false;
  ahead_.done(held.bytes);
  return true;
}

// Adds the bytes of a claimed value to the batch. The user's encoding may throw: then the value stays in memory.
bool ObjectStore::prepare(Held& held, Batch& batch) {
  if (held.payload != nullptr) {
    batch.pieces.emplace_back(static_cast<const std::byte*>(held.payload->data(held.value)),
                              held.payload->size(held.value));
    return true;
  }
  try {
    Writer writer;
    held.type->encode(held.value, writer);
    batch.pieces.emplace_back(writer.data(), writer.size());
    batch.encodings.push_back(std::move(writer));
    return true;
  } catch (const std::exception& error) {
    note_problem(std::string("a result of type ") + held.type->name() + " cannot be spilled: " + error.what());
  } catch (...) {
    note_problem(std::string("a result of type ") + held.type->name() + " cannot be spilled: its encoding threw");
  }
  give_up(held, true);
  return false;
}

void ObjectStore::fill_batch(SpillRun& run, Batch& batch) {
  while (!run.done() && batch.bytes < Batch::kBytes && batch.count() < Batch::kMost) {
    Victim victim;
    if (!take_victim(victim, run.wanted)) {
      run.stopped.store(true, std::memory_order_relaxed);
      return;
    }
    if (!claim(victim)) continue;
    Held& held = *victim.held;
    if (held.copy.valid()) {
      batch.clean.push_back(&held);
    } else if (prepare(held, batch)) {
      batch.dirty.push_back(&held);
    } else {
      continue;
    }
    batch.bytes += held.bytes;
    run.claimed.fetch_add(held.bytes);
  }
}

// --- going out ---------------------------------------------------------------------------------------------------

bool ObjectStore::write_batch(Batch& batch) {
  std::vector<SpillTicket> tickets(batch.pieces.size());
  std::string text;
  for (int round = 0; round < 2; ++round) {
    try {
      file().write(batch.pieces, tickets);
      for (std::size_t i = 0; i < tickets.size(); ++i) batch.dirty[i]->copy = tickets[i];
      note_problem("");
      refused_until_.store(0, std::memory_order_relaxed);
      return true;
    } catch (const std::exception& error) {
      text = error.what();
    }
    // Copies of values that are in memory too are the first to go when the disk is full.
    if (round == 0 && drop_copies() == 0) break;
  }
  note_problem(text);
  refused_until_.store(ticks_now() + kRefusalTicks, std::memory_order_relaxed);
  for (Held* const held : batch.dirty) give_up(*held, false);
  batch.dirty.clear();
  return false;
}

std::size_t ObjectStore::drop_copies() noexcept {
  SpillFile* const made = made_file_.load(std::memory_order_acquire);
  if (made == nullptr) return 0;
  std::size_t bytes = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (Held& held : shard.entries) {
      if (Held::state_of(held.word.load(std::memory_order_acquire)) != Held::Resident || !held.copy.valid()) continue;
      bytes += held.copy.bytes;
      made->free(std::exchange(held.copy, SpillTicket()));
    }
  }
  if (bytes != 0) made->punch_freed();
  return bytes;
}

// Ends a claim without effect.
void ObjectStore::give_up(Held& held, bool for_good) noexcept {
  Shard& shard = shard_of(&held);
  std::unique_lock lock(shard.mutex);
  if (for_good && held.spillable) {
    shard.spillable_bytes.fetch_sub(held.bytes, std::memory_order_relaxed);
    held.spillable = false;
  }
  change_state(held, Held::Writing, Held::Resident);
  shard.changed.notify_all();
  if ((held.word.load(std::memory_order_acquire) & Held::kDoomed) != 0) finish(held, lock, true);
}

// The copy is on disk: lets the value go, unless somebody pinned it meanwhile. Returns the bytes freed.
std::size_t ObjectStore::evict(Held& held) noexcept {
  Shard& shard = shard_of(&held);
  std::unique_lock lock(shard.mutex);
  const std::size_t bytes = held.bytes;
  std::uint32_t expected = Held::Writing;
  if (!held.word.compare_exchange_strong(expected, Held::Evicting, std::memory_order_acq_rel)) {
    if ((expected & Held::kDoomed) != 0) {
      finish(held, lock, true);
      return bytes;
    }
    change_state(held, Held::Writing, Held::Resident);
    shard.changed.notify_all();
    return 0;
  }
  note_left_memory(held);
  shard.spilled_bytes.fetch_add(bytes, std::memory_order_relaxed);
  shard.spilled_objects.fetch_add(1, std::memory_order_relaxed);
  lock.unlock();
  held.type->destroy(held.value);
  if (options_.budget != nullptr) options_.budget->release(bytes);
  lock.lock();
  change_state(held, Held::Evicting, Held::Spilled);
  ahead_.went(held);
  shard.changed.notify_all();
  if ((held.word.load(std::memory_order_acquire) & Held::kDoomed) != 0) finish(held, lock, false);
  return bytes;
}

void ObjectStore::spill_batches(SpillRun& run) noexcept {
  const Moving moving;
  while (!run.done()) {
    Batch batch;
    try {
      batch.reserve();
      fill_batch(run, batch);
      if (!batch.dirty.empty() && !write_batch(batch)) run.stopped.store(true, std::memory_order_relaxed);
    } catch (const std::bad_alloc&) {
      // No memory for the lists of a batch: what is written goes, the rest stays.
      run.stopped.store(true, std::memory_order_relaxed);
      std::erase_if(batch.dirty, [this](Held* held) {
        if (held->copy.valid()) return false;
        give_up(*held, false);
        return true;
      });
    }
    for (std::vector<Held*>* const held_list : {&batch.clean, &batch.dirty}) {
      for (Held* const held : *held_list) {
        const std::size_t bytes = held->bytes;
        if (evict(*held) != 0) {
          run.spilled.fetch_add(bytes);
        } else {
          run.claimed.fetch_sub(bytes);
        }
      }
    }
  }
}

std::size_t ObjectStore::spill(std::size_t bytes) noexcept {
  if (bytes == 0) return 0;
  if (!options_.directory.usable()) {
    note_problem(options_.directory.note);
    return 0;
  }
  SpillRun run{.wanted = bytes};
  const bool helped = bytes > Batch::kBytes && options_.disk_threads != 0;
  if (helped) post({.kind = Job::Kind::Help, .run = &run});
  spill_batches(run);
  if (helped) {
    std::unique_lock lock(jobs_mutex_);
    std::erase_if(jobs_, [&run](const Job& job) { return job.run == &run; });
    jobs_changed_.wait(lock, [&run] { return run.helpers == 0; });
  }
  const std::size_t spilled = run.spilled.load();
  if (spilled != 0) {
    return_freed_heap();
    tell_watcher();
  }
  return spilled;
}

// --- the disk threads --------------------------------------------------------------------------------------------

void ObjectStore::spill_soon(std::size_t bytes) {
  {
    const std::lock_guard lock(jobs_mutex_);
    for (Job& job : jobs_) {
      if (job.kind != Job::Kind::Spill) continue;
      job.bytes = std::max(job.bytes, bytes);
      return;
    }
  }
  post({.kind = Job::Kind::Spill, .bytes = bytes});
}

void ObjectStore::spill_between_marks() noexcept {
  if (options_.budget != nullptr) options_.budget->set_listener(this);
}

void ObjectStore::budget_is_high() noexcept {
  if (const std::size_t bytes = above_low_mark(); bytes != 0) spill_soon(bytes);
}

// Returns 0 unless the high mark was passed and nobody has been below the low one since.
std::size_t ObjectStore::above_low_mark() const noexcept {
  const Budget* const budget = options_.budget;
  if (budget == nullptr || !budget->is_high()) return 0;
  const std::size_t used = budget->used();
  return used > budget->low_mark() ? used - budget->low_mark() : 0;
}

void ObjectStore::post(const Job& job) {
  {
    const std::lock_guard lock(jobs_mutex_);
    if (stopping_) return;
    jobs_.push_back(job);
    if (jobs_.size() > idle_threads_ && threads_.size() < std::max(1u, options_.disk_threads)) start_thread();
  }
  jobs_changed_.notify_all();
}

// Signals are the application's: its own threads hear them.
void ObjectStore::start_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    threads_.emplace_back([this] { work(); });
    ::pthread_setname_np(threads_.back().native_handle(), "weft-disk");
  } catch (const std::exception&) {
    // Without another thread the callers write by themselves; what was to be read ahead is read when needed.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// The high mark is told once: what is reserved while this writes must be made room for here too.
void ObjectStore::spill_for(std::size_t bytes) noexcept {
  bool freed = false;
  while (bytes != 0 && spill(bytes) != 0) {
    freed = true;
    bytes = above_low_mark();
  }
  if (freed) return;
  // Everything is pinned, or the disk refuses: asking again at once would keep a core busy with it.
  {
    std::unique_lock lock(jobs_mutex_);
    jobs_changed_.wait_for(lock, kPauseAfterNothing, [this] { return stopping_; });
  }
  tell_watcher();
}

void ObjectStore::work() noexcept {
  std::unique_lock lock(jobs_mutex_);
  for (;;) {
    ++idle_threads_;
    const auto wanted = [this] { return stopping_ || !jobs_.empty(); };
    if (!jobs_changed_.wait_for(lock, kIdleTime, wanted)) {
      lock.unlock();
      give_back_free_memory();
      lock.lock();
      jobs_changed_.wait(lock, wanted);
    }
    --idle_threads_;
    if (stopping_) return;
    const Job job = jobs_.front();
    jobs_.pop_front();
    if (job.kind == Job::Kind::Help) ++job.run->helpers;
    lock.unlock();
    switch (job.kind) {
      case Job::Kind::Help:
        spill_batches(*job.run);
        break;
      case Job::Kind::Spill:
        spill_for(job.bytes);
        break;
      case Job::Kind::Read:
        if (read_ahead(job)) {
          tell_watcher();
        } else {
          ahead_.done(job.bytes);
        }
        break;
    }
    lock.lock();
    if (job.kind == Job::Kind::Help && --job.run->helpers == 0) jobs_changed_.notify_all();
  }
}

}  // namespace weft

#include "core/memory/object_store.hpp"

#include "core/diagnostics/assert.hpp"
#include "core/diagnostics/ticks.hpp"
#include "core/memory/limits.hpp"
#include "core/memory/pool.hpp"

#include <weft/error.hpp>

#include <malloc.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace weft {

namespace {

/// About a second, by which values read ahead are taken for fresher than those in use.
constexpr Ticks kReadAheadGrace = Ticks{1} << 31;
/// About a hundredth of a second: at the rate of a disk some 20 MiB.
constexpr Ticks kHeapLookTicks = Ticks{1} << 25;
/// Free memory of the C library that is not worth the trouble, with the program itself.
constexpr std::size_t kHeapSlackBytes = std::size_t{16} << 20;
/// Most bytes that lie in memory, or are on their way, because somebody may soon want them; and an eighth of the
/// budget.
constexpr std::size_t kReadAheadBytes = std::size_t{64} << 20;

std::size_t shard_of_thread(std::size_t shards) {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return mine % shards;
}

void add(std::atomic<std::size_t>& counter, std::size_t bytes) { counter.fetch_add(bytes, std::memory_order_relaxed); }
void subtract(std::atomic<std::size_t>& counter, std::size_t bytes) {
  counter.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace

thread_local bool ObjectStore::moving_here = false;

ObjectStore::ObjectStore(ObjectStoreOptions options) : options_(std::move(options)) {}

ObjectStore::~ObjectStore() {
  if (options_.budget != nullptr) options_.budget->set_listener(nullptr);
  {
    const std::lock_guard lock(jobs_mutex_);
    stopping_ = true;
  }
  jobs_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  WEFT_ASSERT(resident_bytes() == 0 && spilled_bytes() == 0, "every result is released before its store ends");
}

// --- entries -----------------------------------------------------------------------------------------------------

Held* ObjectStore::put(const ValueType& type, const PayloadOps* payload, void* place, std::size_t bytes,
                       std::int64_t priority, void (*gone)(void* place) noexcept) {
  const std::size_t at = shard_of_thread(kShards);
  Shard& shard = shards_[at];
  const std::lock_guard lock(shard.mutex);
  Held* held = shard.free;
  if (held != nullptr) {
    shard.free = held->next_free;
  } else {
    held = &shard.entries.emplace_back();
    held->shard = static_cast<std::uint32_t>(at);
  }
  held->serial = next_serial_.fetch_add(1, std::memory_order_relaxed);
  held->value = place;
  held->type = &type;
  held->payload = payload != nullptr && payload->data(place) != nullptr ? payload : nullptr;
  held->gone = gone;
  held->bytes = bytes;
  held->spillable = options_.directory.usable() && bytes >= options_.smallest_spilled_bytes &&
                    (held->payload != nullptr || (type.encode != nullptr && type.decode != nullptr));
  held->priority.store(priority, std::memory_order_relaxed);
  held->last_use.store(ticks_now(), std::memory_order_relaxed);
  note_in_memory(*held);
  held->word.store(Held::Resident, std::memory_order_release);
  return held;
}

void ObjectStore::unpin(Held* held) noexcept {
  held->last_use.store(ticks_now(), std::memory_order_relaxed);
  // release: what the user read happens before the value is destroyed.
  held->word.fetch_sub(Held::kPin, std::memory_order_release);
}

void ObjectStore::change_state(Held& held, Held::State from, Held::State to) noexcept {
  // Pins may come and go meanwhile, so the state moves by a difference.
  held.word.fetch_add(static_cast<std::uint32_t>(to) - static_cast<std::uint32_t>(from), std::memory_order_acq_rel);
}

void ObjectStore::note_in_memory(Held& held) noexcept {
  Shard& shard = shard_of(&held);
  add(shard.resident_bytes, held.bytes);
  if (held.spillable) add(shard.spillable_bytes, held.bytes);
}

void ObjectStore::note_left_memory(Held& held) noexcept {
  Shard& shard = shard_of(&held);
  subtract(shard.resident_bytes, held.bytes);
  if (held.spillable) subtract(shard.spillable_bytes, held.bytes);
}

// The store may end with its last result, so that no disk thread may be the one that lets it go: whoever releases a
// value that is being moved waits until it is moved. Only a thread that is moving values itself (one it destroyed held
// this one) leaves a mark instead, which the mover finds: it might wait for itself.
void ObjectStore::release(Held* held) noexcept {
  Shard& shard = shard_of(held);
  std::unique_lock lock(shard.mutex);
  for (;;) {
    const std::uint32_t word = held->word.load(std::memory_order_acquire);
    WEFT_ASSERT(word < Held::kDoomed, "a result is released once, and by its last user");
    switch (Held::state_of(word)) {
      case Held::Fresh:
        ahead_.done(held->bytes);
        finish(*held, lock, true);
        return;
      case Held::Resident:
        finish(*held, lock, true);
        return;
      case Held::Spilled:
        finish(*held, lock, false);
        return;
      case Held::Writing:
      case Held::Evicting:
      case Held::Reading:
        if (moving_here) {
          held->word.fetch_or(Held::kDoomed, std::memory_order_acq_rel);
          return;
        }
        shard.changed.wait(lock);
        break;
      case Held::Free:
        WEFT_ASSERT(false, "only results that are still held are released");
    }
  }
}

// Takes the entry out of use and then, without the lock, ends the value.
void ObjectStore::finish(Held& held, std::unique_lock<std::mutex>& lock, bool value_lives) noexcept {
  Shard& shard = shard_of(&held);
  void* const value = held.value;
  const ValueType& type = *held.type;
  const auto gone = held.gone;
  const std::size_t bytes = held.bytes;
  const SpillTicket copy = std::exchange(held.copy, SpillTicket());
  if (value_lives) {
    note_left_memory(held);
  } else {
    ahead_.forget(held);
    subtract(shard.spilled_bytes, bytes);
    subtract(shard.spilled_objects, 1);
  }
  // The same entry may serve another value as soon as the lock is gone.
  held.serial = 0;
  held.word.store(Held::Free, std::memory_order_release);
  held.next_free = std::exchange(shard.free, &held);
  lock.unlock();
  if (copy.valid()) {
    made_file_.load(std::memory_order_acquire)->free(copy);
    refused_until_.store(0, std::memory_order_relaxed);
  }
  if (value_lives) type.destroy(value);
  if (value_lives && options_.budget != nullptr) options_.budget->release(bytes);
  // Last of all: with the place may go the store.
  if (gone != nullptr) gone(value);
}

// --- coming back -------------------------------------------------------------------------------------------------

// 1. The pin is counted already: from now on nobody takes the value away, but it may still be on its way out or in.
// 2. The first of those who want it marks it Reading and reads it, the others wait for the change.
// 3. Where the read fails the value stays Spilled, and each of them takes its pin back; the next pin tries again.
void* ObjectStore::pin_absent(Held* held) {
  Shard& shard = shard_of(held);
  std::unique_lock lock(shard.mutex);
  for (;;) {
    switch (Held::state_of(held->word.load(std::memory_order_acquire))) {
      case Held::Resident:
      case Held::Writing:
        return held->value;
      case Held::Evicting:
      case Held::Reading:
        shard.changed.wait(lock);
        break;
      case Held::Fresh:
        change_state(*held, Held::Fresh, Held::Resident);
        ahead_.done(held->bytes);
        lock.unlock();
        read_ahead_more();
        return held->value;
      case Held::Spilled: {
        change_state(*held, Held::Spilled, Held::Reading);
        ahead_.missed(*held);
        lock.unlock();
        std::exception_ptr failure;
        reserve(held->bytes);
        read_ahead_more();
        try {
          bring_back(*held);
        } catch (...) {
          failure = std::current_exception();
          if (options_.budget != nullptr) options_.budget->release(held->bytes);
        }
        lock.lock();
        came_back(*held, failure == nullptr, Held::Resident);
        if (failure != nullptr) held->word.fetch_sub(Held::kPin, std::memory_order_release);
        shard.changed.notify_all();
        lock.unlock();
        tell_watcher();
        if (failure != nullptr) std::rethrow_exception(failure);
        return held->value;
      }
      case Held::Free:
        WEFT_ASSERT(false, "only results that are still held are pinned");
    }
  }
}

// Who writes it finds the pin, and makes it Resident again.
void ObjectStore::wait_for_writer(Held* held) {
  Shard& shard = shard_of(held);
  std::unique_lock lock(shard.mutex);
  shard.changed.wait(lock, [&] { return Held::state_of(held->word.load(std::memory_order_acquire)) != Held::Writing; });
}

// Who finds no room goes on all the same: the task it works for may be the only one that can ever free any.
void ObjectStore::reserve(std::size_t bytes) noexcept {
  Budget* const budget = options_.budget;
  if (budget == nullptr) return;
  if (budget->try_reserve(bytes)) return;
  // A little more than is missing, so that the next ones find room.
  const std::size_t available = budget->available();
  spill(std::max(bytes > available ? bytes - available : 0, budget->limit() / 64));
  if (!budget->try_reserve(bytes)) budget->reserve_anyway(bytes);
}

// The state is Reading: nobody else looks at the place or the copy.
void ObjectStore::bring_back(Held& held) {
  const SpillTicket copy = held.copy;
  if (held.payload != nullptr) {
    void* const into = held.payload->make(held.value, copy.bytes);
    try {
      file().read(copy, {static_cast<std::byte*>(into), copy.bytes});
    } catch (...) {
      held.type->destroy(held.value);
      throw;
    }
    return;
  }
  Buffer encoded = Buffer::allocate(copy.bytes);
  file().read(copy, {encoded.data(), encoded.size()});
  Reader reader(encoded.data(), encoded.size());
  held.type->decode(held.value, reader);
}

// The shard's mutex is held; the value is there, or the read has failed.
void ObjectStore::came_back(Held& held, bool good, Held::State state) noexcept {
  Shard& shard = shard_of(&held);
  if (good) {
    note_in_memory(held);
    subtract(shard.spilled_bytes, held.bytes);
    subtract(shard.spilled_objects, 1);
  } else {
    ahead_.went(held);
  }
  change_state(held, Held::Reading, good ? state : Held::Spilled);
}

void ObjectStore::prefetch(Held* held) {
  Job job{.kind = Job::Kind::Read, .held = held};
  {
    const std::lock_guard lock(shard_of(held).mutex);
    if (Held::state_of(held->word.load(std::memory_order_relaxed)) != Held::Spilled) return;
    job.serial = held->serial;
    job.bytes = held->bytes;
  }
  ahead_.begun(job.bytes);
  post(job);
}

void ObjectStore::read_ahead_more() {
  const std::size_t window = options_.budget != nullptr ? options_.budget->limit() / 8 : kReadAheadBytes;
  for (const ReadAhead::Next& next : ahead_.next(std::min(window, kReadAheadBytes))) {
    post({.kind = Job::Kind::Read, .bytes = next.bytes, .held = next.held, .serial = next.serial});
  }
}

// Returns whether the value is there now because of this job.
bool ObjectStore::read_ahead(const Job& job) noexcept {
  Held& held = *job.held;
  Budget* const budget = options_.budget;
  // What was not used for longest makes room, mostly without a write; where that is not enough, nothing is read ahead.
  const std::size_t available = budget != nullptr ? budget->available() : job.bytes;
  if (available < job.bytes) spill(job.bytes - available);
  Shard& shard = shard_of(&held);
  std::unique_lock lock(shard.mutex);
  const std::uint32_t word = held.word.load(std::memory_order_acquire);
  if (held.serial != job.serial || Held::state_of(word) != Held::Spilled) return false;
  if (budget != nullptr && !budget->try_reserve(held.bytes)) return false;
  change_state(held, Held::Spilled, Held::Reading);
  ahead_.forget(held);
  lock.unlock();
  const Moving moving;
  bool good = true;
  try {
    bring_back(held);
  } catch (...) {
    // Whoever needs the value reads it again, and hears of what is wrong.
    good = false;
    if (budget != nullptr) budget->release(held.bytes);
  }
  // It has not been of use yet, and goes after all that has been: else what was just read would push out what is next.
  held.last_use.store(ticks_now() + kReadAheadGrace, std::memory_order_relaxed);
  lock.lock();
  came_back(held, good, Held::Fresh);
  shard.changed.notify_all();
  if ((held.word.load(std::memory_order_acquire) & Held::kDoomed) == 0) return good;
  finish(held, lock, good);
  return false;
}

// --- numbers -----------------------------------------------------------------------------------------------------

std::size_t ObjectStore::resident_bytes() const noexcept {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.resident_bytes.load(std::memory_order_relaxed);
  return sum;
}

std::size_t ObjectStore::spillable_bytes() const noexcept {
  if (const Ticks refused = refused_until_.load(std::memory_order_relaxed); refused != 0 && ticks_now() < refused) {
    return 0;
  }
  std::size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.spillable_bytes.load(std::memory_order_relaxed);
  return sum;
}

std::size_t ObjectStore::spilled_bytes() const noexcept {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.spilled_bytes.load(std::memory_order_relaxed);
  return sum;
}

void ObjectStore::sample() noexcept {
  if (options_.budget != nullptr) options_.budget->sample(read_resident_bytes(), Pool::global().cached_bytes());
}

void ObjectStore::give_back_free_memory() noexcept {
  Pool::global().trim();
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

// The C library keeps what values outside the pool have freed, and a result that was spilled would still be resident.
// Looked at every 10 ms at most, and only while bytes are being moved.
void ObjectStore::return_freed_heap() noexcept {
  const Budget* const budget = options_.budget;
  if (budget == nullptr) return;
  Ticks next = next_heap_look_.load(std::memory_order_relaxed);
  const Ticks now = ticks_now();
  if (now < next || !next_heap_look_.compare_exchange_strong(next, now + kHeapLookTicks)) return;
  const std::size_t resident = read_resident_bytes();
  const std::size_t explained = budget->reserved() + Pool::global().cached_bytes();
  const std::size_t slack = std::max(kHeapSlackBytes, budget->limit() / 32);
#if defined(__GLIBC__)
  if (resident > explained + slack) ::malloc_trim(0);
#endif
}

MemoryReport ObjectStore::report() const {
  MemoryReport report;
  if (const Budget* const budget = options_.budget; budget != nullptr) {
    report.budget_bytes = budget->limit();
    report.used_bytes = budget->used();
    report.peak_bytes = budget->peak();
    report.unmanaged_bytes = budget->unmanaged();
  }
  report.held_bytes = resident_bytes();
  std::size_t spillable = 0;
  for (const Shard& shard : shards_) spillable += shard.spillable_bytes.load(std::memory_order_relaxed);
  report.not_spillable_bytes = report.held_bytes > spillable ? report.held_bytes - spillable : 0;
  report.cached_bytes = Pool::global().cached_bytes();
  const ResidentMemory resident = read_resident();
  report.resident_bytes = resident.resident_bytes;
  report.peak_resident_bytes = resident.peak_bytes;
  report.spilled_bytes = spilled_bytes();
  for (const Shard& shard : shards_) report.spilled_objects += shard.spilled_objects.load(std::memory_order_relaxed);
  report.spill_directory = options_.directory.path;
  report.spill_file_system = options_.directory.kind.name;
  report.spill_note = options_.directory.note;
  if (const std::string text = problem(); !text.empty()) report.spill_note = text;
  if (const SpillFile* const made = made_file_.load(std::memory_order_acquire)) {
    const SpillFileCounts counts = made->counts();
    report.spill_written_bytes = counts.written_bytes;
    report.spill_read_bytes = counts.read_bytes;
    report.spill_write_rate = counts.write_rate();
    report.spill_read_rate = counts.read_rate();
  }
  return report;
}

std::string ObjectStore::problem() const {
  const std::lock_guard lock(file_mutex_);
  return problem_;
}

void ObjectStore::note_problem(const std::string& text) {
  const std::lock_guard lock(file_mutex_);
  problem_ = text;
}

}  // namespace weft

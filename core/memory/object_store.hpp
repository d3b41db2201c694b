#pragma once

#include "core/memory/budget.hpp"
#include "core/memory/held.hpp"
#include "core/memory/read_ahead.hpp"
#include "core/memory/spill_directory.hpp"
#include "core/memory/spill_file.hpp"

#include <weft/memory.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weft {

/// Hears that values were moved to disk or back, or that spill_soon() could move none: whoever waits for room looks
/// again. On the thread that moved them; must not block.
class StoreWatcher {
 public:
  virtual ~StoreWatcher() = default;
  virtual void values_moved() noexcept = 0;
};

struct ObjectStoreOptions {
  /// Charged for values in memory; null: nobody is.
  Budget* budget = nullptr;
  /// Outlives the store; null: nobody.
  StoreWatcher* watcher = nullptr;
  /// Where spilled bytes go; not usable: nothing is ever spilled.
  SpillDirectory directory;
  /// Smaller values are never spilled: the bookkeeping would cost more than they hold.
  std::size_t smallest_spilled_bytes = 4096;
  /// Threads that write beside the caller of spill(), and read ahead. They start when first needed.
  unsigned disk_threads = 2;
  std::size_t segment_bytes = std::size_t{512} << 20;
  bool direct = true;
  Disk* disk = &Disk::system();
};

/// Holds results too big for a task record, in memory or on disk.
///
/// put() hands a value over with the bytes that were reserved for it; from then on the store releases them when the
/// value is spilled or gone, and reserves them again when it comes back. pin() is one atomic while the value is in
/// memory; else it reads the value back, if need be by spilling others, and beyond the budget rather than never: a
/// reader never waits for another reader's pins. spill() takes the least useful first: lowest priority, then longest
/// unused. Values read back one after the other, in the order in which they went or the opposite one, are read ahead of
/// their readers. What it cannot write stays in memory, and problem() says why.
/// Values whose bytes lie in one block (Buffer, Chunk, std::vector of plain values) go to disk from where they lie.
/// Owns: the values (not the places they lie in), the spill file, its threads.
/// Threading: any thread; a mutex a shard for put, release and changes of state. No mutex is held while bytes move or
/// while user code runs.
class ObjectStore final : private Budget::Listener {
 public:
  explicit ObjectStore(ObjectStoreOptions options);
  /// Every entry must have been released.
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  /// Reserves `bytes` in the budget for a value that is there or will be. Without room the caller spills others first,
  /// so that whoever makes values is held to the rate of the disk; where nothing can go, the budget is passed.
  void reserve(std::size_t bytes) noexcept;

  /// Takes over the value at `place`; `bytes` are reserved in the budget already. `gone` is called once, when the place
  /// is no longer needed: at the end of release().
  Held* put(const ValueType& type, const PayloadOps* payload, void* place, std::size_t bytes, std::int64_t priority,
            void (*gone)(void* place) noexcept);

  /// Returns the value, in memory until unpin(). Throws MemoryError where it cannot be read back; it may be tried
  /// again.
  void* pin(Held* held) {
    const std::uint32_t before = held->word.fetch_add(Held::kPin, std::memory_order_acquire);
    return Held::in_memory(before) ? held->value : pin_absent(held);
  }
  /// Waits until the disk no longer reads a pinned value: before it is moved from or changed.
  void settle(Held* held) {
    if (Held::state_of(held->word.load(std::memory_order_acquire)) == Held::Writing) [[unlikely]]
      wait_for_writer(held);
  }
  void unpin(Held* held) noexcept;
  /// The same, and says anew how soon the value is needed: higher stays longer.
  void unpin(Held* held, std::int64_t priority) noexcept {
    held->priority.store(priority, std::memory_order_relaxed);
    unpin(held);
  }
  /// Destroys the value, after the disk is done with it where it is just being written or read ahead. Nobody pins it
  /// any more. With the place of its last value the store itself may end.
  void release(Held* held) noexcept;
  bool in_memory(const Held* held) const noexcept {
    const std::uint32_t word = held->word.load(std::memory_order_acquire);
    return Held::in_memory(word) || Held::state_of(word) == Held::Fresh;
  }

  /// Moves values to disk until `bytes` were freed or nothing more can be. Returns the bytes freed. Blocks.
  std::size_t spill(std::size_t bytes) noexcept;
  /// The same on a disk thread. Where nothing can be freed it pauses before it tells the watcher, who may ask again.
  void spill_soon(std::size_t bytes);
  /// Makes the budget's marks call spill_soon(), down to the low one. Called before other threads use the budget.
  void spill_between_marks() noexcept;
  /// Charges the budget for resident memory that nobody reserved; some microseconds, for a timer of 10 a second.
  void sample() noexcept;
  /// Gives the free memory of the pool and of malloc back to the system: for the end of a graph and for idle times.
  static void give_back_free_memory() noexcept;
  /// Begins to read a spilled value back on a disk thread, in the place of what was not used for longest.
  void prefetch(Held* held);

  /// Returns the sentence of the last failure to spill, or "" where the last attempt went well.
  std::string problem() const;
  /// Makes the spill file now and measures the disk, so that a start-up line can tell its rate.
  void measure();

  /// Bytes of values in memory, and the part of them that may go to disk; none for a second after the disk refused.
  std::size_t resident_bytes() const noexcept;
  std::size_t spillable_bytes() const noexcept;
  std::size_t spilled_bytes() const noexcept;
  /// Fills the parts of a report that the store, its budget, the pool and the process know.
  MemoryReport report() const;

 private:
  static constexpr std::size_t kShards = 16;

  struct alignas(64) Shard {
    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by mutex.
    std::deque<Held> entries;
    Held* free = nullptr;
    // Written under mutex, read by anyone.
    std::atomic<std::size_t> resident_bytes{0};
    std::atomic<std::size_t> spillable_bytes{0};
    std::atomic<std::size_t> spilled_bytes{0};
    std::atomic<std::size_t> spilled_objects{0};
  };
  /// An entry that may be spilled next, as it was when candidates were last collected.
  struct Victim {
    Held* held = nullptr;
    std::uint64_t serial = 0;
    std::int64_t priority = 0;
    std::uint64_t last_use = 0;
    std::size_t bytes = 0;
  };
  /// One call of spill(), in which disk threads take part.
  struct SpillRun {
    const std::size_t wanted;
    // What somebody has taken on to free, and what is free.
    std::atomic<std::size_t> claimed{0};
    std::atomic<std::size_t> spilled{0};
    std::atomic<bool> stopped{false};
    // Guarded by jobs_mutex_.
    int helpers = 0;

    bool done() const { return stopped.load(std::memory_order_relaxed) || claimed.load() >= wanted; }
  };
  struct Job {
    enum class Kind : std::uint8_t { Help, Spill, Read } kind = Kind::Help;
    SpillRun* run = nullptr;
    std::size_t bytes = 0;
    Held* held = nullptr;
    std::uint64_t serial = 0;
  };
  struct Batch;
  /// Marks this thread as moving values between memory and disk.
  static thread_local bool moving_here;
  class Moving {
   public:
    Moving() : before_(std::exchange(moving_here, true)) {}
    ~Moving() { moving_here = before_; }
    Moving(const Moving&) = delete;
    Moving& operator=(const Moving&) = delete;

   private:
    const bool before_;
  };

  void budget_is_high() noexcept override;
  void budget_is_low() noexcept override {}
  std::size_t above_low_mark() const noexcept;
  void spill_for(std::size_t bytes) noexcept;

  Shard& shard_of(const Held* held) { return shards_[held->shard]; }
  static void change_state(Held& held, Held::State from, Held::State to) noexcept;
  void finish(Held& held, std::unique_lock<std::mutex>& lock, bool value_lives) noexcept;
  void note_left_memory(Held& held) noexcept;
  void note_in_memory(Held& held) noexcept;

  void* pin_absent(Held* held);
  void wait_for_writer(Held* held);
  void bring_back(Held& held);
  void came_back(Held& held, bool good, Held::State state) noexcept;

  void spill_batches(SpillRun& run) noexcept;
  void fill_batch(SpillRun& run, Batch& batch);
  bool take_victim(Victim& victim, std::size_t wanted);
  void collect_victims(std::size_t wanted);
  bool claim(const Victim& victim);
  bool prepare(Held& held, Batch& batch);
  bool write_batch(Batch& batch);
  void give_up(Held& held, bool for_good) noexcept;
  std::size_t evict(Held& held) noexcept;
  std::size_t drop_copies() noexcept;
  SpillFile& file();
  void note_problem(const std::string& text);

  void return_freed_heap() noexcept;
  void tell_watcher() const noexcept {
    if (options_.watcher != nullptr) options_.watcher->values_moved();
  }
  void read_ahead_more();
  void post(const Job& job);
  void start_thread();
  void work() noexcept;
  bool read_ahead(const Job& job) noexcept;

  // Constant after construction.
  const ObjectStoreOptions options_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> next_serial_{1};

  // Guarded by file_mutex_ while it is made; never changes afterwards.
  mutable std::mutex file_mutex_;
  std::unique_ptr<SpillFile> file_;
  std::atomic<SpillFile*> made_file_{nullptr};
  std::atomic<std::uint64_t> refused_until_{0};
  std::atomic<std::uint64_t> next_heap_look_{0};
  std::string problem_;

  ReadAhead ahead_;

  // Guarded by victims_mutex_: the least useful last.
  std::mutex victims_mutex_;
  std::vector<Victim> victims_;

  // Guarded by jobs_mutex_.
  std::mutex jobs_mutex_;
  std::condition_variable jobs_changed_;
  std::deque<Job> jobs_;
  std::vector<std::thread> threads_;
  unsigned idle_threads_ = 0;
  bool stopping_ = false;
};

}  // namespace weft

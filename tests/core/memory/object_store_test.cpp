#include "core/memory/object_store.hpp"

#include "core/memory/pool.hpp"
#include "tests/core/memory/faulty_disk.hpp"

#include <weft/buffer.hpp>
#include <weft/error.hpp>
#include <weft/value.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace weft {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::atomic<int> g_places{0};

/// A value in a place of its own, as a box of the executor is.
template <class T>
struct Place {
  alignas(T) std::byte bytes[sizeof(T)];

  static void* make(T value) {
    ++g_places;
    auto* const place = new Place;
    ::new (static_cast<void*>(place->bytes)) T(std::move(value));
    return place->bytes;
  }
  static void gone(void* place) noexcept {
    --g_places;
    delete static_cast<Place*>(place);
  }
};

/// Cannot travel.
struct Rooted {
  explicit Rooted(std::size_t size) : bytes(size) {}
  Rooted(const Rooted&) = delete;
  Rooted(Rooted&&) = default;
  std::vector<std::byte> bytes;
  std::unique_ptr<int> handle = std::make_unique<int>(1);
};

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() {
    std::string pattern = testing::TempDir() + "weft_store_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ObjectStoreTest() override {
    store_.reset();
    EXPECT_EQ(g_places, 0) << "a place was not given back";
    EXPECT_EQ(budget_->reserved(), 0u);
    std::filesystem::remove_all(folder_);
  }

  ObjectStore& open(std::size_t limit_bytes, unsigned disk_threads = 2) {
    budget_ = std::make_unique<Budget>(limit_bytes);
    ObjectStoreOptions options;
    options.budget = budget_.get();
    options.watcher = watcher_;
    options.directory = check_spill_directory(folder_, true, disk_);
    options.disk_threads = disk_threads;
    options.segment_bytes = 8 * kMiB;
    options.disk = &disk_;
    store_ = std::make_unique<ObjectStore>(std::move(options));
    return *store_;
  }
  template <class T>
  Held* put(T value, std::int64_t priority = 0) {
    const std::size_t bytes = size_of(value);
    budget_->reserve_anyway(bytes);
    return store_->put(value_type<T>, payload_ops<T>, Place<T>::make(std::move(value)), bytes, priority,
                       Place<T>::gone);
  }
  template <class T>
  const T& get(Held* held) {
    return *static_cast<const T*>(store_->pin(held));
  }
  static Chunk<int> numbers(std::size_t count, int first) {
    Chunk<int> chunk(count);
    std::iota(chunk.begin(), chunk.end(), first);
    return chunk;
  }

  std::string folder_;
  FaultyDisk disk_;
  StoreWatcher* watcher_ = nullptr;
  std::unique_ptr<Budget> budget_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(ObjectStoreTest, ResidentValueIsPinnedWhereItLies) {
  ObjectStore& store = open(10 * kMiB);
  Held* const held = put(std::string(10'000, 'x'));
  const void* const place = store.pin(held);
  EXPECT_EQ(store.pin(held), place);
  store.unpin(held);
  store.unpin(held);
  EXPECT_EQ(store.resident_bytes(), budget_->reserved());
  store.release(held);
  EXPECT_EQ(store.resident_bytes(), 0u);
}

TEST_F(ObjectStoreTest, SpilledValuesOfEveryKindComeBackEqual) {
  ObjectStore& store = open(100 * kMiB);
  const std::map<std::string, std::vector<int>> table{{"a", std::vector<int>(3000, 7)}, {"b", {1, 2, 3}}};
  Held* const chunk = put(numbers(5'000'001, 3));
  Held* const vector = put(std::vector<double>(100'000, 0.5));
  Held* const map = put(table);
  const std::size_t pool_before = Pool::global().live_bytes();
  const std::size_t spilled = store.spill(~std::size_t{0});
  EXPECT_GT(spilled, 4'000'000u);
  EXPECT_EQ(store.resident_bytes(), 0u);
  EXPECT_EQ(budget_->reserved(), 0u);
  EXPECT_LT(Pool::global().live_bytes() + 10 * kMiB, pool_before);
  EXPECT_FALSE(store.in_memory(chunk));
  EXPECT_EQ(get<Chunk<int>>(chunk), numbers(5'000'001, 3));
  EXPECT_EQ(get<std::vector<double>>(vector), std::vector<double>(100'000, 0.5));
  EXPECT_EQ((get<std::map<std::string, std::vector<int>>>(map)), table);
  EXPECT_EQ(store.spilled_bytes(), 0u);
  EXPECT_EQ(budget_->reserved(), spilled);
  for (Held* const held : {chunk, vector, map}) {
    store.unpin(held);
    store.release(held);
  }
}

TEST_F(ObjectStoreTest, ChunkGoesToDiskFromWhereItLies) {
  ObjectStore& store = open(100 * kMiB);
  Held* const held = put(numbers(4 * kMiB / sizeof(int), 0));
  const std::size_t mapped = Pool::global().counts().peak_mapped_bytes;
  ASSERT_EQ(store.spill(1), sizeof(Chunk<int>) + 4 * kMiB);
  // Only the bounce buffer and a span for headers may be new.
  EXPECT_LE(Pool::global().counts().peak_mapped_bytes, mapped + 3 * kMiB);
  EXPECT_EQ(disk_.writes, 1u);
  store.release(held);
}

TEST_F(ObjectStoreTest, AValueIsNotTakenWhileTheDiskReadsIt) {
  ObjectStore& store = open(100 * kMiB);
  Held* const held = put(numbers(4 * kMiB / sizeof(int), 0));
  disk_.hold_writes = true;
  std::thread spiller([&] { store.spill(1); });
  while (disk_.held_writes == 0) std::this_thread::yield();
  EXPECT_EQ(get<Chunk<int>>(held)[5], 5);  // may be looked at meanwhile
  std::atomic<bool> settled{false};
  std::thread taker([&] {
    store.settle(held);
    settled = true;
  });
  for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
  EXPECT_FALSE(settled);
  disk_.hold_writes = false;
  disk_.hold_writes.notify_all();
  taker.join();
  spiller.join();
  EXPECT_TRUE(store.in_memory(held));
  store.unpin(held);
  store.release(held);
}

TEST_F(ObjectStoreTest, LeastUsefulGoesFirst) {
  ObjectStore& store = open(100 * kMiB);
  Held* const needed_soon = put(numbers(50'000, 0), 9);
  Held* const old = put(numbers(50'000, 1), 5);
  Held* const recent = put(numbers(50'000, 2), 5);
  Held* const least = put(numbers(50'000, 3), 1);
  store.pin(recent);
  store.unpin(recent);
  EXPECT_GT(store.spill(1), 0u);
  EXPECT_FALSE(store.in_memory(least));
  EXPECT_GT(store.spill(1), 0u);
  EXPECT_FALSE(store.in_memory(old));
  EXPECT_TRUE(store.in_memory(recent));
  store.pin(needed_soon);
  store.unpin(needed_soon, 0);
  EXPECT_GT(store.spill(1), 0u);
  EXPECT_FALSE(store.in_memory(needed_soon));
  for (Held* const held : {needed_soon, old, recent, least}) store.release(held);
}

TEST_F(ObjectStoreTest, PinnedSmallSharedAndRootedValuesStay) {
  ObjectStore& store = open(100 * kMiB);
  Held* const pinned = put(numbers(50'000, 0));
  Held* const tiny = put(std::string(100, 'y'));
  const Chunk<int> mine = numbers(50'000, 1);
  Held* const shared = put(mine);
  Held* const rooted = put(Rooted(500'000));
  store.pin(pinned);
  EXPECT_EQ(store.spill(~std::size_t{0}), 0u);
  EXPECT_EQ(store.report().not_spillable_bytes, store.resident_bytes() - store.spillable_bytes());
  EXPECT_LT(store.spillable_bytes(), 450'000u);
  store.unpin(pinned);
  EXPECT_GT(store.spill(~std::size_t{0}), 0u);
  for (Held* const held : {pinned, tiny, shared, rooted}) store.release(held);
}

TEST_F(ObjectStoreTest, ValueThatCameBackIsNotWrittenTwice) {
  ObjectStore& store = open(100 * kMiB);
  Held* const held = put(numbers(500'000, 0));
  store.spill(~std::size_t{0});
  get<Chunk<int>>(held);
  store.unpin(held);
  const std::size_t writes = disk_.writes;
  EXPECT_GT(store.spill(~std::size_t{0}), 0u);
  EXPECT_FALSE(store.in_memory(held));
  EXPECT_EQ(disk_.writes, writes);
  EXPECT_EQ(get<Chunk<int>>(held), numbers(500'000, 0));
  store.unpin(held);
  store.release(held);
}

TEST_F(ObjectStoreTest, ReaderMakesRoomByWhatWasNotUsedForLongest) {
  ObjectStore& store = open(4 * kMiB);
  std::vector<Held*> held;
  for (int i = 0; i < 16; ++i) {
    held.push_back(put(numbers(kMiB / sizeof(int), i)));
    if (budget_->used() > budget_->limit()) store.spill(budget_->used() - budget_->limit());
  }
  for (std::size_t i = held.size(); i-- > 0;) {
    EXPECT_EQ(get<Chunk<int>>(held[i])[5], static_cast<int>(i) + 5);
    EXPECT_LE(budget_->reserved(), budget_->limit());
    store.unpin(held[i]);
  }
  for (Held* const entry : held) store.release(entry);
}

TEST_F(ObjectStoreTest, WhoMakesValuesIsHeldToTheBudget) {
  ObjectStore& store = open(4 * kMiB);
  std::vector<Held*> held;
  for (int i = 0; i < 20; ++i) {
    Chunk<int> chunk = numbers(kMiB / sizeof(int), i);
    const std::size_t bytes = size_of(chunk);
    store.reserve(bytes);
    held.push_back(store.put(value_type<Chunk<int>>, payload_ops<Chunk<int>>, Place<Chunk<int>>::make(std::move(chunk)),
                             bytes, 0, Place<Chunk<int>>::gone));
  }
  EXPECT_LE(budget_->peak(), budget_->limit());
  EXPECT_GE(store.spilled_bytes(), 16 * kMiB);
  for (Held* const entry : held) store.release(entry);
}

TEST_F(ObjectStoreTest, SpilledHeapValuesLeaveResidentMemoryToo) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  open(kMiB);
  GTEST_SKIP() << "the sanitizer's malloc keeps what is freed";
#endif
  ObjectStore& store = open(1000 * kMiB);
  std::vector<Held*> held;
  const std::size_t before = read_resident_bytes();
  // Below the threshold from which malloc maps blocks by themselves.
  for (int i = 0; i < 1000; ++i) held.push_back(put(std::vector<double>(8'000, 1.0)));
  EXPECT_GT(read_resident_bytes(), before + 50 * kMiB);
  store.spill(~std::size_t{0});
  ObjectStore::give_back_free_memory();
  EXPECT_LT(read_resident_bytes(), before + 20 * kMiB);
  for (Held* const entry : held) store.release(entry);
}

TEST_F(ObjectStoreTest, ReaderPassesTheBudgetRatherThanWaitForOtherReaders) {
  ObjectStore& store = open(3 * kMiB);
  Held* const first = put(numbers(kMiB / 2, 1));
  store.spill(~std::size_t{0});
  Held* const second = put(numbers(kMiB / 2, 2));
  store.pin(second);
  EXPECT_EQ(get<Chunk<int>>(first)[0], 1);
  EXPECT_GT(budget_->reserved(), budget_->limit());
  store.unpin(first);
  store.unpin(second);
  store.release(first);
  store.release(second);
}

TEST_F(ObjectStoreTest, FullDiskKeepsEverythingAndSaysSo) {
  ObjectStore& store = open(100 * kMiB);
  Held* const held = put(numbers(500'000, 0));
  disk_.room = 0;
  EXPECT_EQ(store.spill(kMiB), 0u);
  EXPECT_TRUE(store.in_memory(held));
  EXPECT_NE(store.problem().find("is full"), std::string::npos) << store.problem();
  EXPECT_NE(store.report().spill_note.find(folder_), std::string::npos);
  EXPECT_EQ(store.spillable_bytes(), 0u) << "nobody should ask for what the disk has just refused";
  disk_.room = ~std::size_t{0};
  EXPECT_GT(store.spill(kMiB), 0u);
  EXPECT_EQ(store.problem(), "");
  store.release(held);
}

TEST_F(ObjectStoreTest, CopiesOfPresentValuesMakeWayOnAFullDisk) {
  ObjectStore& store = open(100 * kMiB, 0);
  Held* const first = put(numbers(500'000, 0));
  store.spill(~std::size_t{0});
  get<Chunk<int>>(first);
  Held* const second = put(numbers(500'000, 1), -1);
  disk_.room = disk_.bytes_written.load();
  EXPECT_EQ(store.spill(1), 0u);
  // The copy is given up before the failure is final; the value itself is unhurt.
  store.unpin(first);
  disk_.room = ~std::size_t{0};
  const std::size_t writes = disk_.writes;
  EXPECT_GT(store.spill(~std::size_t{0}), 0u);
  EXPECT_GT(disk_.writes, writes);
  EXPECT_EQ(get<Chunk<int>>(first), numbers(500'000, 0));
  store.unpin(first);
  store.release(first);
  store.release(second);
}

TEST_F(ObjectStoreTest, FailedReadIsAnErrorAndMayBeTriedAgain) {
  ObjectStore& store = open(100 * kMiB);
  Held* const held = put(numbers(500'000, 0));
  store.spill(~std::size_t{0});
  disk_.damage = true;
  EXPECT_THROW(store.pin(held), MemoryError);
  disk_.damage = false;
  disk_.read_error = EIO;
  EXPECT_THROW(store.pin(held), MemoryError);
  disk_.read_error = 0;
  EXPECT_EQ(budget_->reserved(), 0u);
  EXPECT_EQ(get<Chunk<int>>(held), numbers(500'000, 0));
  store.unpin(held);
  store.spill(~std::size_t{0});
  store.release(held);
}

TEST_F(ObjectStoreTest, WithoutADirectoryNothingIsSpilledAndTheNoteSaysWhy) {
  budget_ = std::make_unique<Budget>(kMiB);
  ObjectStoreOptions options;
  options.budget = budget_.get();
  options.directory.note = "there is no folder to spill to: none";
  store_ = std::make_unique<ObjectStore>(std::move(options));
  Held* const held = put(numbers(500'000, 0));
  EXPECT_EQ(store_->spillable_bytes(), 0u);
  EXPECT_EQ(store_->spill(kMiB), 0u);
  EXPECT_EQ(store_->problem(), "there is no folder to spill to: none");
  store_->release(held);
}

TEST_F(ObjectStoreTest, ReadAheadBringsAValueBackUnasked) {
  ObjectStore& store = open(100 * kMiB, 1);
  Held* const held = put(numbers(500'000, 0));
  Held* const gone = put(numbers(500'000, 1));
  store.spill(~std::size_t{0});
  store.prefetch(gone);
  store.release(gone);
  store.prefetch(held);
  // One disk thread works in order: when this one is back, so are those before it.
  while (!store.in_memory(held)) std::this_thread::yield();
  EXPECT_EQ(get<Chunk<int>>(held), numbers(500'000, 0));
  store.unpin(held);
  store.release(held);
}

TEST_F(ObjectStoreTest, SmallValuesShareAWrite) {
  ObjectStore& store = open(100 * kMiB, 0);
  std::vector<Held*> held;
  for (int i = 0; i < 200; ++i) held.push_back(put(numbers(2000, i)));
  store.spill(~std::size_t{0});
  EXPECT_EQ(store.resident_bytes(), 0u);
  EXPECT_LE(disk_.writes, 2u);
  EXPECT_EQ(get<Chunk<int>>(held[77])[1], 78);
  store.unpin(held[77]);
  for (Held* const entry : held) store.release(entry);
}

TEST_F(ObjectStoreTest, MarksOfTheBudgetMakeRoomUnasked) {
  ObjectStore& store = open(10 * kMiB, 1);
  store.spill_between_marks();
  std::vector<Held*> held;
  for (int i = 0; i < 9; ++i) held.push_back(put(numbers(kMiB / sizeof(int), i), i));
  while (budget_->used() > budget_->low_mark()) std::this_thread::yield();
  EXPECT_FALSE(store.in_memory(held[0]));
  EXPECT_TRUE(store.in_memory(held[8]));
  for (Held* const entry : held) store.release(entry);
}

class CountingWatcher final : public StoreWatcher {
 public:
  void values_moved() noexcept override { ++told; }
  std::atomic<int> told{0};
};

TEST_F(ObjectStoreTest, WatcherHearsOfEveryAttemptToMakeRoomAndOfReads) {
  CountingWatcher watcher;
  watcher_ = &watcher;
  ObjectStore& store = open(100 * kMiB, 1);
  store.spill_soon(1);
  while (watcher.told != 1) std::this_thread::yield();
  Held* const held = put(numbers(50'000, 0));
  store.spill_soon(1);
  while (watcher.told != 2) std::this_thread::yield();
  EXPECT_FALSE(store.in_memory(held));
  store.pin(held);
  EXPECT_EQ(watcher.told, 3);
  store.unpin(held);
  store.release(held);
}

TEST_F(ObjectStoreTest, MemoryOutsideThePoolIsSampledAndCharged) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  open(kMiB);
  GTEST_SKIP() << "the sanitizer's malloc keeps what is freed";
#endif
  ObjectStore& store = open(1000 * kMiB);
  Pool::global().trim();
  budget_->set_baseline(read_resident_bytes());
  std::vector<char> outside(50 * kMiB, 'x');
  store.sample();
  const std::size_t with = store.report().unmanaged_bytes;
  EXPECT_GT(with, 40 * kMiB);
  std::vector<char>().swap(outside);
  store.sample();
  EXPECT_LT(store.report().unmanaged_bytes, with - 40 * kMiB);
}

/// Holds a share of the store it lies in, as the results of a client do that is gone.
struct Tied {
  std::shared_ptr<ObjectStore> store;
  Held* held = nullptr;
  Chunk<int> chunk;
};

TEST_F(ObjectStoreTest, StoreMayEndWithItsLastValueWhileDiskThreadsAreBusy) {
  for (int i = 0; i < 30; ++i) {
    open(100 * kMiB);
    auto* const tied = new Tied{std::shared_ptr<ObjectStore>(std::move(store_)), nullptr, numbers(100'000, i)};
    budget_->reserve_anyway(400'000);
    tied->held = tied->store->put(
        value_type<Chunk<int>>, payload_ops<Chunk<int>>, &tied->chunk, 400'000, 0, [](void* place) noexcept {
          auto* const owner = reinterpret_cast<Tied*>(static_cast<std::byte*>(place) - offsetof(Tied, chunk));
          // The chunk is destroyed, or on disk, by now.
          ::new (place) Chunk<int>();
          delete owner;
        });
    tied->store->spill_soon(1);
    for (int turn = 0; turn < i * 20; ++turn) std::this_thread::yield();
    ObjectStore& store = *tied->store;
    store.release(tied->held);
    EXPECT_EQ(budget_->reserved(), 0u);
  }
}

// Readers, spillers, read-ahead and releases on few values with little room: every read must see its value whole.
TEST_F(ObjectStoreTest, ReadersSpillersAndReleasesMeetSafely) {
  ObjectStore& store = open(kMiB);
  constexpr int kValues = 24;
  constexpr int kRounds = 400;
  struct Slot {
    std::mutex mutex;
    Held* held = nullptr;
    int first = 0;
  };
  std::vector<Slot> slots(kValues);
  for (int i = 0; i < kValues; ++i) slots[static_cast<std::size_t>(i)].held = put(numbers(20'000, 0));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      // Goes on until values have really been away.
      for (int i = 0; i < kRounds || disk_.writes < 40; ++i) {
        Slot& slot = slots[random() % kValues];
        store.prefetch(slots[0].held);
        const std::lock_guard lock(slot.mutex);
        if (i % 5 == 0 && &slot != &slots[0]) {
          store.release(slot.held);
          slot.first = i;
          slot.held = i % 2 == 0 ? put(numbers(20'000, i)) : put(numbers(5'000, i));
          continue;
        }
        const auto& chunk = get<Chunk<int>>(slot.held);
        ASSERT_EQ(chunk[0], slot.first);
        ASSERT_EQ(chunk[4'999], slot.first + 4'999);
        store.unpin(slot.held, static_cast<std::int64_t>(random() % 4));
      }
    });
  }
  std::thread spiller([&] {
    while (!stop) {
      store.spill(200'000);
      store.spill_soon(100'000);
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  spiller.join();
  for (Slot& slot : slots) store.release(slot.held);
}

// A pin may come in the middle of the write: it must win, and the value stay.
TEST_F(ObjectStoreTest, ManyThreadsPinOneValueWhileItIsSpilled) {
  ObjectStore& store = open(100 * kMiB);
  Held* const held = put(numbers(50'000, 0));
  std::atomic<bool> stop{false};
  std::thread spiller([&] {
    while (!stop) store.spill(1);
  });
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(get<Chunk<int>>(held)[49'999], 49'999);
        store.unpin(held);
        // Leaves the spiller a chance, or the value would hardly ever be away.
        for (int turn = 0; turn < 100 && store.in_memory(held); ++turn) std::this_thread::yield();
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  stop = true;
  spiller.join();
  EXPECT_GT(disk_.reads, 0u);
  store.release(held);
}

}  // namespace
}  // namespace weft

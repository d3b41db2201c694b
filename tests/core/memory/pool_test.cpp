#include "core/memory/pool.hpp"

#include <weft/buffer.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace weft {
namespace {

std::size_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long all = 0;
  unsigned long resident = 0;
  const int got = file != nullptr ? std::fscanf(file, "%lu %lu", &all, &resident) : 0;
  if (file != nullptr) std::fclose(file);
  return got == 2 ? resident * 4096 : 0;
}

TEST(BufferTest, EmptyBufferHoldsNothing) {
  const Buffer buffer;
  EXPECT_EQ(buffer.size(), 0u);
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_FALSE(buffer.unique());
  EXPECT_TRUE(Buffer::allocate(0).empty());
}

TEST(BufferTest, EverySizeIsAlignedAndWritableToItsEnd) {
  for (std::size_t size = 1; size < (std::size_t{1} << 24); size = size * 5 / 4 + 1) {
    Buffer buffer = Buffer::allocate(size);
    ASSERT_EQ(buffer.size(), size);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % (size < Pool::kLargeBytes ? 64 : 4096), 0u) << size;
    buffer.data()[0] = std::byte{1};
    buffer.data()[size - 1] = std::byte{2};
    ASSERT_EQ(buffer.data()[size - 1], std::byte{2});
  }
}

TEST(BufferTest, CopiesShareBytesAndTheLastOneGivesThemBack) {
  const std::size_t before = Pool::global().live_bytes();
  {
    Buffer a = Buffer::allocate(100'000);
    EXPECT_TRUE(a.unique());
    Buffer b = a;
    EXPECT_FALSE(a.unique());
    EXPECT_EQ(a.data(), b.data());
    Buffer c = std::move(a);
    b = Buffer();
    EXPECT_TRUE(c.unique());
    EXPECT_GE(Pool::global().live_bytes(), before + 100'000);
    const Buffer d = c.copy();
    EXPECT_NE(d.data(), c.data());
  }
  EXPECT_EQ(Pool::global().live_bytes(), before);
}

TEST(BufferTest, AdoptedBytesKeepTheirOwnerUntilTheLastCopyIsGone) {
  auto owner = std::make_shared<std::vector<double>>(1000, 2.5);
  const std::weak_ptr<std::vector<double>> watch = owner;
  const std::size_t adopted = Pool::global().counts().adopted_bytes;
  Buffer buffer = Buffer::adopt(owner->data(), 8000, owner);
  owner.reset();
  EXPECT_TRUE(buffer.adopted());
  EXPECT_EQ(Pool::global().counts().adopted_bytes, adopted + 8000);
  const Chunk<double> chunk(buffer);
  buffer = Buffer();
  ASSERT_FALSE(watch.expired());
  EXPECT_EQ(chunk[999], 2.5);
  const_cast<Chunk<double>&>(chunk) = Chunk<double>();
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(Pool::global().counts().adopted_bytes, adopted);
}

class CountingResource final : public MemoryResource {
 public:
  void* allocate(std::size_t bytes) override {
    held += bytes;
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void deallocate(void* data, std::size_t bytes) noexcept override {
    held -= bytes;
    std::free(data);
  }
  const char* name() const noexcept override { return "counting"; }
  bool host_accessible() const noexcept override { return false; }
  std::size_t held = 0;
};

TEST(BufferTest, AnotherResourceFillsTheBytesAndIsGivenThemBack) {
  CountingResource resource;
  {
    const Buffer buffer = Buffer::allocate(1000, resource);
    EXPECT_EQ(resource.held, 1000u);
    EXPECT_FALSE(buffer.host_accessible());
    EXPECT_EQ(Pool::global().counts().resource_bytes, 1000u);
  }
  EXPECT_EQ(resource.held, 0u);
  EXPECT_EQ(Pool::global().counts().resource_bytes, 0u);
}

TEST(BufferTest, SizeThatWrappedAroundIsOneSentence) {
  try {
    Chunk<double> chunk(static_cast<std::size_t>(-1));
    FAIL() << "a chunk of 2^64 elements was made";
  } catch (const MemoryError& error) {
    EXPECT_NE(std::string(error.what()).find("wrapped around"), std::string::npos) << error.what();
  }
}

TEST(ChunkTest, FillsAndComparesElements) {
  Chunk<int> chunk(5, 7);
  EXPECT_EQ(chunk.size(), 5u);
  int sum = 0;
  for (const int value : chunk) sum += value;
  EXPECT_EQ(sum, 35);
  Chunk<int> shared = chunk;
  const Chunk<int> own = chunk.copy();
  shared[0] = 8;
  EXPECT_EQ(chunk[0], 8);
  EXPECT_FALSE(chunk == own);
}

TEST(PoolTest, FreedLargeBlockServesTheNextOfItsSize) {
  Pool& pool = Pool::global();
  pool.trim();
  std::byte* const first = Buffer::allocate(1 << 20).data();
  EXPECT_EQ(pool.cached_bytes() / (1 << 20), 1u);
  EXPECT_EQ(Buffer::allocate(1 << 20).data(), first);
}

TEST(PoolTest, ResidentMemoryReturnsToTheBaselineAfterTrim) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::size_t kStays = 16 << 20;  // the sanitizer's notes on what was touched
#else
  constexpr std::size_t kStays = 4 << 20;
#endif
  Pool& pool = Pool::global();
  pool.trim();
  const std::size_t before = resident_bytes();
  {
    std::vector<Buffer> held;
    for (int i = 0; i < 64; ++i) {
      held.push_back(Buffer::allocate(1 << 20));
      std::memset(held.back().data(), 1, held.back().size());
      for (int j = 0; j < 100; ++j) held.push_back(Buffer::allocate(static_cast<std::size_t>(100 + 37 * j)));
    }
    EXPECT_GT(resident_bytes(), before + (60 << 20));
  }
  pool.trim();
  EXPECT_EQ(pool.cached_bytes(), 0u);
  EXPECT_LT(resident_bytes(), before + kStays);
}

TEST(PoolTest, CacheStaysBelowItsCapAndOldSizesMakeWay) {
  Pool& pool = Pool::global();
  pool.trim();
  pool.set_cache_cap(8 << 20);
  for (int i = 0; i < 8; ++i) Buffer::allocate(1 << 20);
  {
    std::vector<Buffer> held;
    for (int i = 0; i < 8; ++i) held.push_back(Buffer::allocate(1 << 20));
  }
  EXPECT_LE(pool.cached_bytes(), std::size_t{8} << 20);
  std::byte* const place = Buffer::allocate(6 << 20).data();
  EXPECT_LE(pool.cached_bytes(), std::size_t{8} << 20);
  EXPECT_EQ(Buffer::allocate(6 << 20).data(), place);
  Buffer::allocate(64 << 20);
  EXPECT_LE(pool.cached_bytes(), std::size_t{8} << 20);
  pool.set_cache_cap(std::size_t{256} << 20);
}

TEST(PoolTest, CacheShrinksBeforeTheResidentCapIsPassed) {
  Pool& pool = Pool::global();
  pool.trim();
  const std::size_t base = pool.counts().mapped_bytes;
  pool.set_resident_cap(base + (16 << 20));
  Buffer::allocate(10 << 20);
  const Buffer other = Buffer::allocate(12 << 20);
  EXPECT_LE(pool.counts().mapped_bytes, base + (16 << 20));
  pool.set_resident_cap(~std::size_t{0});
}

// Every thread frees what others made; sizes from both sides of the large threshold.
TEST(PoolTest, ThreadsMayFreeEachOthersBuffers) {
  const PoolCounts before = Pool::global().counts();
  constexpr int kThreads = 4;
  std::mutex mutex;
  std::vector<Buffer> shared;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 3000; ++i) {
        Buffer mine = Buffer::allocate(1 + random() % (i % 16 == 0 ? 100'000 : 3000));
        std::memset(mine.data(), t, mine.size());
        const std::lock_guard lock(mutex);
        if (shared.size() > 64) {
          Buffer& other = shared[random() % shared.size()];
          ASSERT_EQ(other.data()[0], other.data()[other.size() - 1]);
          other = std::move(mine);
        } else {
          shared.push_back(std::move(mine));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  shared.clear();
  EXPECT_EQ(Pool::global().counts().live_bytes, before.live_bytes);
  EXPECT_EQ(Pool::global().counts().live_buffers, before.live_buffers);
}

}  // namespace
}  // namespace weft

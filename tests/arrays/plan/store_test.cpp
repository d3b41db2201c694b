// Arrays in objects of the program.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/ledger.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace weft {
namespace {

using testing::HasSubstr;

class StoreTest : public testing::TestWithParam<const char*> {
 protected:
  Client client_{{.scheduler = GetParam(), .threads = 3}};
};
INSTANTIATE_TEST_SUITE_P(Modes, StoreTest, testing::Values("sync", "threads"));

/// Keeps what it is given, in the order it comes.
struct Kept {
  std::vector<Region> regions;
  double sum = 0;
  void write(const Region& region, ChunkView<const double, 2> chunk) {
    regions.push_back(region);
    for (std::int64_t i = 0; i < chunk.extent(0); ++i) {
      for (std::int64_t j = 0; j < chunk.extent(1); ++j) sum += chunk(i, j);
    }
  }
};

std::mutex written_mutex;
std::multiset<std::int64_t> written_rows;

/// Has nothing of its own to change: copies of it write wherever the chunks are.
struct Elsewhere {
  std::int64_t shift;
  void write(const Region& region, ChunkView<const double, 2> chunk) const {
    const std::lock_guard<std::mutex> lock(written_mutex);
    for (std::int64_t i = 0; i < chunk.extent(0); ++i) written_rows.insert(shift + region.start[0] + i);
  }
};

TEST_P(StoreTest, StoreHandsEachChunkToATargetInOrder) {
  Kept kept;
  store(client_, ones({5, 4}, {.chunks = {2, 4}}) * 2, kept);
  ASSERT_EQ(kept.regions.size(), 3u);
  EXPECT_EQ(kept.regions[2].start, (std::vector<std::int64_t>{4, 0}));
  EXPECT_EQ(kept.regions[2].extent, (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(kept.sum, 40);
}

TEST_P(StoreTest, StoreLetsTargetsThatTravelWriteInParallel) {
  written_rows.clear();
  Elsewhere target{100};
  store(client_, ones({6, 2}, {.chunks = {1, 2}}), target);
  EXPECT_EQ(written_rows, (std::multiset<std::int64_t>{100, 101, 102, 103, 104, 105}));
}

TEST_P(StoreTest, StoreRefusesATargetForAnotherTypeOrRank) {
  Kept kept;
  EXPECT_THAT(error_of([&] { store(client_, ones({5}), kept); }), testing::HasSubstr("has 1 of float64"));
  EXPECT_THAT(error_of([&] { store(client_, ones({5, 1}, {.dtype = float32}), kept); }), testing::HasSubstr("float32"));
}

/// A picture of the test's own, written by whoever has a chunk.
struct Canvas {
  static constexpr std::int64_t kRows = 9, kColumns = 8;
  static inline double pixels[kRows][kColumns];
  static inline std::atomic<int> inside{0}, most{0}, written{0};
  static void clear() {
    for (auto& row : pixels) std::fill(std::begin(row), std::end(row), -1.0);
    inside = most = written = 0;
  }

  std::int64_t refused_row = -1;
  void write(const Region& region, ChunkView<const double, 2> chunk) const {
    const int now = ++inside;
    if (now > most) most = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --inside;
    if (region.start[0] == refused_row) throw std::runtime_error("no row " + std::to_string(refused_row) + " here");
    for (std::int64_t i = 0; i < chunk.extent(0); ++i) {
      for (std::int64_t j = 0; j < chunk.extent(1); ++j) pixels[region.start[0] + i][region.start[1] + j] = chunk(i, j);
    }
    ++written;
  }
  void read(const Region& region, ChunkView<double, 2> chunk) const {
    for (std::int64_t i = 0; i < chunk.extent(0); ++i) {
      for (std::int64_t j = 0; j < chunk.extent(1); ++j) chunk(i, j) = pixels[region.start[0] + i][region.start[1] + j];
    }
  }
};

Array numbers() { return reshape(arange(24, {.dtype = float64}), {6, 4}).rechunk({2, 3}); }

TEST_P(StoreTest, APlaceInTheTargetIsTakenAndTheRestIsLeft) {
  Canvas::clear();
  Canvas canvas;
  store(client_, numbers(), canvas, {.at = {2, 3}});
  for (std::int64_t i = 0; i < Canvas::kRows; ++i) {
    for (std::int64_t j = 0; j < Canvas::kColumns; ++j) {
      const bool within = i >= 2 && i < 8 && j >= 3 && j < 7;
      EXPECT_EQ(Canvas::pixels[i][j], within ? static_cast<double>((i - 2) * 4 + j - 3) : -1.0) << i << ' ' << j;
    }
  }
  const Array back = stored_in(canvas, numbers(), {.at = {2, 3}});
  EXPECT_TRUE(client_.compute(all(back == numbers())).item<bool>());
  EXPECT_EQ(back.chunks(), numbers().chunks());
}

TEST_P(StoreTest, ALockLetsOneWriteAtATime) {
  Canvas::clear();
  Canvas canvas;
  store(client_, numbers(), canvas, {.lock = Lock(client_, "canvas")});
  EXPECT_EQ(Canvas::most, 1);
  EXPECT_EQ(Canvas::written, 6);
  EXPECT_FALSE(Lock(client_, "canvas").is_locked());
}

TEST_P(StoreTest, SeveralArraysAreStoredAtOnceAndShareTheirWork) {
  static std::atomic<int> made{0};
  made = 0;
  const auto count = [](ChunkView<double, 2> out, const BlockInfo& info) {
    ++made;
    for (std::int64_t i = 0; i < out.extent(0); ++i) {
      for (std::int64_t j = 0; j < out.extent(1); ++j)
        out(i, j) = static_cast<double>((info.start[0] + i) * 4 + info.start[1] + j);
    }
  };
  const Array x = from_function({6, 4}, count, {.dtype = float64, .chunks = {2, 4}});
  Canvas::clear();
  Canvas canvas;
  Kept kept;
  store(client_, into(x + 1, canvas), into(x * 2, kept, {.at = {10, 0}}));
  EXPECT_EQ(made, 3);
  EXPECT_EQ(Canvas::pixels[5][3], 24.0);
  ASSERT_EQ(kept.regions.size(), 3u);
  EXPECT_EQ(kept.regions[1].start, (std::vector<std::int64_t>{12, 0}));
  EXPECT_EQ(kept.sum, 2 * 23 * 24 / 2);
}

TEST_P(StoreTest, AWriterThatThrowsIsToldAndAllIsWrittenTheNextTime) {
  Canvas::clear();
  Canvas canvas{4};
  EXPECT_THAT(error_of([&] { store(client_, numbers(), canvas, {.lock = Lock(client_, "pen")}); }),
              HasSubstr("no row 4 here"));
  EXPECT_EQ(Canvas::inside, 0);
  EXPECT_FALSE(Lock(client_, "pen").is_locked());
  canvas.refused_row = -1;
  store(client_, numbers(), canvas, {.lock = Lock(client_, "pen")});
  EXPECT_TRUE(client_.compute(all(stored_in(canvas, numbers()) == numbers())).item<bool>());
}

TEST_P(StoreTest, AnInputThatThrowsIsToldAndNobodyWritesItsChunk) {
  Canvas::clear();
  Canvas canvas;
  const Array broken =
      map_blocks(numbers(), [](ChunkView<const double, 2> in, ChunkView<double, 2> out, const BlockInfo& info) {
        if (info.location[0] == 1) throw std::runtime_error("this chunk is broken");
        for (std::int64_t i = 0; i < in.extent(0); ++i) {
          for (std::int64_t j = 0; j < in.extent(1); ++j) out(i, j) = in(i, j);
        }
      });
  EXPECT_THAT(error_of([&] { store(client_, broken, canvas); }), HasSubstr("this chunk is broken"));
  EXPECT_EQ(Canvas::pixels[2][0], -1.0);
}

TEST_P(StoreTest, APlaceOfAnotherRankIsRefused) {
  Canvas canvas;
  EXPECT_THAT(error_of([&] { store(client_, numbers(), canvas, {.at = {1}}); }), HasSubstr("1 numbers"));
  EXPECT_THAT(error_of([&] { stored_in(canvas, numbers().sum({.axis = 0})); }), HasSubstr("the target reads 2 axes"));
}

}  // namespace
}  // namespace weft

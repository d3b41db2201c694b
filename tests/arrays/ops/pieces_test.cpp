// What take, roll and reshape move, and what slices of them leave where it is.
#include <weft/array_plan.hpp>
#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "arrays/plan/lower.hpp"

namespace weft {
namespace {

using arrays::lowering::Lowering;
namespace expression = arrays::expression;

std::vector<std::int64_t> scattered(std::int64_t n) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < n; ++i) places.push_back(i * 37 % n);
  return places;
}

/// What the tasks that make an array's chunks read, over what they make; and whether they give its elements.
struct Moved {
  double read = 0;
  double made = 0;
  bool same = true;
};

Moved moved(const Client& client, const Array& array, bool apart, std::uint64_t memory_bytes = 0) {
  const expression::NodePointer node = array.node();
  arrays::lowering::Outlined outlined;
  Lowering lowered({node}, &outlined, [=] {
    return arrays::lowering::Circumstances{.apart = apart, .slots = 2, .memory_bytes = memory_bytes};
  });
  const NDArray whole = client.compute(array).as_contiguous();
  Moved found;
  for (std::int64_t i = 0; i < expression::chunk_count(node->grid); ++i) {
    const Delayed<Buffer>& task = lowered.chunk(node, i);
    const auto& noted = outlined.tasks[outlined.places.at(task.task_id())];
    found.made += static_cast<double>(noted.bytes);
    for (const std::uint32_t input : noted.inputs) found.read += static_cast<double>(outlined.tasks[input].bytes);
    const Buffer chunk = client.compute(task);
    const expression::Box box = expression::chunk_box(node->grid, i);
    std::vector<arrays::Index> index;
    for (std::size_t axis = 0; axis < box.ndim(); ++axis) {
      index.emplace_back(slice(box.start[axis], box.start[axis] + box.extent[axis]));
    }
    const NDArray part = client.compute(array.at(index)).as_contiguous();
    found.same = found.same && std::memcmp(part.data(), chunk.data(), static_cast<std::size_t>(part.nbytes())) == 0;
  }
  return found;
}

class PiecesTest : public testing::Test {
 protected:
  Client client_{{.scheduler = "sync"}};
  // Sine has chunks of its own: nothing makes it in place.
  const Array x_ = sin(random::uniform({60, 40}, {.chunks = {10, 10}, .seed = 3}) * 7);
};

TEST_F(PiecesTest, BetweenProcessesOnlyThePiecesMoveThatAreNeeded) {
  for (const Array& one : {take(x_, scattered(60), 0), roll(x_, 7, 0), roll(x_, -13, 1),
                           take(x_, {39, 0, 20, 1, 38, 19, 2, 37}, 1), reshape(x_, {40, 60})}) {
    const Moved apart = moved(client_, one, true);
    EXPECT_TRUE(apart.same);
    EXPECT_LE(apart.read, 1.01 * apart.made) << one;
  }
  // In one process whole chunks are read where they lie.
  const Moved together = moved(client_, take(x_, scattered(60), 0), false);
  EXPECT_TRUE(together.same);
  EXPECT_GE(together.read, 4 * together.made);
}

TEST_F(PiecesTest, WithLittleMemoryEverythingIsWhatItWas) {
  for (const Array& one : {take(x_, scattered(60), 0), roll(x_, 7, 0), reshape(x_, {40, 60}), reshape(x_, {2, -1}),
                           reshape(x_, {-1}), sort(reshape(x_, {-1})), x_(slice(1, none, 3)), rechunk(x_, {7, 13})}) {
    EXPECT_TRUE(moved(client_, one, false, 1000).same) << one;
  }
}

TEST_F(PiecesTest, ASmallSliceNeedsWhatItShowsAndNoMore) {
  const auto work = [](const Array& part) { return arrays::plan(part).output_bytes; };
  // A chunk of the input has 800 bytes.
  EXPECT_LE(work(take(x_, scattered(60), 0)(slice(3, 5), slice(0, 4))), 2 * 800u + 200);
  EXPECT_LE(work(roll(x_, 7, 0)(slice(20, 22), slice(0, 5))), 800u + 200);
  EXPECT_LE(work(reshape(x_, {2, -1})(1, slice(0, 10))), 800u + 200);
  EXPECT_LE(work(reshape(x_, {-1})(slice(1205, 1210))), 800u + 200);
}

TEST_F(PiecesTest, ReshapedRowsLongerThanAChunkAreCut) {
  const Array two = reshape(x_, {2, -1});
  EXPECT_EQ(two.chunks()[0], (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(two.chunks()[1], std::vector<std::int64_t>(12, 100));
}

/// Chunks that are cut come one after the other, each for all its pieces.
TEST(LittleMemoryTest, ARechunkReadsEachChunkOnceForAllItsPieces) {
  Client client({.threads = 2, .memory = "8MiB"});
  // Four times the memory: chunks of a MiB, each of which goes into all 32 of the result.
  const std::int64_t n = 2048, thin = 64;
  const Array x = client.persist(random::uniform({n, n}, {.chunks = {n, thin}, .seed = 5}));
  const double expected = client.compute(sum(x)).item<double>();
  const std::size_t before = client.memory().spill_read_bytes;
  const Array turned = client.persist(rechunk(x, {thin, n}));
  const double found = client.compute(sum(turned)).item<double>();
  EXPECT_NEAR(found, expected, 1e-9 * expected);
  const auto data = static_cast<std::size_t>(n * n) * sizeof(double);
  // Whole chunks, their pieces, and what the sum reads; some of it twice because it left too soon.
  EXPECT_LE(client.memory().spill_read_bytes - before, 6 * data);
}

TEST(LittleMemoryTest, PiecesOfOneChunkGoTogetherAndThoseBelowFirst) {
  Client client({.scheduler = "sync"});
  const Array x = client.persist(random::uniform({64, 64}, {.chunks = {64, 4}, .seed = 5}));
  const Array twice = rechunk(rechunk(x, {4, 64}) + 1.0, {64, 2});
  arrays::lowering::Outlined outlined;
  Lowering lowered({twice.node()}, &outlined,
                   [] { return arrays::lowering::Circumstances{.apart = false, .slots = 2, .memory_bytes = 4096}; });
  for (std::int64_t i = 0; i < 32; ++i) lowered.chunk(twice.node(), i);
  std::map<TaskId, std::size_t> place;
  for (const Delayed<Buffer>& task : lowered.cutting()) place.emplace(task.task_id(), place.size());
  // 16 x 16 pieces of stored chunks, then 16 x 32 of what is made from these.
  ASSERT_EQ(place.size(), 16u * 16 + 16 * 32);
  std::map<std::size_t, std::vector<std::size_t>> of_inputs;
  for (const auto& task : outlined.places) {
    const auto& noted = outlined.tasks[task.second];
    if (place.count(task.first) == 0 || noted.stored != 0) continue;
    ASSERT_EQ(noted.inputs.size(), 1u);
    EXPECT_GE(place.at(task.first), 16u * 16);
    of_inputs[noted.inputs[0]].push_back(place.at(task.first));
  }
  EXPECT_EQ(of_inputs.size(), 16u);
  for (const auto& [input, places] : of_inputs) {
    const auto [first, last] = std::minmax_element(places.begin(), places.end());
    EXPECT_EQ(*last - *first + 1, places.size());
  }
}

}  // namespace
}  // namespace weft

// The functions of weft_bench's tasks that the peers do not share (those are in kernel.hpp). In a translation unit of
// their own, so that no task is inlined into the runtime.

#pragma once

#include <weft/buffer.hpp>
#include <weft/client.hpp>

#include <cstdint>
#include <vector>

#include "bench/kernel.hpp"
#include "bench/patterns.hpp"

namespace weft::bench {

/// A point of a pattern's grid.
struct GridPoint {
  std::int32_t step = 0;
  std::int32_t point = 0;
};

/// Which pattern the grid's tasks belong to and how long each computes. Set before a graph is built, and left alone
/// until it has run; it stays out of the closures, as it does for the peers.
struct GridWork {
  const Pattern* pattern = nullptr;
  std::int64_t iterations = 0;
};
extern GridWork grid_work;

/// A pattern and its work as numbers, for processes that run tasks and have none of their own.
struct GridSetting {
  std::int32_t kind = 0;
  std::int32_t radix = 0;
  std::int64_t width = 0;
  std::int64_t steps = 0;
  std::int64_t iterations = 0;
};
/// Sets grid_work of the process that it runs in.
std::int64_t set_grid_work(GridSetting setting);

/// Most inputs that a task of a grid takes one by one; more come as a vector.
inline constexpr int kSingleInputs = 5;

[[gnu::noinline]] Payload grid_task_0(GridPoint at);
[[gnu::noinline]] Payload grid_task_1(GridPoint at, const Payload& a);
[[gnu::noinline]] Payload grid_task_2(GridPoint at, const Payload& a, const Payload& b);
[[gnu::noinline]] Payload grid_task_3(GridPoint at, const Payload& a, const Payload& b, const Payload& c);
[[gnu::noinline]] Payload grid_task_4(GridPoint at, const Payload& a, const Payload& b, const Payload& c,
                                      const Payload& d);
[[gnu::noinline]] Payload grid_task_5(GridPoint at, const Payload& a, const Payload& b, const Payload& c,
                                      const Payload& d, const Payload& e);
[[gnu::noinline]] Payload grid_task_many(GridPoint at, const std::vector<Payload>& inputs);

/// The client that recursive tasks submit to: set before the first is submitted. Where it is null, as in workers, they
/// ask for the client of their task.
extern const Client* nested_client;
/// Returns the n-th Fibonacci number; each call with n >= 2 submits two more and waits for them.
[[gnu::noinline]] std::uint64_t nested_fibonacci(std::uint64_t n);

using Words = Chunk<std::uint64_t>;
/// Returns `count` words that depend on `index` alone. They differ, so that they do not compress.
[[gnu::noinline]] Words make_chunk(std::uint64_t index, std::uint64_t count);
/// Returns a number that depends on every word of the chunk.
[[gnu::noinline]] std::uint64_t chunk_digest(const Words& chunk);
/// Returns chunk_digest(make_chunk(index, count)) without making the chunk.
std::uint64_t expected_digest(std::uint64_t index, std::uint64_t count);
[[gnu::noinline]] std::uint64_t add_digests(std::uint64_t left, std::uint64_t right);

}  // namespace weft::bench

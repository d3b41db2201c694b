// What a system under comparison implements. peer_main.cpp measures it and prints the same JSON as weft_bench.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bench/kernel.hpp"
#include "bench/patterns.hpp"
#include "bench/shapes.hpp"

namespace weft::bench {

/// One runtime system, started once and used many times.
/// Owns: the system's threads.  Threading: called from the main thread only.
class Peer {
 public:
  /// Called at the end of a graph's run, while tasks, closures, handles and edges are still alive.
  using Finished = std::function<void()>;

  virtual ~Peer() = default;
  virtual std::string name() const = 0;
  virtual std::string version() const = 0;

  /// Builds the graph of `shape` one task at a time, runs it, calls `finished`, and frees it. values[i] becomes task
  /// i's.
  virtual void run_shape(const Shape& shape, std::uint64_t* values, const Finished& finished) = 0;

  /// A built graph that can run again. Its destruction frees the graph.
  using Relaunch = std::function<void()>;

  /// Builds the graph of `shape` once; each call of what is returned runs it. Returns nothing where the system has no
  /// such thing.
  virtual Relaunch build_once(const Shape& /*shape*/, std::uint64_t* /*values*/) { return nullptr; }

  /// Builds the graph of `pattern`, runs it and frees it. outputs[step * width + point] becomes that task's payload.
  virtual void run_pattern(const Pattern& pattern, std::int64_t iterations, Payload* outputs) = 0;

  /// Hands extend_value(input) to the system and waits for its result: submit(f, x).result().
  virtual std::uint64_t roundtrip(std::uint64_t input) = 0;

  /// Calls `body` where roundtrip may be called; systems with parallel regions open one around it.
  virtual void within(const std::function<void()>& body) { body(); }
};

/// Starts the system of this program with `threads` threads in all. Defined once per program.
std::unique_ptr<Peer> make_peer(int threads);

/// Binds the calling thread to the `index`-th processor of the process's start (modulo their number).
void pin_this_thread(int index);

/// The widest task the peers can run; patterns beyond it are refused.
inline constexpr int kMaxInputs = 64;

/// Computes task `index` of a shape from `values`, which it also fills. What every peer's task body does.
inline void run_task(const Shape::Inputs& in, std::uint64_t index, std::uint64_t* values) {
  values[index] = in.count == 0   ? source_value(index)
                  : in.count == 1 ? extend_value(values[in.left])
                                  : combine_values(values[in.left], values[in.right]);
}

/// Collects the inputs of task (step, point) from `outputs`, runs it, and stores its payload there.
inline void run_point(const Pattern& pattern, std::int64_t step, std::int64_t point, std::int64_t iterations,
                      Payload* outputs) {
  Payload inputs[kMaxInputs];
  int count = 0;
  pattern.for_each_dependency(step, point, [&](std::int64_t dependency) {
    if (count < kMaxInputs) inputs[count++] = outputs[(step - 1) * pattern.width() + dependency];
  });
  outputs[step * pattern.width() + point] = execute_point(pattern, step, point, inputs, count, iterations);
}

}  // namespace weft::bench

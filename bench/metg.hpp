// METG(50%): the smallest average time of a task at which half of the machine's time is the tasks' own work.
//
// Protocol of Task Bench, bounded in time: the kernel's iterations are halved from a size where the runtime's cost is
// small until less than half of the peak rate is reached; between the last two sizes the answer is interpolated.
// Peak is the best rate seen: of the kernel alone on all cores at once, or of any run of the scan.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/kernel.hpp"

namespace weft::bench {

struct MetgOptions {
  int cores = 2;                     ///< Threads (or ranks) that run tasks.
  std::int64_t tasks = 0;            ///< Tasks of one run.
  double seconds_per_iteration = 0;  ///< Of the kernel alone: kernel_seconds_per_iteration(cores).
  int repetitions = 5;               ///< Runs of each size; their minimum counts.
  double max_seconds = 30;           ///< The scan stops here, and says so if it had not crossed 50% yet.
};

/// One size of the scan. `granularity_us` is wall time * cores / tasks.
struct MetgPoint {
  std::int64_t iterations = 0;
  double seconds = 0;
  double granularity_us = 0;
  double efficiency = 0;
};

struct MetgResult {
  double floor_us = 0;            ///< Core-microseconds a task with an empty kernel.
  double metg_us = 0;             ///< 0 when no size reached 50%.
  bool complete = false;          ///< The scan crossed 50%, so that metg_us is between two measured sizes.
  std::vector<MetgPoint> points;  ///< From large to small.
};

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Returns the time of one iteration of compute_bound when `cores` threads run it at once: the best of several rounds.
/// A round is as long as the runs it is compared with, so that on a busy machine it is disturbed as they are.
/// Call it before any thread is bound to a core; the threads it starts inherit the caller's binding.
inline double kernel_seconds_per_iteration(int cores) {
  constexpr std::int64_t kIterations = 10'000'000;
  constexpr int kRounds = 5;
  double best = 1;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> waiting{cores};
    std::vector<double> seconds(static_cast<std::size_t>(cores), 0.0);
    std::vector<std::thread> threads;
    for (int i = 0; i < cores; ++i) {
      threads.emplace_back([&, i] {
        waiting.fetch_sub(1);
        while (waiting.load() > 0) std::this_thread::yield();
        const double start = seconds_now();
        compute_bound(kIterations);
        seconds[static_cast<std::size_t>(i)] = seconds_now() - start;
      });
    }
    for (std::thread& thread : threads) thread.join();
    best = std::min(best, *std::max_element(seconds.begin(), seconds.end()) / kIterations);
  }
  return best;
}

/// Returns the time of one iteration in the best of many short moments of this thread: the machine's own rate, however
/// busy it is otherwise.
inline double undisturbed_seconds_per_iteration() {
  constexpr std::int64_t kIterations = 50'000;
  double best = 1;
  for (int moment = 0; moment < 20; ++moment) {
    const double start = seconds_now();
    compute_bound(kIterations);
    best = std::min(best, (seconds_now() - start) / kIterations);
  }
  return best;
}

/// Returns METG(50%) from the measured `points` (from large to small), whose efficiency it fills in.
inline void finish_metg(const MetgOptions& options, MetgResult& result) {
  double ideal = options.seconds_per_iteration * static_cast<double>(options.tasks) / options.cores;
  for (const MetgPoint& point : result.points) {
    if (point.iterations > 0) ideal = std::min(ideal, point.seconds / static_cast<double>(point.iterations));
  }
  const MetgPoint* above = nullptr;
  result.metg_us = 0;
  result.complete = false;
  for (MetgPoint& point : result.points) {
    point.efficiency = ideal * static_cast<double>(point.iterations) / point.seconds;
    if (point.efficiency >= 0.5) {
      above = &point;
      result.metg_us = point.granularity_us;
      result.complete = false;
    } else if (above != nullptr && !result.complete) {
      const double part = (above->efficiency - 0.5) / (above->efficiency - point.efficiency);
      result.metg_us = above->granularity_us + part * (point.granularity_us - above->granularity_us);
      result.complete = true;
    }
  }
}

/// Scans kernel sizes with `run(iterations)`, which runs all tasks once, checks them, and returns the wall seconds.
template <class Run>
MetgResult find_metg(const MetgOptions& options, Run&& run) {
  const double deadline = seconds_now() + options.max_seconds;
  const auto measure = [&](std::int64_t iterations) {
    MetgPoint point;
    point.iterations = iterations;
    point.seconds = run(iterations);
    for (int i = 1; i < options.repetitions && seconds_now() < deadline; ++i)
      point.seconds = std::min(point.seconds, run(iterations));
    point.granularity_us = point.seconds * 1e6 * options.cores / static_cast<double>(options.tasks);
    return point;
  };
  run(0);  // first touch of everything
  MetgResult result;
  result.floor_us = measure(0).granularity_us;
  // Start where the kernel takes eight times the runtime's own cost: beyond 80% if cost and kernel simply add up.
  const double undisturbed = undisturbed_seconds_per_iteration();
  std::int64_t iterations = 1;
  while (static_cast<double>(iterations) * undisturbed * 1e6 < 8 * result.floor_us) iterations *= 2;
  result.points.push_back(measure(iterations));
  finish_metg(options, result);
  for (int larger = 0; result.points.front().efficiency < 0.5 && larger < 6 && seconds_now() < deadline; ++larger) {
    result.points.insert(result.points.begin(), measure(result.points.front().iterations * 2));
    finish_metg(options, result);
  }
  int below = 0;  // two sizes below 50% in a row: noise does not end the scan
  for (iterations /= 2; iterations > 0 && below < 2 && seconds_now() < deadline; iterations /= 2) {
    result.points.push_back(measure(iterations));
    finish_metg(options, result);
    below = result.points.back().efficiency < 0.5 ? below + 1 : 0;
  }
  if (!result.complete && result.metg_us > 0 && iterations == 0) {
    // Even one iteration is half of the time: the crossing lies between it and the empty kernel.
    result.points.push_back(
        {0, result.floor_us * 1e-6 * static_cast<double>(options.tasks) / options.cores, result.floor_us, 0});
    finish_metg(options, result);
  }
  return result;
}

}  // namespace weft::bench

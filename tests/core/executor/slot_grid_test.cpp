// Grids of tasks with several inputs: who runs what is decided while they run, and must not show.

#include <weft/client.hpp>
#include <weft/graph.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace weft {
namespace {

using Values = std::vector<std::uint64_t>;

std::uint64_t first_value(std::uint64_t point) { return point * 0x9E3779B97F4A7C15u + 1; }

std::uint64_t mixed(std::uint64_t sum, std::uint64_t input) { return (sum ^ input) * 0xBF58476D1CE4E5B9u + input; }

std::uint64_t two(std::uint64_t a, std::uint64_t b) { return mixed(mixed(2, a), b); }
std::uint64_t three(std::uint64_t a, std::uint64_t b, std::uint64_t c) { return mixed(mixed(mixed(3, a), b), c); }
std::uint64_t many(const Values& all) {
  std::uint64_t sum = all.size();
  for (const std::uint64_t one : all) sum = mixed(sum, one);
  return sum;
}
/// As `three`, but now and then for longer than any other, so that slots have to help each other out.
std::uint64_t uneven(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const std::uint64_t value = three(a, b, c);
  if (value % 64 == 0) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
    while (std::chrono::steady_clock::now() < until) {
    }
  }
  return value;
}

/// Returns the last row of a grid in which each task takes the points within `reach` of its own, after a run on
/// `threads` slots.
Values run_grid(int threads, int width, int steps, int reach, bool is_uneven) {
  Options options;
  options.scheduler = "threads";
  options.threads = threads;
  const Client client(options);
  Graph graph;
  std::vector<Delayed<std::uint64_t>> row;
  for (int point = 0; point < width; ++point) row.push_back(graph.add(&first_value, static_cast<std::uint64_t>(point)));
  for (int step = 1; step < steps; ++step) {
    std::vector<Delayed<std::uint64_t>> next;
    for (int point = 0; point < width; ++point) {
      const auto from = row.begin() + std::max(0, point - reach);
      const auto end = row.begin() + std::min(width, point + reach + 1);
      const std::vector<Delayed<std::uint64_t>> inputs(from, end);
      if (inputs.size() == 2) {
        next.push_back(graph.add(&two, inputs[0], inputs[1]));
      } else if (inputs.size() == 3) {
        next.push_back(graph.add(is_uneven ? &uneven : &three, inputs[0], inputs[1], inputs[2]));
      } else {
        next.push_back(graph.add(&many, inputs));
      }
    }
    row = std::move(next);
  }
  client.run(graph);
  Values values;
  for (const auto& one : row) values.push_back(one.value());
  return values;
}

Values expected_grid(int width, int steps, int reach) {
  Values row;
  for (int point = 0; point < width; ++point) row.push_back(first_value(static_cast<std::uint64_t>(point)));
  for (int step = 1; step < steps; ++step) {
    Values next;
    for (int point = 0; point < width; ++point) {
      const Values inputs(row.begin() + std::max(0, point - reach), row.begin() + std::min(width, point + reach + 1));
      if (inputs.size() == 2) {
        next.push_back(two(inputs[0], inputs[1]));
      } else if (inputs.size() == 3) {
        next.push_back(three(inputs[0], inputs[1], inputs[2]));
      } else {
        next.push_back(many(inputs));
      }
    }
    row = std::move(next);
  }
  return row;
}

TEST(SlotGridTest, ColumnsDividedBetweenSlotsGiveTheSameValues) {
  for (const int width : {2, 8, 13, 40}) {
    for (const int reach : {1, 2, 6}) {
      const Values expected = expected_grid(width, 25, reach);
      for (const int threads : {1, 2, 3}) {
        EXPECT_EQ(run_grid(threads, width, 25, reach, false), expected)
            << "width " << width << ", reach " << reach << ", threads " << threads;
      }
    }
  }
}

TEST(SlotGridTest, SlotsThatAreHeldUpAreHelpedOut) {
  for (int round = 0; round < 2; ++round) EXPECT_EQ(run_grid(3, 16, 150, 1, true), expected_grid(16, 150, 1));
}

TEST(SlotGridTest, AGraphRunsAgainWithNewValuesWhateverSlotsItRanOn) {
  Options options;
  options.scheduler = "threads";
  options.threads = 3;
  const Client client(options);
  Graph graph;
  constexpr std::size_t kWidth = 9;
  std::vector<Delayed<std::uint64_t>> inputs;
  for (std::size_t point = 0; point < kWidth; ++point) inputs.push_back(graph.input(std::uint64_t{0}));
  std::vector<Delayed<std::uint64_t>> row = inputs;
  for (int step = 0; step < 50; ++step) {
    std::vector<Delayed<std::uint64_t>> next;
    for (std::size_t point = 0; point < kWidth; ++point) {
      next.push_back(graph.add(&three, row[(point + kWidth - 1) % kWidth], row[point], row[(point + 1) % kWidth]));
    }
    row = std::move(next);
  }
  for (std::uint64_t run = 0; run < 8; ++run) {
    Values values;
    for (std::size_t point = 0; point < kWidth; ++point) {
      values.push_back(run * 100 + point);
      graph.set(inputs[point], values.back());
    }
    client.run(graph);
    for (int step = 0; step < 50; ++step) {
      Values next;
      for (std::size_t point = 0; point < kWidth; ++point) {
        next.push_back(three(values[(point + kWidth - 1) % kWidth], values[point], values[(point + 1) % kWidth]));
      }
      values = std::move(next);
    }
    for (std::size_t point = 0; point < kWidth; ++point) ASSERT_EQ(row[point].value(), values[point]) << run;
  }
}

}  // namespace
}  // namespace weft

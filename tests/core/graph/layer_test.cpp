#include <weft/layer.hpp>

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>

namespace weft {
namespace {

/// A cone of a formula layer holds the layer itself, which stays in its process: WEFT_CHECK_TRANSFER does not apply.
Options stays(Options options) {
  options.check_transfer = false;
  return options;
}

TEST(LayerTest, ReductionOfManyBlocksIsExact) {
  const Client client(stays({.scheduler = "threads", .threads = 2}));
  for (const std::uint64_t count : {1u, 2u, 7u, 8u, 9u, 4'097u, 1'000'003u}) {
    const auto total = generate_blocks(count, [](std::uint64_t i) {
                         return i;
                       }).map([](std::uint64_t i) {
                           return 2 * i + 1;
                         }).reduce([](std::uint64_t a, std::uint64_t b) { return a + b; });
    EXPECT_EQ(client.compute(total), count * count) << count;
  }
}

TEST(LayerTest, BitsDoNotDependOnTheNumberOfSlots) {
  const auto sum = [](const Client& client) {
    return client.compute(generate_blocks(300'000, [](std::uint64_t i) {
                            return 1.0 / static_cast<double>(i + 1);
                          }).reduce([](double a, double b) { return a + b; }));
  };
  const double on_one = sum(Client(stays({.scheduler = "sync"})));
  for (const int threads : {1, 2, 3, 7}) {
    const double on_more = sum(Client(stays({.scheduler = "threads", .threads = threads})));
    EXPECT_EQ(std::memcmp(&on_one, &on_more, sizeof on_one), 0) << threads;
  }
}

TEST(LayerTest, SharedStepRunsOncePerBlock) {
  const Client client(stays({.scheduler = "sync"}));
  static std::atomic<std::uint64_t> calls;
  calls = 0;
  const auto shared = generate_blocks(5'000, [](std::uint64_t i) { return ++calls, i; });
  const auto product = shared.map([](std::uint64_t a, std::uint64_t b) { return a * b; },
                                  shared.map([](std::uint64_t a) { return a + 1; }));
  client.compute(product.reduce([](std::uint64_t a, std::uint64_t b) { return a + b; }));
  EXPECT_EQ(calls, 5'000u);
}

TEST(LayerTest, PlanOfABillionTasksNeedsNoneOfThem) {
  const auto blocks = generate_blocks(1'000'000'000, [](std::uint64_t i) { return i; });
  const LayerPlan plan = blocks.plan();
  EXPECT_GT(plan.tasks, 1'000'000'000u);
  EXPECT_LT(plan.packets, 100'000u);
  EXPECT_LT(plan.peak_bytes_per_slot, 10'000u);
}

TEST(LayerTest, EdgesOfAMapAreRegionsOfItsSources) {
  const auto source = generate_blocks(10, [](std::uint64_t i) { return i; });
  const auto mapped = source.map([](std::uint64_t i) { return i; });
  std::vector<LayerInput> edges;
  mapped.layer().inputs(4, edges);
  ASSERT_EQ(edges.size(), 1u);
  EXPECT_EQ(edges[0].layer, &source.layer());
  EXPECT_EQ(edges[0].first, 4u);
}

TEST(LayerTest, MistakesAreNamed) {
  const auto ten = generate_blocks(10, [](std::uint64_t i) { return i; });
  const auto nine = generate_blocks(9, [](std::uint64_t i) { return i; });
  EXPECT_THROW(ten.map([](std::uint64_t a, std::uint64_t b) { return a + b; }, nine), Error);
  const auto plus = [](std::uint64_t a, std::uint64_t b) { return a + b; };
  EXPECT_THROW(generate_blocks(0, [](std::uint64_t i) { return i; }).reduce(plus), Error);
  EXPECT_THROW(ten.reduce(plus, 1), Error);
}

}  // namespace
}  // namespace weft

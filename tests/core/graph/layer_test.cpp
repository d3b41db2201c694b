#include <weft/layer.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <source_location>
#include <stdexcept>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Adds to its argument: a function with a value of its own, which goes along with the formula.
struct Add {
  std::uint64_t more;
  std::uint64_t operator()(std::uint64_t n) const { return n + more; }
};

std::uint64_t square(std::uint64_t n) { return n * n; }

TEST(LayerTest, ReductionOfManyBlocksIsExact) {
  const Client client(Options{.scheduler = "threads", .threads = 2});
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
  const double on_one = sum(Client(Options{.scheduler = "sync"}));
  for (const int threads : {1, 2, 3, 7}) {
    const double on_more = sum(Client(Options{.scheduler = "threads", .threads = threads}));
    EXPECT_EQ(std::memcmp(&on_one, &on_more, sizeof on_one), 0) << threads;
  }
}

TEST(LayerTest, SharedStepRunsOncePerBlock) {
  const Client client(Options{.scheduler = "sync"});
  static std::atomic<std::uint64_t> calls;
  calls = 0;
  const auto shared = generate_blocks(5'000, [](std::uint64_t i) { return ++calls, i; });
  const auto product = shared.map([](std::uint64_t a, std::uint64_t b) { return a * b; },
                                  shared.map([](std::uint64_t a) { return a + 1; }));
  client.compute(product.reduce([](std::uint64_t a, std::uint64_t b) { return a + b; }));
  EXPECT_EQ(calls, 5'000u);
}

/// Formulas whose tasks go through their encoding, as they do between processes.
class EncodedLayerTest : public testing::Test {
 protected:
  static Options options() {
    Options encoded{.scheduler = "threads", .threads = 2};
    encoded.check_transfer = true;
    return encoded;
  }
  Client client_{options()};
};

TEST_F(EncodedLayerTest, FunctionsOfAllKindsGoAlong) {
  const std::uint64_t captured = 3;
  const auto total = generate_blocks(10'000, [](std::uint64_t i) { return i; })
                         .map(&square)
                         .map(Add{5})
                         .map([captured](std::uint64_t n) { return n * captured; })
                         .reduce([](std::uint64_t a, std::uint64_t b) { return a + b; });
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) expected += (i * i + 5) * 3;
  EXPECT_EQ(client_.compute(total), expected);
}

TEST_F(EncodedLayerTest, AlignedMapsOverSharedStepsKeepTheirShape) {
  const auto source = generate_blocks(3'000, [](std::uint64_t i) { return i; });
  const auto text = source.map([](std::uint64_t i) { return std::to_string(i); });
  const auto squares = source.map(&square);
  const auto mixed = text.map([](const std::string& digits, std::uint64_t n, std::uint64_t squared,
                                 std::uint64_t again) { return digits.size() + n + squared - again; },
                              source, squares, squares);
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < 3'000; ++i) expected += std::to_string(i).size() + i;
  EXPECT_EQ(client_.compute(mixed.reduce([](std::uint64_t a, std::uint64_t b) { return a + b; }, 3)), expected);
}

TEST_F(EncodedLayerTest, ACaptureThatPointsIntoTheProcessIsRefused) {
  std::uint64_t local = 3;
  const auto blocks = generate_blocks(100, [&local](std::uint64_t i) { return i + local; });
  EXPECT_THAT(message_of([&] { client_.compute(blocks.reduce(std::plus<>())); }),
              AllOf(HasSubstr("layer_test.cpp:"), HasSubstr("captures a pointer or reference")));
}

TEST(LayerTest, DamagedFormulasAreErrors) {
  const auto numbers = generate_blocks(10, [](std::uint64_t i) { return i; });
  const auto texts = numbers.map([](std::uint64_t n) { return std::to_string(n); });
  const auto both = texts.map([](const std::string& text, std::uint64_t n) { return text.size() + n; }, numbers);
  Writer writer;
  detail::write_formula(writer, both.step());
  Reader whole(writer.data(), writer.size());
  const auto copy = std::dynamic_pointer_cast<const detail::Step<std::uint64_t>>(detail::read_formula(whole));
  ASSERT_NE(copy, nullptr);
  detail::ConeMemory memory;
  EXPECT_EQ(copy->value(7, memory), 8u);
  EXPECT_EQ(copy->where().line, both.layer().where().line);
  for (std::size_t size = 0; size < writer.size(); ++size) {
    Reader cut(writer.data(), size);
    EXPECT_THROW(detail::read_formula(cut), Error) << size;
  }
}

TEST(LayerTest, AFailureTellsTheStepThatBeganItAndWhatItWasFusedWith) {
  for (const char* const scheduler : {"sync", "threads"}) {
    const Client client(Options{.scheduler = scheduler, .threads = 2});
    const std::uint32_t line = std::source_location::current().line();
    const auto total = generate_blocks(10'000, [](std::uint64_t i) { return i; })
                           .map([](std::uint64_t n) -> std::uint64_t {
                             if (n == 4'321) throw std::runtime_error("not this one");
                             return n;
                           })
                           .map(Add{5})
                           .reduce(std::plus<>());
    const std::string message = message_of([&] { client.compute(total); });
    const std::string file = "layer_test.cpp:";
    EXPECT_THAT(message, AllOf(HasSubstr("not this one"), HasSubstr("value 4321 of map"),
                               HasSubstr(file + std::to_string(line + 2)), HasSubstr("of generate"),
                               HasSubstr(file + std::to_string(line + 1))));
    // The note belongs to that failure alone.
    EXPECT_THAT(client.submit([](int) -> int { throw std::runtime_error("another"); }, 1).traceback(),
                AllOf(HasSubstr("another"), Not(HasSubstr("4321"))));
  }
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

// Seeds by the hundred. WEFT_CHAOS_SEED=N runs one alone, WEFT_CHAOS_TRACE=1 prints all events and actions of it;
// WEFT_CHAOS_COUNT=N runs that many from there on.

#include <gtest/gtest.h>

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/simulation/chaos.hpp"

namespace weft::sim {
namespace {

volatile std::uint64_t current_seed = 0;

/// A broken promise inside a machine aborts: name the seed first.
void name_seed(int) {
  char line[200];
  const int length =
      std::snprintf(line, sizeof line,
                    "seed %llu aborted. Alone: WEFT_CHAOS_SEED=%llu WEFT_CHAOS_TRACE=1 "
                    "weft_simulation_tests --gtest_filter=ChaosTest.OneSeed\n",
                    static_cast<unsigned long long>(current_seed), static_cast<unsigned long long>(current_seed));
  if (write(STDERR_FILENO, line, static_cast<std::size_t>(length)) < 0) _exit(134);
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

void expect_right(std::uint64_t seed, bool trace = false) {
  current_seed = seed;
  ChaosRun run(seed, trace);
  const std::string wrong = run.run();
  EXPECT_EQ(wrong, "") << "seed " << seed << " (" << run.description() << "). Alone: WEFT_CHAOS_SEED=" << seed
                       << " WEFT_CHAOS_TRACE=1 weft_simulation_tests --gtest_filter=ChaosTest.OneSeed";
}

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Runs a range of seeds and stops at the tenth that fails.
void expect_all_right(std::uint64_t first, std::uint64_t count) {
  std::signal(SIGABRT, name_seed);
  int failures = 0;
  for (std::uint64_t seed = first; seed < first + count && failures < 10; ++seed) {
    const int before = ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    expect_right(seed);
    failures += ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > before ? 1 : 0;
  }
}

class ChaosTest : public ::testing::TestWithParam<std::uint64_t> {};
class ChaosSlow : public ::testing::TestWithParam<std::uint64_t> {};

constexpr std::uint64_t kSeedsATest = 50;
constexpr std::uint64_t kSeedsASlowTest = 500;

TEST_P(ChaosTest, EveryResultIsRightAndNothingIsLeft) { expect_all_right(GetParam() * kSeedsATest, kSeedsATest); }

TEST_P(ChaosSlow, EveryResultIsRightAndNothingIsLeft) {
  expect_all_right(1'000'000 + GetParam() * kSeedsASlowTest, kSeedsASlowTest);
}

INSTANTIATE_TEST_SUITE_P(FiftySeeds, ChaosTest, ::testing::Range<std::uint64_t>(0, 10));
INSTANTIATE_TEST_SUITE_P(FiveHundredSeeds, ChaosSlow, ::testing::Range<std::uint64_t>(0, 20));

TEST(ChaosTest, OneSeed) {
  const std::uint64_t seed = number("WEFT_CHAOS_SEED", 0);
  const std::uint64_t count = number("WEFT_CHAOS_COUNT", 1);
  if (count != 1) return expect_all_right(seed, count);
  std::signal(SIGABRT, name_seed);
  expect_right(seed, number("WEFT_CHAOS_TRACE", 0) != 0);
}

TEST(ChaosTest, EqualSeedsGiveEqualRuns) {
  for (const std::uint64_t seed : {3u, 7u, 11u}) {
    ChaosRun first(seed), second(seed);
    EXPECT_EQ(first.run(), second.run());
    EXPECT_EQ(first.fingerprint(), second.fingerprint()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace weft::sim

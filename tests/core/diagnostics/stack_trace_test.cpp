#include "core/diagnostics/stack_trace.hpp"

#include "tests/core/client/client_modes.hpp"

#include <weft/bag.hpp>
#include <weft/client.hpp>
#include <weft/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace weft {

// Calls that the compiler may neither put into each other nor turn into jumps: a stack to be recognised.
#define WEFT_TEST_FRAME [[gnu::noinline]]

WEFT_TEST_FRAME int reads_a_letter(int value) {
  if (value == 3) throw std::out_of_range("there is no third letter");
  asm volatile("");
  return value;
}

WEFT_TEST_FRAME int reads_a_page(int value) {
  const int read = reads_a_letter(value);
  asm volatile("" ::: "memory");
  return read + 1;
}

WEFT_TEST_FRAME int throws_again(int value) {
  try {
    return reads_a_page(value);
  } catch (const std::out_of_range&) {
    throw;
  }
}

WEFT_TEST_FRAME int throws_a_word(int) { throw "a word"; }

WEFT_TEST_FRAME int swallows(int value) {
  try {
    return reads_a_page(value);
  } catch (const std::exception&) {
    return -1;
  }
}

namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class StackTraceTest : public ::testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};
INSTANTIATE_TEST_SUITE_P(Modes, StackTraceTest, ::testing::ValuesIn(kModes), kModeName);

TEST_P(StackTraceTest, AFailureNamesTheFunctionsFromTheThrowToTheTask) {
  const auto failed = client_.submit(&reads_a_page, 3);
  EXPECT_THAT(message_of([&] { failed.result(); }),
              ContainsRegex("thrown in   weft::reads_a_letter\\(int\\)[^\n]*\n +weft::reads_a_page\\(int\\)"));
}

TEST_P(StackTraceTest, WhatCarriesTheCallIsLeftOut) {
  const auto failed = client_.submit(&reads_a_page, 3);
  EXPECT_THAT(message_of([&] { failed.result(); }), Not(AllOf(HasSubstr("weft::Slot"), HasSubstr("cxa_throw"))));
}

TEST_P(StackTraceTest, WhatFollowsAFailureShowsItsTrace) {
  const auto failed = client_.submit(&reads_a_page, 3);
  const auto next = client_.submit([](int value) { return value; }, failed);
  EXPECT_THAT(message_of([&] { next.result(); }), HasSubstr("weft::reads_a_letter(int)"));
}

TEST_P(StackTraceTest, WhatIsNoObjectHasATraceToo) {
  const auto failed = client_.submit(&throws_a_word, 1);
  EXPECT_THAT(message_of([&] { failed.result(); }), HasSubstr("thrown in   weft::throws_a_word(int)"));
}

TEST_P(StackTraceTest, WhatTheTaskThrowsAgainIsShownFromThere) {
  const auto failed = client_.submit(&throws_again, 3);
  EXPECT_THAT(message_of([&] { failed.result(); }), HasSubstr("thrown in   weft::throws_again(int)"));
}

TEST_P(StackTraceTest, ATraceIsNotTakenForThatOfALaterFailure) {
  EXPECT_EQ(client_.submit(&swallows, 3).result(), -1);
  const auto failed = client_.submit(&throws_a_word, 1);
  EXPECT_THAT(message_of([&] { failed.result(); }),
              AllOf(HasSubstr("weft::throws_a_word(int)"), Not(HasSubstr("reads_a_letter"))));
}

TEST_P(StackTraceTest, OfAFormulaTheFunctionInsideIsNamed) {
  auto bag = bag_range(5, 1).map([](std::int64_t value) { return reads_a_page(static_cast<int>(value)); });
  EXPECT_THAT(message_of([&] { bag.compute(client_); }),
              ContainsRegex("thrown in   weft::reads_a_letter\\(int\\)[^\n]*\n +weft::reads_a_page\\(int\\)"));
}

TEST_P(StackTraceTest, TheLogsLevelSwitchesThemOff) {
  logging::set_levels("stack=off");
  const auto failed = client_.submit(&reads_a_page, 3);
  EXPECT_THAT(message_of([&] { failed.result(); }), AllOf(HasSubstr("no third letter"), Not(HasSubstr("thrown in"))));
  logging::set_levels("");
}

TEST_P(StackTraceTest, OfFailuresWithoutNumberOnlyTheFirstShowIt) {
  const std::vector<Future<int>> failed = client_.map(&reads_a_letter, std::vector<int>(1'500, 3));
  std::size_t shown = 0;
  for (const Future<int>& one : failed) {
    const std::string text = message_of([&] { one.result(); });
    EXPECT_THAT(text, HasSubstr("no third letter"));
    shown += text.find("thrown in") != std::string::npos ? 1 : 0;
  }
  EXPECT_LE(shown, 1'000u);
}

TEST(StackTraceWithoutATaskTest, ThereIsNone) {
  try {
    throw std::runtime_error("here");
  } catch (...) {
    EXPECT_EQ(stack_trace::take(std::current_exception()), "");
  }
}

}  // namespace
}  // namespace weft

#include "core/diagnostics/assert.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(AssertTest, APromiseThatHoldsCostsNothingElse) {
  int evaluated = 0;
  WEFT_ASSERT(++evaluated == 1, "evaluated once");
  EXPECT_EQ(evaluated, 1);
}

TEST(AssertDeathTest, ABrokenPromiseNamesItselfAndItsPlace) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(WEFT_ASSERT(1 + 1 == 3, "sums must add up"), "sums must add up \\(1 \\+ 1 == 3\\) at .*assert_test.cpp");
}

}  // namespace
}  // namespace weft

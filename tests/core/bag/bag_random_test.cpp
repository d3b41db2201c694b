#include <weft/bag_random.hpp>

#include <weft/error.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class BagRandomTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

using Numbers = std::vector<std::int64_t>;

TEST_P(BagRandomTest, ChoicesAreThoseOfTheElementsHoweverTheyAreCut) {
  const Numbers one = random::choices(bag_range(1'000, 1), 500, 7).compute(client_);
  EXPECT_EQ(one.size(), 500u);
  for (const std::size_t partitions : {2u, 7u, 100u})
    EXPECT_EQ(random::choices(bag_range(1'000, partitions), 500, 7).compute(client_), one) << partitions;
  EXPECT_NE(random::choices(bag_range(1'000, 7), 500, 8).compute(client_), one) << "of another seed";
  EXPECT_EQ(Numbers(one.begin(), one.begin() + 100), random::choices(bag_range(1'000, 3), 100, 7).compute(client_));
}

TEST_P(BagRandomTest, EachElementIsAsLikely) {
  std::map<std::int64_t, int> counts;
  for (const std::int64_t number : random::choices(bag_range(10, 3), 20'000, 3).compute(client_)) ++counts[number];
  ASSERT_EQ(counts.size(), 10u) << "with replacement: more draws than elements";
  for (const auto& [number, count] : counts) EXPECT_NEAR(count, 2'000, 250) << number;
}

TEST_P(BagRandomTest, OfNothingThereIsNoChoice) {
  const auto none = bag_range(0, 2);
  EXPECT_THAT(random::choices(none, 0, 1).compute(client_), IsEmpty());
  EXPECT_THAT(message_of([&] { random::choices(none, 3, 1).compute(client_); }), HasSubstr("the bag is empty"));
  EXPECT_THAT(random::choices(bag_range(5, 5).filter([](std::int64_t n) { return n == 3; }), 4, 1).compute(client_),
              testing::Each(3));
}

TEST(DrawnElementTest, IsTheUpperHalfOfTheProduct) {
  for (std::uint64_t draw = 0; draw < 2'000; ++draw) {
    const std::uint64_t whole = detail::drawn_element(1, draw, ~std::uint64_t{0});
    for (const std::uint64_t all : {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1} << 40}) {
      const std::uint64_t one = detail::drawn_element(1, draw, all);
      ASSERT_LT(one, all);
      const auto near =
          static_cast<std::uint64_t>(static_cast<long double>(whole) / 0x1p64L * static_cast<long double>(all));
      ASSERT_LE(std::max(one, near) - std::min(one, near), 1u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, BagRandomTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
